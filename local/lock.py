"""The lock of a stack's directory: who holds it may use the data."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TextIO


def lock(directory: Path) -> TextIO | None:
    """The open lock file, held until it is closed or the process ends; None if another process holds it."""
    file = (directory / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
