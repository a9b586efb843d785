"""Finds out whether queries can be answered, by a statement that costs next to nothing, and not for each probe."""

from typing import Final, Protocol

from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.log_table import LogTable

_TIMEOUT_SECS: Final = 5.0
_LOOK_SECS: Final = 10.0
_LOOK_AGAIN_SECS: Final = 1.0


class ReaderEvents(Protocol):
    """Receives how each look ended."""

    def answered(self) -> None:
        """ClickHouse would answer a query."""

    def failed(self, error: Exception) -> None:
        """It would not."""


class QueryWatch:
    """Called on one thread."""

    def __init__(self, table: LogTable, events: ReaderEvents) -> None:
        self._table = table
        self._events = events

    def look(self) -> float:
        """One look. Returns the seconds until the next one."""
        try:
            self._table.probe(timeout_secs=_TIMEOUT_SECS)
        except (TryAgainLater, Refused, QueryTooExpensive) as error:
            self._events.failed(error)
            return _LOOK_AGAIN_SECS
        self._events.answered()
        return _LOOK_SECS
