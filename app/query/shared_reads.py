"""Reads of live tails, made once for all that want the same at about the same time."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Lock
from typing import Any, Final, TypeVar

from app.errors import Abandoned

_AT_ONCE: Final = 2  # many tails must not take ClickHouse from ingestion

_Value = TypeVar("_Value")


class SharedReads:
    """Keeps what was read for a moment, and lets whoever wants it meanwhile wait for it. Shared by threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._known: dict[str, tuple[float, Future[Any]]] = {}

    def read(self, key: str, call: Callable[[], _Value], *, fresh_secs: float) -> _Value:
        """What `call` returns, or what a call for the same key has returned that began within `fresh_secs`.

        Nobody may change the value. Errors are for those who wait for the call, and are not kept.

        Raises:
            Exception: what the call raises; Abandoned only if it is the caller's own.
        """
        while True:
            made: Future[_Value] = Future()
            with self._lock:
                self._forget()
                future = self._known.setdefault(key, (self._clock() + fresh_secs, made))[1]
            if future is made:
                return self._make(key, call, made)
            try:
                return future.result()
            except Abandoned:  # that was the client of another
                continue

    def read_alone(self, call: Callable[[], _Value]) -> _Value:
        """What `call` returns now. Nothing of it is kept, but it waits for its turn like the others.

        Raises:
            Exception: what the call raises.
        """
        with self._slots:
            return call()

    def _make(self, key: str, call: Callable[[], _Value], made: "Future[_Value]") -> _Value:
        try:
            with self._slots:
                value = call()
        except BaseException as error:
            with self._lock:
                del self._known[key]
            made.set_exception(error)
            raise
        made.set_result(value)
        return value

    def _forget(self) -> None:
        now = self._clock()
        for key in [key for key, (until, future) in self._known.items() if future.done() and until <= now]:
            del self._known[key]
