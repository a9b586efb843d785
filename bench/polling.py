"""Calls a function at a fixed interval while something else runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.errors import BenchError


@contextmanager
def polling(poll: Callable[[], None], every_secs: float) -> Iterator[None]:
    """Call `poll` once immediately, then every `every_secs` on its own thread until the block ends."""
    should_stop = threading.Event()

    def repeat() -> None:
        while not should_stop.wait(every_secs):
            try:
                poll()
            except (BenchError, OSError):  # a process has ended; the code that waits for its work reports why
                return

    poll()
    thread = threading.Thread(target=repeat, name="polling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        should_stop.set()
        thread.join()
