"""Follows the log file of a child process and shows its lines on our own console."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


class LogFollower:
    """Reads lines that are added to a file from now on, and passes them on with a prefix."""

    def __init__(self, path: Path, prefix: str, show: Callable[[str], None]) -> None:
        self._path = path
        self._prefix = prefix
        self._show = show
        self._position = path.stat().st_size if path.exists() else 0
        self._begun = b""

    def poll(self) -> None:
        """Show complete lines that were added since the last call; an incomplete one is kept for the next call."""
        if not self._path.exists():
            return
        if self._path.stat().st_size < self._position:  # the file was truncated
            self._position, self._begun = 0, b""
        with self._path.open("rb") as log:
            log.seek(self._position)
            added = log.read()
        self._position += len(added)
        *lines, self._begun = (self._begun + added).split(b"\n")
        for line in lines:
            self._show(f"{self._prefix} | {line.decode(errors='replace')}")
