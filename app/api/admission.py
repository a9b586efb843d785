"""Lets so many questions in at a time; others wait for a moment and are then sent away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TooBusy(Exception):
    """There is no room, and there was none within the time to wait: ask again in so many seconds."""

    def __init__(self, retry_after_secs: int) -> None:
        super().__init__(f"Too many questions at the same time; ask again in {retry_after_secs} s.")
        self.retry_after_secs = retry_after_secs


class Admission:
    """A number of places, and a queue that is no longer than the places are. Shared by threads."""

    def __init__(self, places: int, *, wait_secs: float) -> None:
        self._free = places
        self._waiting = 0
        self._most_waiting = places
        self._wait_secs = wait_secs
        self._changed = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            TooBusy: there is none.
        """
        self._take()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _take(self) -> None:
        with self._changed:
            # A longer queue would only let everybody wait in vain.
            if not self._free and (self._waiting >= self._most_waiting or not self._wait()):
                raise TooBusy(retry_after_secs=max(1, round(self._wait_secs)))
            self._free -= 1

    def _wait(self) -> bool:
        self._waiting += 1
        try:
            return self._changed.wait_for(lambda: self._free > 0, self._wait_secs)
        finally:
            self._waiting -= 1
