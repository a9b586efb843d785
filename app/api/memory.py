"""Bounds the memory that the bodies of requests take while they are decompressed, read and sent on."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.api.admission import TooBusy

_RETRY_SECS: Final = 5
_TIMES: Final = 8  # what the events of a body take in all, at most, by the bytes of the body: measured


class Claim:
    """The bytes of memory that one body may take; it can be made smaller."""

    def __init__(self, memory: "BodyMemory", size: int) -> None:
        self._memory = memory
        self.size = size

    def shrink_to(self, body_bytes: int) -> None:
        """The body has no more than so many bytes after all."""
        self._memory.give_back(self.size - min(self.size, body_bytes * _TIMES))
        self.size = min(self.size, body_bytes * _TIMES)


class BodyMemory:
    """So many bytes for all bodies. Who needs more than is free waits, in the order of coming. Shared by threads."""

    def __init__(self, total_bytes: int, *, wait_secs: float) -> None:
        self._total_bytes = total_bytes
        self._wait_secs = wait_secs
        self._used_bytes = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many bodies wait for memory."""
        with self._changed:
            return len(self._waiting)

    @contextmanager
    def claim(self, body_bytes: int) -> Iterator[Claim]:
        """Claim memory for a body of at most so many bytes. One that is too large for all of it may have it alone.

        Raises:
            TooBusy: not enough became free in time.
        """
        claim = Claim(self, min(body_bytes * _TIMES, self._total_bytes))
        self._take(claim.size)
        try:
            yield claim
        finally:
            self.give_back(claim.size)

    def give_back(self, size: int) -> None:
        """So many bytes are free again."""
        with self._changed:
            self._used_bytes -= size
            self._changed.notify_all()

    def _take(self, size: int) -> None:
        turn = object()

        def is_free() -> bool:
            return self._waiting[0] is turn and self._used_bytes + size <= self._total_bytes

        with self._changed:
            self._waiting.append(turn)
            try:
                if not self._changed.wait_for(is_free, self._wait_secs):
                    raise TooBusy(_RETRY_SECS)
                self._used_bytes += size
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()  # the next one may find enough
