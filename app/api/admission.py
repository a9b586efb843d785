"""Slots: a limited number of queries and streams run at a time; others wait in a short queue, then get a 429."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from flask import Response
from prometheus_client import Gauge

_STREAM_RETRY_SECS: Final = 10


class TooBusy(Exception):
    """No slot became free in time: retry after `retry_after_secs`."""

    def __init__(self, retry_after_secs: int) -> None:
        super().__init__(f"Too many concurrent requests; retry in {retry_after_secs} s.")
        self.retry_after_secs = retry_after_secs


class Slots(Protocol):
    """Limits how many responses are made, or sent, at the same time."""

    def hold(self, begin: Callable[[], Response]) -> Response:
        """Run `begin` in a slot.

        Raises:
            TooBusy: no slot is free.
        """


class StreamSlots:
    """Slots for streams, each on a thread of the server. If no slot is free, a request is refused at once."""

    def __init__(self, slots: int, running: Gauge) -> None:
        self._slots = threading.BoundedSemaphore(slots)
        self._running = running

    def hold(self, begin: Callable[[], Response]) -> Response:
        """Begin a response in a slot of its own. The slot is free again when the response has ended or fails to begin.

        Raises:
            TooBusy: no slot is free.
        """
        if not self._slots.acquire(blocking=False):
            raise TooBusy(_STREAM_RETRY_SECS)
        self._running.inc()
        try:
            response = begin()
        except BaseException:
            self._release()
            raise
        response.call_on_close(self._release)
        return response

    def _release(self) -> None:
        self._running.dec()
        self._slots.release()


class Admission:
    """Slots for queries, and a queue as long as there are slots. Shared by threads."""

    def __init__(self, slots: int, *, wait_secs: float) -> None:
        self._free = slots
        self._waiting = 0
        self._most_waiting = slots
        self._wait_secs = wait_secs
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, *, wait_secs: float | None = None) -> Iterator[None]:
        """Hold a slot. With `wait_secs`, wait up to that long, regardless of the length of the queue.

        Raises:
            TooBusy: no slot is free.
        """
        self._acquire(wait_secs)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _acquire(self, wait_secs: float | None) -> None:
        with self._changed:
            # Requests in a longer queue would time out anyway.
            may_wait = wait_secs is not None or self._waiting < self._most_waiting
            if not self._free and not (may_wait and self._wait(self._wait_secs if wait_secs is None else wait_secs)):
                raise TooBusy(retry_after_secs=max(1, round(self._wait_secs)))
            self._free -= 1

    def _wait(self, secs: float) -> bool:
        self._waiting += 1
        try:
            return self._changed.wait_for(lambda: self._free > 0, secs)
        finally:
            self._waiting -= 1


class QuerySlots:
    """Slots for responses that do not stream. Each is free again when its response is made."""

    def __init__(self, admission: Admission, running: Gauge) -> None:
        self._admission = admission
        self._running = running

    def hold(self, begin: Callable[[], Response]) -> Response:
        """Make a response in a slot, after waiting for one if necessary.

        Raises:
            TooBusy: no slot is free.
        """
        with self._admission.slot(), self._running.track_inprogress():
            return begin()
