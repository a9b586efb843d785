"""Handles Ctrl-C and SIGTERM."""

import signal
import threading
from types import FrameType


class Signals:
    """Ctrl-C and SIGTERM end the program at once until it begins to send, as while it waits to open a named pipe.

    Then the first one stops sending, and the second one stops waiting for records in flight.

    Python runs handlers on the main thread alone, also for a signal that the kernel hands to another one, and does not
    interrupt a lock that the main thread waits for: so from `begin` on, that thread never waits without a limit.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.received: list[int] = []
        self._has_begun = False

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.receive)

    def begin(self) -> None:
        """From now on records may be in flight."""
        self._has_begun = True

    def receive(self, number: int, _frame: FrameType | None = None) -> None:
        """Note a signal.

        Raises:
            SystemExit: nothing has been sent.
        """
        if not self._has_begun:
            raise SystemExit(128 + number)
        self.received.append(number)
        self.stopping.set()
