"""Estimates the density of matching logs from counts before the end of a range."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

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
_REMEMBERED: Final = 16
_REMEMBERED_TREES: Final = 256
_MOST_GROUPS: Final = 2_000  # the most frequent ones: each query looks at all of them, and they are kept in memory
_LATE_SECS: Final = 120  # logs that are younger may not be stored yet
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


# The last minutes do not show logs that are rare or have stopped.
_LOOKBACKS: Final = (_Lookback(_MINUTES, 600, 60.0, 10), _Lookback(_HOURS, 86_400, 300.0, 1))


class _Key(NamedTuple):
    rollup: str
    slot: int
    scope: Scope


class _Found(NamedTuple):
    """What was counted of the logs that a query matches, as far as it can tell (see `share`)."""

    logs: float
    """How many there are."""
    age_secs: int
    """The age, when they were counted, of the beginning of the newest minute or hour that has some."""


_Count: TypeAlias = Callable[[Node], _Found]


class Density:
    """Reads counts of minutes and hours, which are cheap, and caches them. Shared by threads.

    One statement counts for every service and level, so that the next search needs none, for whichever it is.
    """

    def __init__(self, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, tuple[float, _Count]] = OrderedDict()

    def expected(self, table: LogTable, span: TimeRange, condition: Condition) -> Expected:
        """What is expected of matching logs at the end of a range.

        Rollups count by service and level. Conditions on other columns are taken to match a fixed share of the logs of
        these; if the scope has other columns too, the density is unknown.
        """
        if not table.scope_columns <= _MINUTES.columns:
            return Expected(0.0)
        counted = self._counted(table, span, condition.tree)
        if condition.is_of_service_and_level:
            return counted
        of_all = self._counted(table, span, Everything())
        least = of_all.rows_per_sec * UNKNOWN / _MOST_LONGER
        return counted if counted.rows_per_sec >= least else Expected(least, of_all.idle_secs)

    def _counted(self, table: LogTable, span: TimeRange, tree: Node) -> Expected:
        # A range may end in the future, where there are no logs yet.
        end_secs = min(span.end_ns, self._now_ns()) // SECOND_NS
        for lookback in _LOOKBACKS:
            found = self._counts(table, end_secs, lookback)(tree)
            if found.logs >= lookback.enough:
                step_secs = lookback.rollup.step_ns // SECOND_NS
                # The logs of the newest step that has some may all be at its beginning.
                idle_secs = found.age_secs if found.age_secs > step_secs + _LATE_SECS else 0
                return Expected(found.logs / max(lookback.secs - idle_secs, step_secs), idle_secs)
        return Expected(0.0)

    def _counts(self, table: LogTable, end_secs: int, lookback: _Lookback) -> _Count:
        key = _Key(lookback.rollup.projection, end_secs // _LOOKBACKS[0].secs, table.scope)
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._clock() - known[0] < lookback.fresh_secs:
            return known[1]
        count = _counter(_read(table, end_secs, lookback), end_secs)
        with self._lock:
            self._known[key] = (self._clock(), count)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return count


def _counter(groups: Sequence[CountedGroup], end_secs: int) -> _Count:
    @lru_cache(maxsize=_REMEMBERED_TREES)
    def count(tree: Node) -> _Found:
        shares = [(share(tree, group), group) for group in groups]
        newest_step = max((group.newest_step for part, group in shares if part), default=end_secs)
        return _Found(sum(group.count * part for part, group in shares), end_secs - newest_step)

    return count


def _read(table: LogTable, end_secs: int, lookback: _Lookback) -> Sequence[CountedGroup]:
    """The groups of the logs before a moment; none if that takes too long."""
    span = TimeRange((end_secs - lookback.secs) * SECOND_NS, end_secs * SECOND_NS)
    columns = ", ".join(GROUPED_BY)
    # The projection has its steps as a key, of which it knows no maximum.
    by_step = Select(
        f"{columns}, {lookback.rollup.start} AS step, count() AS logged",
        [lookback.rollup.condition(span)],
        f"GROUP BY {columns}, step",
        projection=lookback.rollup.projection,
    )
    select = SelectFromAll(
        f"{columns}, sum(logged) AS logs, toUnixTimestamp(max(step))",
        [by_step],
        f"GROUP BY {columns} ORDER BY logs DESC LIMIT {_MOST_GROUPS:d}",
    )
    try:
        rows = table.run(select, timeout_secs=_TIMEOUT_SECS).rows
    except QueryTooExpensive:
        return ()
    return [CountedGroup(*row) for row in rows]
