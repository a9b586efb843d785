"""Threads that run blocking calls for the event loop."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class Workers:
    """A fixed number of threads. They are daemons, so that a call that hangs does not delay the end of the process."""

    def __init__(self, count: int, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(count)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    async def run(self, call: Callable[[], _Result]) -> _Result:
        """The result of a call in one of the threads; its exceptions are raised here."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Result] = loop.create_future()

        def in_thread() -> None:
            try:
                result = call()
            except BaseException as error:  # raised where the result is awaited
                loop.call_soon_threadsafe(_finish, done, None, error)
            else:
                loop.call_soon_threadsafe(_finish, done, result, None)

        self._calls.put(in_thread)
        return await done

    def submit(self, call: Callable[[], object]) -> None:
        """Make a call some time. Nobody waits for it, so its exceptions are logged."""
        self._calls.put(call)

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            try:
                call()
            except Exception:
                _log.exception("A call for the HTTP server failed")
            del call  # with the body that it may hold, until the next one comes


def _finish(done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if done.done():  # cancelled: the server stops
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
