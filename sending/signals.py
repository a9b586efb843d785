"""Handles Ctrl-C and SIGTERM."""

import signal
import threading
from types import FrameType


class Signals:
    """Ctrl-C and SIGTERM: the first one stops sending, the second one stops waiting for records in flight."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.received: list[int] = []

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.receive)

    def receive(self, number: int, _frame: FrameType | None = None) -> None:
        self.received.append(number)
        self.stopping.set()
