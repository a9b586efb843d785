"""Estimates the density of matching logs, in rows per second, from counts before the end of a range."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from app.errors import QueryTooExpensive
from app.query.condition import Condition
from app.query.counted_group import GROUPED_BY, UNKNOWN, CountedGroup, share
from app.query.log_table import LogTable, Select
from app.query.rollups import SUMS_BY_SERVICE_AND_LEVEL, Rollup
from app.query.scope import Scope
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything, Node

_HOURS, _MINUTES = SUMS_BY_SERVICE_AND_LEVEL
_REMEMBERED: Final = 16
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


# The last minutes do not show logs that are rare or have stopped.
_LOOKBACKS: Final = (_Lookback(_MINUTES, 600, 60.0, 10), _Lookback(_HOURS, 86_400, 300.0, 1))


class _Key(NamedTuple):
    rollup: str
    slot: int
    scope: Scope


_Count: TypeAlias = Callable[[Node], float]
"""The number of counted logs that a query matches, as far as the counts tell (see `share`)."""


class Density:
    """Reads counts of minutes and hours, which are cheap, and caches them. Shared by threads.

    One statement counts for every service and level, so that the next search needs none, for whichever it is.
    """

    def __init__(self, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, tuple[float, _Count]] = OrderedDict()

    def rows_per_sec(self, table: LogTable, span: TimeRange, condition: Condition) -> float:
        """Estimated matching logs per second at the end of a range; 0 if there are none or it is unknown.

        Rollups count by service and level. Conditions on other columns are taken to match a fixed share of the logs of
        these; if the scope has other columns too, the density is unknown.
        """
        if not table.scope_columns <= _MINUTES.columns:
            return 0.0
        counted = self._counted(table, span, condition.tree)
        if condition.columns <= _MINUTES.columns:
            return counted
        return max(counted, self._counted(table, span, Everything()) * UNKNOWN / _MOST_LONGER)

    def _counted(self, table: LogTable, span: TimeRange, tree: Node) -> float:
        # A range may end in the future, where there are no logs yet.
        end_secs = min(span.end_ns, self._now_ns()) // SECOND_NS
        for lookback in _LOOKBACKS:
            count = self._counts(table, end_secs, lookback)(tree)
            if count >= lookback.enough:
                return count / lookback.secs
        return 0.0

    def _counts(self, table: LogTable, end_secs: int, lookback: _Lookback) -> _Count:
        key = _Key(lookback.rollup.projection, end_secs // _LOOKBACKS[0].secs, table.scope)
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._clock() - known[0] < lookback.fresh_secs:
            return known[1]
        count = _counter(_read(table, end_secs, lookback))
        with self._lock:
            self._known[key] = (self._clock(), count)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return count


def _counter(groups: Sequence[CountedGroup]) -> _Count:
    @lru_cache(maxsize=_REMEMBERED_TREES)
    def count(tree: Node) -> float:
        return sum(group.count * share(tree, group) for group in groups)

    return count


def _read(table: LogTable, end_secs: int, lookback: _Lookback) -> Sequence[CountedGroup]:
    """The groups of the logs before a moment; none if that takes too long."""
    span = TimeRange((end_secs - lookback.secs) * SECOND_NS, end_secs * SECOND_NS)
    columns = ", ".join(GROUPED_BY)
    select = Select(
        f"{columns}, count()",
        [lookback.rollup.condition(span)],
        f"GROUP BY {columns} ORDER BY count() DESC LIMIT {_MOST_GROUPS:d}",
        projection=lookback.rollup.projection,
    )
    try:
        rows = table.run(select, timeout_secs=_TIMEOUT_SECS).rows
    except QueryTooExpensive:
        return ()
    return [CountedGroup(*row) for row in rows]
