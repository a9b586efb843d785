"""How many logs each hour has: decides whether a few rows are read, rather than another projection planned."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.log_table import LogTable, Select
from app.query.rollups import SUMS_BY_SERVICE_AND_LEVEL
from app.query.time_range import SECOND_NS, TimeRange

_HOURS: Final = SUMS_BY_SERVICE_AND_LEVEL[0]
_COUNTED_NS: Final = 31 * 86_400 * SECOND_NS  # a usual retention, and the longest of the usual ranges
_FRESH_SECS: Final = 60.0
_RETRY_SECS: Final = 1800.0  # where it takes too long, it will again
_TIMEOUT_SECS: Final = 0.5  # an estimate must not cost more
_UNKNOWN: Final = float("inf")


def unknown_rows(_span: TimeRange) -> float:
    """The estimate of a range in a table about which nothing is known: more than any number."""
    return _UNKNOWN


class _Counted(NamedTuple):
    """The hours with logs that start in a range, in order, and how many logs are before each of them, and in all."""

    span: TimeRange
    starts_ns: Sequence[int]
    rows_before: Sequence[int]


class HourCounts:
    """Estimates the rows of a range from the counts of its hours. One thread reads them, any may ask.

    The rows of an hour are taken to be spread evenly over it, those of this hour over the time until they were counted.
    """

    def __init__(self, table: LogTable, now_ns: Callable[[], int], clock: Callable[[], float]) -> None:
        self._table = table
        self._now_ns = now_ns
        self._clock = clock
        self._due_at = float("-inf")
        self._counted: _Counted | None = None

    def refresh(self) -> None:
        """Count if that was not done in the last minute. If it fails, estimates are unknown for half an hour."""
        if self._clock() < self._due_at:
            return
        try:
            self._counted = _read(self._table, self._now_ns())
            self._due_at = self._clock() + _FRESH_SECS
        except (QueryTooExpensive, TryAgainLater, Refused):
            self._counted = None
            self._due_at = self._clock() + _RETRY_SECS

    def rows_in(self, span: TimeRange) -> float:
        """About how many rows of all logs the range holds; more than any number if that is unknown."""
        counted = self._counted
        if counted is None or span.start_ns < counted.span.start_ns:
            return _UNKNOWN
        return _rows_before(span.end_ns, counted) - _rows_before(span.start_ns, counted)


def _rows_before(moment_ns: int, counted: _Counted) -> float:
    number = bisect_right(counted.starts_ns, moment_ns) - 1
    if number < 0:
        return 0.0
    start_ns, before, after = counted.starts_ns[number], *counted.rows_before[number : number + 2]
    end_ns = start_ns + _HOURS.step_ns
    if start_ns < counted.span.end_ns < end_ns:
        end_ns = counted.span.end_ns
    return before + (after - before) * min(1.0, (moment_ns - start_ns) / (end_ns - start_ns))


def _read(table: LogTable, now_ns: int) -> _Counted:
    first_ns = (now_ns - _COUNTED_NS) // _HOURS.step_ns * _HOURS.step_ns
    select = Select(
        f"toUnixTimestamp({_HOURS.start}) AS hour, count()",
        [f"{_HOURS.start} >= toDateTime({first_ns // SECOND_NS:d}, 'UTC')"],
        "GROUP BY hour ORDER BY hour",
        projection=_HOURS.projection,
    )
    rows = table.run(select, timeout_secs=_TIMEOUT_SECS).rows
    starts_ns = [hour * SECOND_NS for hour, _ in rows]
    return _Counted(TimeRange(first_ns, now_ns), starts_ns, list(accumulate((count for _, count in rows), initial=0)))
