"""Slots: a limited number of queries and streams run at a time; others wait in a short queue, then get a 429.

A client holds no more than its share of them, so that others find one free. A client is a principal, or an address
where nobody has a name.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, Protocol

from flask import Response
from prometheus_client import Gauge

_STREAM_RETRY_SECS: Final = 10


class TooBusy(Exception):
    """No slot became free in time, or the client has its share of them: retry after `retry_after_secs`."""

    def __init__(self, retry_after_secs: int, *, is_share_used: bool = False) -> None:
        whose = " of this client" if is_share_used else ""
        super().__init__(f"Too many concurrent requests{whose}; retry in {retry_after_secs} s.")
        self.retry_after_secs = retry_after_secs


def slots_of_one(slots: int, max_share: float) -> int:
    """How many of the slots one client may hold."""
    return max(1, math.floor(slots * max_share))


class Slots(Protocol):
    """Limits how many responses are made, or sent, at the same time."""

    def hold(self, client: str, begin: Callable[[], Response]) -> Response:
        """Run `begin` in a slot of this client.

        Raises:
            TooBusy: no slot is free.
        """


class StreamSlots:
    """Slots for streams. If no slot is free, a request is refused at once. Shared by threads."""

    def __init__(self, slots: int, running: Gauge, *, max_share: float = 1.0) -> None:
        self._slots = slots
        self._most = slots_of_one(slots, max_share)
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._running = running

    def hold(self, client: str, begin: Callable[[], Response]) -> Response:
        """Begin a response in a slot of its own. The slot is free again when the response has ended or fails to begin.

        Raises:
            TooBusy: no slot is free.
        """
        self._acquire(client)
        try:
            response = begin()
        except BaseException:
            self._release(client)
            raise
        response.call_on_close(partial(self._release, client))
        return response

    def _acquire(self, client: str) -> None:
        with self._lock:
            is_share_used = self._held[client] >= self._most
            if is_share_used or self._held.total() >= self._slots:
                raise TooBusy(_STREAM_RETRY_SECS, is_share_used=is_share_used)
            self._held[client] += 1
        self._running.inc()

    def _release(self, client: str) -> None:
        self._running.dec()
        with self._lock:
            _decrease(self._held, client)


class Admission:
    """Slots for queries, and a queue as long as there are slots. Shared by threads.

    Of the clients that wait, the one that holds the fewest slots gets the next one.
    """

    def __init__(self, slots: int, *, wait_secs: float, max_share: float = 1.0) -> None:
        self._slots = slots
        self._most = slots_of_one(slots, max_share)
        self._held: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._wait_secs = wait_secs
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        with self._changed:
            return self._waiting.total()

    @contextmanager
    def slot(self, client: str, *, wait_secs: float | None = None) -> Iterator[None]:
        """Hold a slot for a client. With `wait_secs`, wait up to that long, regardless of the length of the queue.

        Raises:
            TooBusy: no slot is free for this client.
        """
        self._acquire(client, wait_secs)
        try:
            yield
        finally:
            with self._changed:
                _decrease(self._held, client)
                self._changed.notify_all()

    def _acquire(self, client: str, wait_secs: float | None) -> None:
        with self._changed:
            # Requests in a longer queue would time out anyway.
            may_wait = wait_secs is not None or self._waiting.total() < self._slots
            secs = self._wait_secs if wait_secs is None else wait_secs
            if not self._may_take(client) and not (may_wait and self._wait(client, secs)):
                is_share_used = self._held[client] >= self._most < self._slots
                raise TooBusy(max(1, round(self._wait_secs)), is_share_used=is_share_used)
            self._held[client] += 1

    def _may_take(self, client: str) -> bool:
        fewest = min((self._held[other] for other in self._waiting), default=self._held[client])
        return self._held.total() < self._slots and self._held[client] < self._most and self._held[client] <= fewest

    def _wait(self, client: str, secs: float) -> bool:
        self._waiting[client] += 1
        try:
            return self._changed.wait_for(lambda: self._may_take(client), secs)
        finally:
            _decrease(self._waiting, client)
            self._changed.notify_all()  # another client may be the next now


class QuerySlots:
    """Slots for responses that do not stream. Each is free again when its response is made."""

    def __init__(self, admission: Admission, running: Gauge) -> None:
        self._admission = admission
        self._running = running

    def hold(self, client: str, begin: Callable[[], Response]) -> Response:
        """Make a response in a slot, after waiting for one if necessary.

        Raises:
            TooBusy: no slot is free.
        """
        with self._admission.slot(client), self._running.track_inprogress():
            return begin()


def _decrease(counts: Counter[str], client: str) -> None:
    """Count one less. Clients without any are forgotten: there are as many as addresses."""
    counts[client] -= 1
    if not counts[client]:
        del counts[client]
