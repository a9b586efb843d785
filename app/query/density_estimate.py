"""Estimates the density of matching logs, in rows per second, from counts before the end of a range."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from app.errors import QueryTooExpensive
from app.query.condition import Condition
from app.query.log_table import LogTable, Select
from app.query.rollups import SUMS_BY_SERVICE_AND_LEVEL, Rollup
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything

_HOURS, _MINUTES = SUMS_BY_SERVICE_AND_LEVEL
_FRESH_SECS: Final = 30.0
_REMEMBERED: Final = 256
_TIMEOUT_SECS: Final = 0.5  # an estimate must not cost more
_SHARE_OF_OTHERS: Final = 1 / 16  # too long a window costs little: a few hundred rows of each service are read anyway


class _Lookback(NamedTuple):
    """How far back to count, and in which rollup."""

    rollup: Rollup
    secs: int


# The last minutes do not show logs that are rare or have stopped.
_LOOKBACKS: Final = (_Lookback(_MINUTES, 600), _Lookback(_HOURS, 86_400))


class Density:
    """Reads counts of minutes and hours, which are cheap, and caches the estimates. Shared by threads."""

    def __init__(self, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, str], tuple[float, float]] = OrderedDict()

    def rows_per_sec(self, table: LogTable, span: TimeRange, condition: Condition) -> float:
        """Estimated matching logs per second at the end of a range; 0 if there are none or it is unknown.

        Rollups count by service and level. For conditions on other columns, the estimate is a fixed share of all logs
        of the table's scope; if the scope has other columns too, the density is unknown.
        """
        if condition.columns <= _MINUTES.columns:
            return self._counted(table, span, condition)
        all_shown = table.condition(Everything())
        if all_shown.columns <= _MINUTES.columns:
            return self._counted(table, span, all_shown) * _SHARE_OF_OTHERS
        return 0.0

    def _counted(self, table: LogTable, span: TimeRange, counted: Condition) -> float:
        # A range may end in the future, where there are no logs yet.
        end_secs = min(span.end_ns, self._now_ns()) // SECOND_NS
        key = (end_secs // _LOOKBACKS[0].secs, repr((table.scope, counted.sql, counted.parameters)))
        with self._lock:
            found_at, known = self._known.get(key, (float("-inf"), 0.0))
        if self._clock() - found_at < _FRESH_SECS:
            return known
        density = self._count(table, end_secs, counted)
        with self._lock:
            self._known[key] = (self._clock(), density)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return density

    def _count(self, table: LogTable, end_secs: int, counted: Condition) -> float:
        for rollup, secs in _LOOKBACKS:
            span = TimeRange((end_secs - secs) * SECOND_NS, end_secs * SECOND_NS)
            where = [rollup.condition(span), counted.sql]
            select = Select("count()", where, parameters=counted.parameters, projection=rollup.projection)
            try:
                result = table.run(select, timeout_secs=_TIMEOUT_SECS)
            except QueryTooExpensive:
                return 0.0
            if count := int(result.rows[0][0]):
                return count / secs
        return 0.0
