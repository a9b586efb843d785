"""How many logs there are in a second, guessed from the minutes before the end of a range."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from app.errors import AskForLess
from app.ports import LogReader
from app.query.statement import Statement
from app.query.time_range import SECOND_NS, TimeRange

_LOOK_SECS: Final = 600
_FRESH_SECS: Final = 30.0
_REMEMBERED: Final = 256
_TIMEOUT_SECS: Final = 0.5  # a guess is worth no more


class Density:
    """Asks for counts of minutes, which are cheap, and remembers what it was told. Shared by threads."""

    def __init__(
        self, reader: LogReader, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def rows_per_sec(self, span: TimeRange) -> float:
        """The guess for the end of a range; 0 where there are no logs, or nobody knows."""
        # A range may go on into the future, where nothing is yet.
        place = min(span.end_ns, self._now_ns()) // SECOND_NS // _LOOK_SECS
        with self._lock:
            found_at, known = self._known.get(place, (float("-inf"), 0.0))
        if self._clock() - found_at < _FRESH_SECS:
            return known
        found = self._ask(min(span.end_ns, self._now_ns()) // SECOND_NS)
        with self._lock:
            self._known[place] = (self._clock(), found)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _ask(self, end_secs: int) -> float:
        start = "toStartOfMinute(Timestamp)"
        sql = (
            f"SELECT count() FROM {{table}} WHERE {start} >= toDateTime({end_secs - _LOOK_SECS:d}, 'UTC')"
            f" AND {start} < toDateTime({end_secs:d}, 'UTC')"
        )
        try:
            answer = self._reader.ask(Statement(sql), timeout_secs=_TIMEOUT_SECS)
        except AskForLess:
            return 0.0
        return float(answer.rows[0][0]) / _LOOK_SECS
