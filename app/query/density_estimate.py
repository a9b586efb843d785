"""Estimates the density of matching logs, in rows per second, from counts before the end of a range."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf
from typing import Final, NamedTuple

from msgspec.structs import replace

from app.errors import QueryTooExpensive
from app.query.condition import Condition
from app.query.counted_group import GROUPED_BY, UNKNOWN, CountedGroup, share
from app.query.log_table import LogTable, Select, SelectFromAll
from app.query.rollups import SUMS_BY_SERVICE_AND_LEVEL, Rollup
from app.query.scope import Scope
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything, Node
from app.query.windows import Expected

_HOURS, _MINUTES = SUMS_BY_SERVICE_AND_LEVEL
_REMEMBERED: Final = 32  # of one scope up to 26: for logs that have stopped, each hour of the day
_REMEMBERED_TREES: Final = 256
_MOST_GROUPS: Final = 2_000  # the most frequent ones: each query looks at all of them, and they are kept in memory
_TIMEOUT_SECS: Final = 0.5  # an estimate must not cost more
# Where a condition can be estimated only roughly, the first window is at most this many times as long as if nothing
# were known of it: in the order of the table, a rare service's logs lie among all others, and are read with them.
_MOST_LONGER: Final = 32


class _Lookback(NamedTuple):
    """How far back to count, in which rollup, and for how long that is good enough."""

    rollup: Rollup
    secs: int
    fresh_secs: float
    enough: int
    """So many logs suffice for an estimate."""
    sure: float
    """So many make twice the window that they suggest nearly always have enough."""


# The last minutes do not show logs that are rare or have stopped.
_LAST_MINUTES: Final = _Lookback(_MINUTES, 600, 60.0, 10, 40)
_LAST_DAY: Final = _Lookback(_HOURS, 86_400, 300.0, 1, inf)  # by night there are fewer logs than in the whole day
_MANY: Final = 2 * _LAST_MINUTES.enough
# Of logs that have stopped, the last hour that has any shows when.
_ITS_MINUTES: Final = _Lookback(_MINUTES, 3600, 60.0, 10, 40)


class _Key(NamedTuple):
    rollup: str
    secs: int
    slot: int
    scope: Scope


class _Found(NamedTuple):
    """The counted logs that a query matches, as far as the counts tell (see `share`)."""

    rows: float
    last_secs: int
    """The start of the last step that has one of them; 0 for none."""


class _Counts(NamedTuple):
    """What was counted before a moment."""

    read_at: float
    lookback: _Lookback
    end_secs: int
    found: Callable[[Node], _Found]

    def expected(self, tree: Node, span: TimeRange, *, until_secs: int = 0) -> Expected | None:
        """The density at the end of a range; None if too few logs were counted.

        `until_secs` is until when there were no others, if that is later than what was counted.
        """
        found, secs = self.found(tree), self.lookback.secs
        if found.rows < self.lookback.enough:
            return None
        is_counted = found.rows >= self.lookback.sure
        step_secs = self.lookback.rollup.step_ns // SECOND_NS
        stopped_secs = found.last_secs + step_secs
        if max(self.end_secs, until_secs) - stopped_secs < step_secs:  # they go on
            return Expected(found.rows / secs, is_counted=is_counted)
        # The window is to reach the beginning of the last step, wherever in it they stopped.
        quiet_secs = max(0, span.end_ns // SECOND_NS - found.last_secs)
        return Expected(found.rows / (secs - max(0, self.end_secs - stopped_secs)), quiet_secs, is_counted)


class Density:
    """Reads counts of minutes and hours, which are cheap, and caches them. Shared by threads.

    One statement counts for every service and level, so that the next search needs none, for whichever it is.
    """

    def __init__(self, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, _Counts] = OrderedDict()

    def expected(self, table: LogTable, span: TimeRange, condition: Condition) -> Expected:
        """The estimated density of matching logs at the end of a range.

        Rollups count by service and level. Conditions on other columns are taken to match a fixed share of the logs of
        these; if the scope has other columns too, the density is unknown.
        """
        end_secs = min(span.end_ns, self._now_ns()) // SECOND_NS
        found = self._estimated(table, span, condition, end_secs)
        # A range may end in the future, where there are no logs yet.
        return replace(found, quiet_secs=max(found.quiet_secs, span.end_ns // SECOND_NS - end_secs))

    def _estimated(self, table: LogTable, span: TimeRange, condition: Condition, end_secs: int) -> Expected:
        if not table.scope_columns <= _MINUTES.columns:
            return Expected()
        counted = self._counted(table, span, condition.tree, end_secs)
        if condition.is_of_service_and_level:
            return counted
        everything = self._counted(table, span, Everything(), end_secs)
        least = everything.rows_per_sec * UNKNOWN / _MOST_LONGER
        likeliest = counted if counted.rows_per_sec else everything
        return replace(likeliest, rows_per_sec=max(counted.rows_per_sec, least), is_counted=False)

    def _counted(self, table: LogTable, span: TimeRange, tree: Node, end_secs: int) -> Expected:
        lately = self._counts(table, end_secs, _LAST_MINUTES).expected(tree, span)
        if lately is not None:
            return lately
        of_day = self._counts(table, end_secs, _LAST_DAY)
        daily = of_day.expected(tree, span) or Expected()
        if daily.rows_per_sec * _LAST_MINUTES.secs < _MANY:
            return daily  # none in the last minutes means little, and the window is long anyway
        hour_end_secs = of_day.found(tree).last_secs + _ITS_MINUTES.secs
        return self._counts(table, hour_end_secs, _ITS_MINUTES).expected(tree, span, until_secs=end_secs) or daily

    def _counts(self, table: LogTable, end_secs: int, lookback: _Lookback) -> _Counts:
        key = _Key(lookback.rollup.projection, lookback.secs, end_secs // _LAST_MINUTES.secs, table.scope)
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._clock() - known.read_at < lookback.fresh_secs:
            return known
        counts = _Counts(self._clock(), lookback, end_secs, _finder(_read(table, end_secs, lookback)))
        with self._lock:
            self._known[key] = counts
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return counts


def _finder(groups: Sequence[CountedGroup]) -> Callable[[Node], _Found]:
    @lru_cache(maxsize=_REMEMBERED_TREES)
    def find(tree: Node) -> _Found:
        shares = [(group, share(tree, group)) for group in groups]
        return _Found(
            sum(group.count * part for group, part in shares),
            max((group.last_secs for group, part in shares if part), default=0),
        )

    return find


def _read(table: LogTable, end_secs: int, lookback: _Lookback) -> Sequence[CountedGroup]:
    """The groups of the logs before a moment; none if that takes too long."""
    span = TimeRange((end_secs - lookback.secs) * SECOND_NS, end_secs * SECOND_NS)
    columns, rollup = ", ".join(GROUPED_BY), lookback.rollup
    steps = Select(
        f"{columns}, toUnixTimestamp({rollup.start}) AS step, count() AS logged",
        [rollup.condition(span)],
        f"GROUP BY {columns}, step",
        projection=rollup.projection,
    )
    groups = SelectFromAll(
        f"{columns}, sum(logged), max(step)",
        [steps],
        f"GROUP BY {columns} ORDER BY sum(logged) DESC LIMIT {_MOST_GROUPS:d}",
    )
    try:
        rows = table.run(groups, timeout_secs=_TIMEOUT_SECS).rows
    except QueryTooExpensive:
        return ()
    return [CountedGroup(*row) for row in rows]
