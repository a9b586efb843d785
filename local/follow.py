"""Shows what a child writes to its log file on our own console, line by line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


class LogFollower:
    """Reads lines that are added to a file after this was made, and passes them on with a prefix."""

    def __init__(self, path: Path, prefix: str, show: Callable[[str], None]) -> None:
        self._path = path
        self._prefix = prefix
        self._show = show
        self._position = path.stat().st_size if path.exists() else 0
        self._begun = b""

    def poll(self) -> None:
        """Show whole lines that have come since the last call; the begun one waits for its end."""
        if not self._path.exists():
            return
        if self._path.stat().st_size < self._position:  # begun anew
            self._position, self._begun = 0, b""
        with self._path.open("rb") as log:
            log.seek(self._position)
            added = log.read()
        self._position += len(added)
        *lines, self._begun = (self._begun + added).split(b"\n")
        for line in lines:
            self._show(f"{self._prefix} | {line.decode(errors='replace')}")
