"""The signals that request a program to end."""

import os
import select
import signal
import time
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """SIGTERM and SIGINT, from now until the process ends. Make it on the main thread.

    The kernel hands a signal to any thread of the process, as to one that starts another thread just then. Python runs
    handlers on the main thread alone, and does not interrupt a lock that this thread waits for: a handler that sets
    the event that the main thread waits for may never run. The pipe is written to at once, on whichever thread
    (`signal.set_wakeup_fd`).
    """

    def __init__(self) -> None:
        self._pipe, into = os.pipe()
        os.set_blocking(into, False)
        signal.set_wakeup_fd(into, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda _number, _frame: None)

    def wait(self, timeout_secs: float | None = None) -> bool:
        """Wait for one; also one that came before. Returns whether there was one within `timeout_secs`."""
        deadline = None if timeout_secs is None else time.monotonic() + timeout_secs
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._pipe], [], [], left)[0]:
                return False
            if any(number in _SIGNALS for number in os.read(self._pipe, 64)):
                return True
