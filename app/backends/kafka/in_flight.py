"""Bounds what a publisher holds in memory."""

import threading


class InFlight:
    """Bytes that were handed over and are not settled. Whoever brings more than there is room for waits."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._changed = threading.Condition()

    def enter(self, size: int, timeout_secs: float) -> bool:
        """Take room; False if there was none in time. A record larger than all room is let in alone."""
        with self._changed:
            has_room = self._fits(size) or self._changed.wait_for(lambda: self._fits(size), timeout_secs)
            if has_room:
                self._bytes += size
            return has_room

    def leave(self, size: int) -> None:
        """Give room back."""
        with self._changed:
            self._bytes -= size
            if self._bytes * 2 <= self._max_bytes:  # waking for every record would cost more than sending it
                self._changed.notify_all()

    def wait_until_empty(self, timeout_secs: float) -> bool:
        """Whether everything was settled in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._bytes == 0, timeout_secs)

    def _fits(self, size: int) -> bool:
        return self._bytes == 0 or self._bytes + size <= self._max_bytes
