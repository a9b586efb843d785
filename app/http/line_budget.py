"""How many lines refused requests may write: whoever sends them must not fill a disk, nor hide those of others."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

MOST: Final = 200
MOST_PER_ADDRESS: Final = 20
_WINDOW_SECS: Final = 60.0


class LineBudget:
    """Grants lines, so many a minute, and counts those that it does not. Shared by threads; its memory is bounded.

    `clock` returns seconds.
    """

    def __init__(
        self, clock: Callable[[], float], *, most: int = MOST, most_per_address: int = MOST_PER_ADDRESS
    ) -> None:
        self._clock = clock
        self._most = most
        self._most_per_address = most_per_address
        self._lock = threading.Lock()
        self._began_at = clock()
        self._granted: Counter[str] = Counter()
        self._left_out = 0
        self._left_out_before = 0

    def grants(self, address: str) -> bool:
        """Whether a request from this address may write a line."""
        with self._lock:
            self._begin_window_if_due()
            if self._granted.total() < self._most and self._granted[address] < self._most_per_address:
                self._granted[address] += 1
                return True
            self._left_out += 1
            return False

    def left_out(self) -> int:
        """How many lines were not granted in the minutes that have ended; each counts once."""
        with self._lock:
            self._begin_window_if_due()
            count, self._left_out_before = self._left_out_before, 0
            return count

    def _begin_window_if_due(self) -> None:
        if self._clock() - self._began_at < _WINDOW_SECS:
            return
        self._began_at = self._clock()
        self._granted.clear()
        self._left_out_before += self._left_out
        self._left_out = 0
