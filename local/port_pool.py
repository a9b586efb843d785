"""A pool of ports from which concurrent processes of this machine never get the same one."""

from __future__ import annotations

import fcntl
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path


class PortPool:
    """A range of ports; no two processes with the same lock file hold the same one.

    A port is held until the process that took it ends, whether a server listens on it or not: between being chosen and
    being used, and while its server is restarted, it looks free. Each port is a locked byte of the file, so the
    operating system releases the ports of a killed process.
    """

    def __init__(self, ports: Sequence[int], lock_file: Path, is_free: Callable[[int], bool]) -> None:
        """`is_free` returns whether a server could listen on a port."""
        self._ports = ports
        self._lock_file = lock_file
        self._is_free = is_free
        self._mutex = threading.Lock()
        self._held: set[int] = set()
        self._locks: int | None = None  # never closed: that would release all of them

    def take(self) -> int:
        """A port that nobody uses or holds; waits until there is one."""
        with self._mutex:
            while True:
                port = random.choice(self._ports)
                if port not in self._held and self._is_free(port) and self._lock(port):
                    self._held.add(port)
                    return port

    def _lock(self, port: int) -> bool:
        """Lock a port; returns false if another process has locked it."""
        if self._locks is None:
            self._locks = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):
            return False
        return True
