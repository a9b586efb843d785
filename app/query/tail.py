"""Live tail: logs as they are stored, after the last seen row of each partition."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from app.query.errors import BadParameter
from app.query.log_row import LogRow, RowShape
from app.query.log_table import LogTable, Select
from app.query.tree import Node

# Limits of one poll per partition: rows, and offsets to read through, however far behind a client is. The first poll
# has lower limits to return sooner, since all rows of a poll are read and sorted before the first is sent.
FIRST_ROWS: Final = 50
MAX_ROWS: Final = 500
_FIRST_OFFSETS: Final = 1_000
_MAX_OFFSETS: Final = 50_000
_TIMEOUT_SECS: Final = 5.0
_POSITION: Final = re.compile(r"([A-Za-z0-9_-]{1,64}):(\d{1,5}):(\d{1,20}):(\d{1,5})")
_MAX_PARTITIONS: Final = 1_000
_LAST_ITEM: Final = 2**16 - 1
_EMPTY_TABLE: Final = "start"  # the table was empty when the client connected


class TailPartition(NamedTuple):
    """One partition of one topic, by the topic's id."""

    topic_id: str
    number: int


class TailPosition(NamedTuple):
    """The last seen row of a partition."""

    offset: int
    item: int


class _Extent(NamedTuple):
    """The first and last offset of a partition in the table."""

    first: int
    last: int


Positions = Mapping[TailPartition, TailPosition]


def write_resume_token(positions: Positions) -> str:
    """The positions as a resume token: the id of an event, which a client sends to continue after it."""
    words = (
        f"{key.topic_id}:{key.number}:{position.offset}:{position.item}" for key, position in sorted(positions.items())
    )
    return ",".join(words) or _EMPTY_TABLE


def read_resume_token(text: str) -> dict[TailPartition, TailPosition]:
    """Parse a resume token of `write_resume_token`.

    Raises:
        BadParameter: the text is not a resume token.
    """
    positions: dict[TailPartition, TailPosition] = {}
    if text == _EMPTY_TABLE:
        return positions
    for part in text.split(","):
        found = _POSITION.fullmatch(part)
        if not found or len(positions) >= _MAX_PARTITIONS:
            raise BadParameter("last_id", "last_id is not the id of an event of this stream")
        positions[TailPartition(found[1], int(found[2]))] = TailPosition(int(found[3]), int(found[4]))
        if int(found[2]) >= 2**16 or int(found[3]) >= 2**64:
            raise BadParameter("last_id", "last_id is not the id of an event of this stream")
    return positions


class Tail:
    """Follows the table for one client."""

    def __init__(self, table: LogTable, tree: Node, shape: RowShape, positions: Positions | None = None) -> None:
        """Begins after `positions`; without them, with rows that are stored from now on."""
        self._table = table
        self._condition = table.condition(tree)
        self._shape = shape
        self._most_rows, self._most_offsets = FIRST_ROWS, _FIRST_OFFSETS
        self._seen = self._extents()
        self._positions = (
            {key: TailPosition(extent.last, _LAST_ITEM) for key, extent in self._seen.items()}
            if positions is None
            else dict(positions)
        )
        self.is_behind = False
        """Whether there are more rows than the last poll returned."""

    @property
    def resume_token(self) -> str:
        """The token to continue after the last returned row."""
        return write_resume_token(self._positions)

    def poll(self) -> Iterator[LogRow]:
        """Matching rows among those stored up to the end of the last poll, in the order in which they were stored.

        Returns at most MAX_ROWS from at most _MAX_OFFSETS offsets per partition; the next poll continues there, and
        `is_behind` says that it need not wait. It does not read up to now, since an insert over several days becomes
        visible day by day: an insert that was visible one poll ago is now visible as a whole. `resume_token` advances
        past each row as it is returned.

        Raises:
            QueryTooExpensive, TryAgainLater, Refused: see `LogTable.run`.
        """
        spans = {key: span for key, extent in self._seen.items() if (span := self._span(key, extent)) is not None}
        self.is_behind = False
        if spans:
            yield from self._new_rows(spans)
            self._most_rows, self._most_offsets = MAX_ROWS, _MAX_OFFSETS
        self._seen = self._extents()

    def _new_rows(self, spans: Mapping[TailPartition, tuple[TailPosition, int]]) -> Iterator[LogRow]:
        found = self._rows(spans)
        for _, key, row in heapq.merge(*found.values(), key=lambda entry: entry[0]):
            self._positions[key] = TailPosition(row.id.offset, row.id.item)
            yield row
        full = {key for key, rows in found.items() if len(rows) >= self._most_rows}
        # Rows that did not match have been read too.
        self._positions |= {key: TailPosition(last, _LAST_ITEM) for key, (_, last) in spans.items() if key not in full}
        self.is_behind = bool(full) or any(last < self._seen[key].last for key, (_, last) in spans.items())

    def _span(self, key: TailPartition, extent: _Extent) -> tuple[TailPosition, int] | None:
        """The row after which, and the offset up to which, to read a partition next; None if there is nothing new."""
        position = self._positions.get(key, TailPosition(extent.first, -1))
        if position >= (extent.last, _LAST_ITEM):
            return None
        return position, min(extent.last, position.offset + self._most_offsets)

    def _extents(self) -> dict[TailPartition, _Extent]:
        result = self._table.extents(timeout_secs=_TIMEOUT_SECS)
        return {TailPartition(topic_id, number): _Extent(*offsets) for topic_id, number, *offsets in result.rows}

    def _rows(
        self, spans: Mapping[TailPartition, tuple[TailPosition, int]]
    ) -> dict[TailPartition, list[tuple[int, TailPartition, LogRow]]]:
        """The matching rows per partition, each with the time when it was stored (epoch milliseconds)."""
        parameters: dict[str, object] = {**self._condition.parameters, **self._shape.parameters}
        pieces = []
        for n, (key, (position, last)) in enumerate(spans.items()):
            pieces.append(
                f"(_topic_id = {{tail_{n}:String}} AND _partition = {key.number:d}"
                f" AND _offset >= {position.offset:d} AND _offset <= {last:d}"
                f" AND (_offset > {position.offset:d} OR toInt32(_item) > {position.item:d}))"
            )
            parameters[f"tail_{n}"] = key.topic_id
        select = Select(
            f"toUnixTimestamp64Milli(_ingested) AS stored_ms, {self._shape.select}",
            [f"({' OR '.join(pieces)})", self._condition.sql],
            f"ORDER BY _topic_id, _partition, _offset, _item LIMIT {self._most_rows:d} BY _topic_id, _partition",
            parameters,
        )
        result = self._table.run(select, timeout_secs=_TIMEOUT_SECS)
        records = result.records()
        found: dict[TailPartition, list[tuple[int, TailPartition, LogRow]]] = {}
        for record, row in zip(records, self._shape.read(records), strict=True):
            key = TailPartition(row.id.topic_id, row.id.partition)
            found.setdefault(key, []).append((record["stored_ms"], key, row))
        return found
