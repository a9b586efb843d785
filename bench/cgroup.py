"""A memory cgroup for the processes that the bench measures, where one can be made (Linux, mostly as root)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_REMOVALS, _REMOVE_AGAIN_SECS = 20, 0.1


@dataclass(frozen=True, slots=True)
class _Kind:
    """A version of cgroups: where they are made, and the files of their limit and of the most that was used."""

    parent: Path
    controller: str
    """As /proc/self/cgroup names it."""
    limit: str
    peak: str


_KINDS: Final = (
    _Kind(_ROOT / "memory", "memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),  # version 1
    _Kind(_ROOT, "", "memory.max", "memory.peak"),  # version 2
)


class MemoryCgroup:
    """A cgroup with a limit. A process that needs more is ended by the kernel."""

    def __init__(self, kind: _Kind, path: Path) -> None:
        self._kind = kind
        self._path = path

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What is started inside belongs to it, with all its memory."""
        before = self._kind.parent / _own(self._kind).lstrip("/")
        _move(self._path)
        try:
            yield
        finally:
            _move(before)

    @property
    def peak_mb(self) -> float:
        """The most that was used, files in memory included, in 10^6 bytes."""
        return int((self._path / self._kind.peak).read_text()) / 1e6


@contextmanager
def memory_cgroup(limit_bytes: int) -> Iterator[MemoryCgroup | None]:
    """A cgroup, which is removed afterwards; None where none can be made."""
    made = next(filter(None, (_made(kind, limit_bytes) for kind in _KINDS)), None)
    if made is None:
        yield None
        return
    kind, path = made
    try:
        yield MemoryCgroup(kind, path)
    finally:
        _remove(path)


def _made(kind: _Kind, limit_bytes: int) -> tuple[_Kind, Path] | None:
    path = kind.parent / f"bench-{os.getpid()}"
    try:
        path.mkdir()
    except OSError:
        return None
    try:
        (path / kind.limit).write_text(str(limit_bytes))
    except OSError:
        path.rmdir()
        return None
    return kind, path


def _remove(path: Path) -> None:
    """Remove an empty cgroup; the kernel may need a moment after its last process has ended."""
    for _ in range(_REMOVALS):
        with suppress(OSError):
            path.rmdir()
            return
        time.sleep(_REMOVE_AGAIN_SECS)


def _own(kind: _Kind) -> str:
    """The cgroup that this process is in."""
    lines = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    return next(path for _, controllers, path in lines if controllers == kind.controller)


def _move(path: Path) -> None:
    (path / "cgroup.procs").write_text(str(os.getpid()))
