"""How many logs there are in a second, guessed from those before the end of a range."""

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
_TIMEOUT_SECS: Final = 0.5  # a guess is worth no more
_SHARE_OF_OTHERS: Final = 1 / 16  # a window too long costs little: of each service some hundred rows are read anyway


class _Look(NamedTuple):
    """So far back, in steps of a rollup."""

    rollup: Rollup
    secs: int


# What is rare or has stopped is not there in the last minutes.
_LOOKS: Final = (_Look(_MINUTES, 600), _Look(_HOURS, 86_400))


class Density:
    """Asks for counts of minutes and hours, which are cheap, and remembers what it was told. Shared by threads."""

    def __init__(self, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, str], tuple[float, float]] = OrderedDict()

    def rows_per_sec(self, table: LogTable, span: TimeRange, condition: Condition) -> float:
        """Matching logs per second at the end of a range; 0 where there are none, or where that is unknown.

        Where minutes are not counted by what the condition asks for (service and level they are), it is a share of all
        that the table shows; and where they are not counted by its scope either, nobody knows.
        """
        if condition.columns <= _MINUTES.columns:
            return self._counted(table, span, condition)
        all_shown = table.condition(Everything())
        if all_shown.columns <= _MINUTES.columns:
            return self._counted(table, span, all_shown) * _SHARE_OF_OTHERS
        return 0.0

    def _counted(self, table: LogTable, span: TimeRange, counted: Condition) -> float:
        # A range may go on into the future, where nothing is yet.
        end_secs = min(span.end_ns, self._now_ns()) // SECOND_NS
        place = (end_secs // _LOOKS[0].secs, repr((table.scope, counted.sql, counted.parameters)))
        with self._lock:
            found_at, known = self._known.get(place, (float("-inf"), 0.0))
        if self._clock() - found_at < _FRESH_SECS:
            return known
        found = self._ask(table, end_secs, counted)
        with self._lock:
            self._known[place] = (self._clock(), found)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _ask(self, table: LogTable, end_secs: int, counted: Condition) -> float:
        for rollup, secs in _LOOKS:
            span = TimeRange((end_secs - secs) * SECOND_NS, end_secs * SECOND_NS)
            select = Select("count()", [rollup.condition(span), counted.sql], parameters=counted.parameters)
            try:
                answer = table.ask(select, timeout_secs=_TIMEOUT_SECS)
            except QueryTooExpensive:
                return 0.0
            if count := int(answer.rows[0][0]):
                return count / secs
        return 0.0
