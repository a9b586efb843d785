"""Looks at something every so often while something else is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.errors import BenchError


@contextmanager
def looking(look: Callable[[], None], every_secs: float) -> Iterator[None]:
    """Call `look` at once, and then on a thread of its own as long as the block lasts."""
    should_stop = threading.Event()

    def go_on() -> None:
        while not should_stop.wait(every_secs):
            try:
                look()
            except (BenchError, OSError):  # a process has ended; whoever waits for its work finds out why
                return

    look()
    thread = threading.Thread(target=go_on, name="looking", daemon=True)
    thread.start()
    try:
        yield
    finally:
        should_stop.set()
        thread.join()
