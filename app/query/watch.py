"""Checks periodically, with a statement that costs almost nothing, whether queries can run; health probes read that.

What is known of the table's size is kept fresh too, so that no query waits for it.
"""

from typing import Final, Protocol

from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.hour_counts import HourCounts
from app.query.log_table import LogTable

_TIMEOUT_SECS: Final = 5.0
_INTERVAL_SECS: Final = 10.0
_RETRY_SECS: Final = 1.0


class ReaderEvents(Protocol):
    """Receives the outcome of each check."""

    def succeeded(self) -> None:
        """Queries can run."""

    def failed(self, error: Exception) -> None:
        """Queries cannot run, because of `error`."""


class QueryWatch:
    """Called on one thread."""

    def __init__(self, table: LogTable, events: ReaderEvents, hour_counts: HourCounts) -> None:
        self._table = table
        self._events = events
        self._hour_counts = hour_counts

    def check(self) -> float:
        """Check once. Returns the seconds until the next check."""
        try:
            self._table.probe(timeout_secs=_TIMEOUT_SECS)
        except (TryAgainLater, Refused, QueryTooExpensive) as error:
            self._events.failed(error)
            return _RETRY_SECS
        self._events.succeeded()
        self._hour_counts.refresh()
        return _INTERVAL_SECS
