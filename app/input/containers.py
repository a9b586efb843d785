"""Lines that a container runtime, or Compose, has put something around."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from app.input.lines import Line

_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\S{9,40} (?:stdout|stderr) )([PF])((?::\S*)?)(?: |$)(.*)", re.DOTALL)
_COMPOSE = re.compile(rb"([A-Za-z][\w.-]*[-_]\d+ +\| )(.*)", re.DOTALL)
_PREFIX_BYTES = 128
_DOCKER_BEGIN = b'{"log":"'
_STREAMS = ("stdout", "stderr")
_DOCKER_PIECE_BYTES = 16 * 1024
"""Docker cuts longer lines into pieces of this size; only the last one ends with a line end."""


class Carried(Struct, frozen=True):
    """What a program has written, and who wrote it."""

    stream: bytes
    """Lines of different streams may stand in any order."""
    text: bytes
    is_piece: bool
    """The rest of the line follows."""
    around: Callable[[bytes], bytes]
    """The same line with another text."""


def carried(line: bytes) -> Carried | None:
    """What a line carries, if it comes from containerd or CRI-O, from Docker's json-file, or from Compose."""
    if line.startswith(_DOCKER_BEGIN):
        return _docker(line)
    if line[10:11] == b"T" and (found := _CRI.match(line)):
        head, tag, more, text = found.groups()
        return Carried(b"cri " + head[-7:], text, tag == b"P", lambda text: b"%bF%b %b" % (head, more, text))
    if b" | " in line[:_PREFIX_BYTES] and (found := _COMPOSE.match(line)):
        name, text = found.groups()
        return Carried(b"compose " + name, text, False, lambda text: b"%b%b" % (name, text))
    return None


def _docker(line: bytes) -> Carried | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("log"), str) or entry.get("stream") not in _STREAMS:
        return None
    text = entry["log"].encode(errors="surrogatepass")
    return Carried(
        f"docker {entry['stream']}".encode(),
        text.removesuffix(b"\n"),
        not text.endswith(b"\n") and len(text) >= _DOCKER_PIECE_BYTES,
        lambda text: _docker_line(entry, text + b"\n"),
    )


def _docker_line(entry: dict[str, object], text: bytes) -> bytes:
    changed = entry | {"log": text.decode(errors="surrogatepass")}
    try:
        return json.dumps(changed, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a character
        return json.dumps(changed, separators=(",", ":")).encode()


class _Pieces(Struct):
    """A line that is not complete yet."""

    first: Line
    around: Callable[[bytes], bytes]
    texts: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    lines: int = 0

    def add(self, line: Line, text: bytes) -> None:
        self.texts.append(text)
        self.size_bytes += line.size_bytes
        self.lines += line.lines

    def line(self, note: str = "") -> Line:
        value = self.around(b"".join(self.texts))
        return Line(self.first.number, value, self.size_bytes, self.lines, note)


def whole_lines(lines: Iterable[Line | None], max_bytes: int) -> Iterator[Line | None]:
    """Joins the pieces into which container runtimes cut long lines; all other lines stay as they are.

    A line that would become longer than `max_bytes` is returned in several lines.
    """
    waiting: dict[bytes, _Pieces] = {}
    for line in lines:
        found = carried(line.value) if line and line.value else None
        if line is None or found is None or (not found.is_piece and found.stream not in waiting):
            yield line
            continue
        pieces = waiting.setdefault(found.stream, _Pieces(line, found.around))
        if pieces.texts and pieces.size_bytes + line.size_bytes > max_bytes:
            yield pieces.line("lines of containers were too long for one record: sent in several")
            pieces = waiting[found.stream] = _Pieces(line, found.around)
        pieces.add(line, found.text)
        if not found.is_piece:
            yield waiting.pop(found.stream).line()
    for pieces in waiting.values():
        yield pieces.line()
