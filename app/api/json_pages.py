"""A page of logs as JSON, written while its rows are read: only its text is in memory as a whole."""

from collections.abc import Iterator, Sequence
from typing import Final

from flask import Response
from pydantic import TypeAdapter

from app.api.held_bytes import Holding
from app.api.responses import LogsResponse
from app.api.row_schemas import Log
from app.query.log_row import LogRow

_ROWS: Final[TypeAdapter[list[Log]]] = TypeAdapter(list[Log])
_NO_ROWS: Final = b'{"rows":[]'


class JsonPage:
    """The rows of a page, as text."""

    def __init__(self, holding: Holding) -> None:
        """`holding` counts the bytes until the response is sent."""
        self.count = 0
        """How many rows there are."""
        self._holding = holding
        self._pieces: list[bytes] = []

    def add(self, rows: Sequence[LogRow]) -> bool:
        """Write rows; returns whether there is room for more."""
        if not rows:
            return True
        text = _ROWS.dump_json([row.as_object() for row in rows])[1:-1]
        self._pieces.append(b"," + text if self._pieces else text)
        self.count += len(rows)
        return self._holding.add(len(self._pieces[-1]))

    def response(self, rest: LogsResponse) -> Response:
        """The whole page; `rest` is everything but the rows."""
        end = rest.model_dump_json(exclude_none=True).encode().removeprefix(_NO_ROWS)
        self._pieces = [b'{"rows":[', *self._pieces, b"]" + end]
        length = sum(map(len, self._pieces))
        response = Response(self._taken(), content_type="application/json")
        response.content_length = length
        response.call_on_close(self._holding.release)
        return response

    def _taken(self) -> Iterator[bytes]:
        """The pieces, each forgotten when it is handed on."""
        self._pieces.reverse()
        while self._pieces:
            yield self._pieces.pop()
