"""Logs as they are stored, from the API's stream of server-sent events, over disconnects."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from app.client.api import ApiError, Unreachable

_RETRY_SECS = 2.0
_MAX_RETRY_SECS = 30.0


class Event(NamedTuple):
    """An event of the stream; `kind` is "" for a log."""

    kind: str
    data: Any


class OpenStream(Protocol):
    """Opens the stream, after the event with this id."""

    def __call__(self, last_id: str) -> Iterator[bytes]: ...


class Tail:
    """The events of a stream. It is opened again when it breaks, and then continues where it was."""

    def __init__(
        self, open_stream: OpenStream, report: Callable[[str], None], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._open_stream = open_stream
        self._report = report
        self._sleep = sleep
        self._last_id = ""

    def events(self) -> Iterator[Event]:
        """Events without end.

        Raises:
            ApiError: the service refuses the query.
            Unreachable: there never was a connection.
        """
        was_open, wait_secs = False, _RETRY_SECS
        while True:
            reason = "the service has ended it"
            try:
                for event in self._read(self._open_stream(self._last_id)):
                    if event.kind == "ready" and wait_secs > _RETRY_SECS:
                        self._report("Following again.")
                    was_open, wait_secs = True, _RETRY_SECS
                    yield event
            except ApiError as error:
                if not error.is_temporary:
                    raise
                reason = str(error)
            except Unreachable as error:
                if not was_open:
                    raise
                reason = str(error)
            self._report(f"The stream was interrupted ({reason.rstrip('.')}); retrying, no log is left out.")
            self._sleep(wait_secs)
            wait_secs = min(2 * wait_secs, _MAX_RETRY_SECS)

    def _read(self, lines: Iterable[bytes]) -> Iterator[Event]:
        kind, data, next_id = "", [], self._last_id
        for line in lines:
            name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
            value = value.removeprefix(" ")
            if name == "id":
                next_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif not name and not value and not line.startswith(b":"):
                self._last_id = next_id  # only now: an event that was cut off is sent again
                if data:
                    yield Event(kind, json.loads("\n".join(data)))
                kind, data = "", []
