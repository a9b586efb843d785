"""Bounds the memory of a publisher."""

import threading


class InFlight:
    """Bytes in flight: sent and not yet acknowledged or failed. Callers beyond the limit wait (backpressure)."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._changed = threading.Condition()

    def enter(self, size: int, timeout_secs: float) -> bool:
        """Reserve bytes; False if none became free in time. A record larger than the limit may enter alone."""
        with self._changed:
            has_room = self._fits(size) or self._changed.wait_for(lambda: self._fits(size), timeout_secs)
            if has_room:
                self._bytes += size
            return has_room

    def leave(self, size: int) -> None:
        """Release bytes."""
        with self._changed:
            self._bytes -= size
            if self._bytes * 2 <= self._max_bytes:  # waking for every record would cost more than sending it
                self._changed.notify_all()

    def wait_until_empty(self, timeout_secs: float) -> bool:
        """Wait until nothing is in flight; returns whether that happened in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._bytes == 0, timeout_secs)

    def _fits(self, size: int) -> bool:
        return self._bytes == 0 or self._bytes + size <= self._max_bytes
