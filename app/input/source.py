"""The bytes of a file, or of standard input while they are being written."""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Iterator
from pathlib import Path

IDLE_SECS = 1.0
"""After as long without input, the last event is taken to be complete."""
HEAD_BYTES = 64 * 1024
"""What an input is, is decided by its first bytes."""
CHUNK_BYTES = 64 * 1024


class UnreadableInput(Exception):
    """The input, or the rest of it, is nothing that can be sent. The text says why."""


class RefusedInput(UnreadableInput):
    """The input is not text; nothing of it is sent."""


class Source:
    """An open file or pipe. `read` and `chunks` begin at its first byte, whether the head has been asked for or not."""

    def __init__(self, descriptor: int, name: str, idle_secs: float = IDLE_SECS) -> None:
        self.name = name
        self.raw_bytes = 0
        self._descriptor = descriptor
        self._idle_secs = idle_secs
        self._head: bytes | None = None
        self._ahead = b""

    @property
    def is_file(self) -> bool:
        """Whether reading never waits, as it may for a pipe."""
        return stat.S_ISREG(os.fstat(self._descriptor).st_mode)

    @property
    def known_bytes(self) -> int:
        """The size of the file; 0 if it is unknown, as for a pipe."""
        return os.fstat(self._descriptor).st_size if self.is_file else 0

    def head(self) -> bytes:
        """The first `HEAD_BYTES`, or what there is a little after the first byte, which is waited for."""
        if self._head is None:
            self._head = self._ahead = self._read_head()
        return self._head

    def read(self, size: int = -1) -> bytes:
        """Up to this many bytes; waits for the first. Empty only at the end."""
        self.head()
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        return self._read(CHUNK_BYTES if size < 0 else size)

    def chunks(self) -> Iterator[bytes]:
        """All bytes. An empty chunk says that nothing has come for a while."""
        while True:
            while not self._ahead and not self._has_more(self._idle_secs):
                yield b""
            if not (piece := self.read(CHUNK_BYTES)):
                return
            yield piece

    def close(self) -> None:
        os.close(self._descriptor)

    def _read(self, size: int) -> bytes:
        piece = os.read(self._descriptor, size)
        self.raw_bytes += len(piece)
        return piece

    def _read_head(self) -> bytes:
        held = piece = self._read(HEAD_BYTES)
        until = time.monotonic() + self._idle_secs
        while piece and len(held) < HEAD_BYTES and self._has_more(until - time.monotonic()):
            piece = self._read(HEAD_BYTES - len(held))
            held += piece
        return held

    def _has_more(self, secs: float) -> bool:
        """Whether something can be read within this time, be it the end."""
        return bool(select.select([self._descriptor], [], [], max(0.0, secs))[0])


def open_source(path: str) -> Source:
    """A file, or standard input if the path is `-`.

    Raises:
        OSError: it cannot be read.
    """
    if path == "-":
        return Source(os.dup(0), "standard input")  # so that closing does not wait for a thread that still reads
    if Path(path).is_dir():
        raise IsADirectoryError(21, "Is a directory", path)
    return Source(os.open(path, os.O_RDONLY), path)
