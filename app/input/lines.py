"""Lines of the input."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_RETURN_WITHIN: Final = re.compile(rb"\r[^\r]")  # at the end of a chunk it may be half of a line end


class Line(NamedTuple):
    """What becomes one record: a line of the input, or several that belong together, or a value of a JSON file."""

    number: int
    """That of its first line, or of the JSON value."""
    value: bytes | None
    """Without the line end. None if it is longer than a record may be."""
    size_bytes: int
    """What it takes in the input, with line ends."""
    lines: int = 1
    note: str = ""
    """Something that the summary should mention, said in the plural."""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to send."""
        return self.value is not None and (not self.value or self.value.isspace())


def lines_of(chunks: Iterable[bytes], max_bytes: int) -> Iterator[Line | None]:
    r"""The lines of a text, without their `\n` or `\r\n`, in bounded memory and as soon as each is complete.

    An empty chunk says that nothing has come for a while; so does None among the lines.
    """
    number, unfinished = 0, _Unfinished(max_bytes)
    for chunk in chunks:
        if not chunk:
            yield None
            continue
        first, *others = chunk.split(b"\n")
        unfinished.add(first)
        for piece in others:
            number += 1
            yield unfinished.line(number, b"\n")
            unfinished.add(piece)
    if unfinished.size_bytes:
        yield unfinished.line(number + 1, b"")


def with_line_feeds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text; one whose lines end in carriage returns alone, as old Macs wrote them, with line feeds instead."""
    is_old = None
    for chunk in chunks:
        if is_old is None and chunk:
            is_old = b"\n" not in chunk and _RETURN_WITHIN.search(chunk) is not None
        yield chunk.replace(b"\r", b"\n") if is_old else chunk


class _Unfinished:
    """The line whose end has not come yet."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = bytearray()
        self.size_bytes = 0

    def add(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        if self.size_bytes <= self._max_bytes + 1:  # a carriage return may be part of the end
            self._held += piece
        else:
            self._held.clear()

    def line(self, number: int, end: bytes) -> Line:
        """The line that has ended here; the next one begins."""
        value = bytes(self._held).removesuffix(b"\r") if end else bytes(self._held)
        is_whole = len(self._held) == self.size_bytes and len(value) <= self._max_bytes
        line = Line(number, value if is_whole else None, self.size_bytes + len(end))
        self._held.clear()
        self.size_bytes = 0
        return line
