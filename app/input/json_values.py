"""The values of a JSON file: an array of events, or objects that stretch over several lines."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from app.input.lines import Line

Document = Literal["", "array", "objects"]

_ARRAY = re.compile(rb'\[\s*(?:\{\s*(?:"|\}|$)|\]\s*$)|\[\s*\n\s*(?:"|$)')
_OBJECT = re.compile(rb'\{\s*(?:"|\}|$)')
# An object whose first line ends within it, and whose next line is none that begins an event.
_OPEN_OBJECT = re.compile(rb'\{(?:[ \t]*".*[,{\[:])?[ \t]*\r?\n\s*(?:["}\]\[\d.tfn-]|\s\{|$)')
_RECORD_SEPARATOR = b"\x1e"

_BETWEEN = re.compile(rb"[\s,\x1e]*")
_STRUCTURE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\\n]')
_LOOSE_END = {True: re.compile(rb"[,\]\n]"), False: re.compile(rb"\n")}


def document_of(head: bytes) -> Document:
    """Whether a text that begins like this is to be split into JSON values, and not into lines.

    JSON with an object per line is split into lines, which may be mixed with other text.
    """
    text = head.lstrip()
    if text.startswith(_RECORD_SEPARATOR):
        return "objects"
    if text.startswith(b"["):
        return "array" if _ARRAY.match(text) else ""
    if not _OBJECT.match(text):
        return ""
    line = text.partition(b"\n")[0]
    return "objects" if (_OPEN_OBJECT.match(text) and not _is_json(line)) or _is_followed_by_another(line) else ""


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_followed_by_another(line: bytes) -> bool:
    """Whether a line holds several objects, as files of some cloud services do."""
    text = line.decode(errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip().startswith("{")


def json_values(chunks: Iterable[bytes], document: Document, max_bytes: int) -> Iterator[Line | None]:
    """Every object, and every element of the arrays that a document of arrays holds, with its bytes untouched.

    Text between them is split into lines. Empty chunks become None, as by `lines_of`.
    """
    scanner = _Scanner(document == "array", max_bytes)
    for chunk in chunks:
        if not chunk:
            yield None
        else:
            yield from scanner.feed(chunk)
    yield from scanner.finish()


class _Scanner:
    """Finds where values begin and end. Holds one value, if it is not longer than a record may be."""

    def __init__(self, has_arrays: bool, max_bytes: int) -> None:
        self._has_arrays = has_arrays
        self._max_bytes = max_bytes
        self._is_in_array = False
        self._depth = 0
        self._is_in_string = False
        self._is_escaped = False
        self._is_loose = False
        self._held = bytearray()
        self._size_bytes = 0  # of the value
        self._passed_bytes = 0  # between the values
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        at = 0
        while at < len(chunk):
            if self._is_in_string:
                end = self._string(chunk, at)
            elif self._depth:
                end = self._structure(chunk, at)
            elif self._is_loose:
                end = self._loose(chunk, at)
            else:
                at = self._between(chunk, at)
                continue
            self._hold(chunk[at:end])
            at = end
            if self._has_ended():
                yield self._value()

    def finish(self) -> Iterator[Line]:
        if self._size_bytes:
            yield self._value("" if self._is_loose else "JSON values without an end")

    def _has_ended(self) -> bool:
        return not (self._depth or self._is_in_string or self._is_loose)

    def _hold(self, piece: bytes) -> None:
        self._size_bytes += len(piece)
        if self._size_bytes <= self._max_bytes:
            self._held += piece
        else:
            self._held.clear()

    def _value(self, note: str = "") -> Line:
        self._number += 1
        value = bytes(self._held).rstrip() if self._size_bytes <= self._max_bytes else None
        line = Line(self._number, value, self._size_bytes + self._passed_bytes, note=note)
        self._held.clear()
        self._size_bytes = self._passed_bytes = 0
        return line

    def _between(self, chunk: bytes, at: int) -> int:
        """Pass over what separates values; note what begins."""
        found = _BETWEEN.match(chunk, at)
        begin = found.end() if found else at
        self._passed_bytes += begin - at
        first = chunk[begin : begin + 1]
        is_bracket = (first == b"[" and self._has_arrays and not self._is_in_array) or (
            first == b"]" and self._is_in_array
        )
        if is_bracket:
            self._is_in_array = not self._is_in_array
            self._passed_bytes += 1
            return begin + 1
        is_value = first == b"{" or (self._is_in_array and first in (b'"', b"["))
        if is_value:
            begin = self._begin(chunk, begin)
        elif first:
            self._is_loose = True
        return begin

    def _begin(self, chunk: bytes, at: int) -> int:
        self._is_in_string = chunk[at : at + 1] == b'"'
        self._depth = 0 if self._is_in_string else 1
        self._hold(chunk[at : at + 1])
        return at + 1

    def _string(self, chunk: bytes, at: int) -> int:
        """To the end of the string. A line end ends it too: JSON has none in strings, so a quote is missing."""
        if self._is_escaped:
            self._is_escaped = False
            return at + 1
        found = _IN_STRING.search(chunk, at)
        if not found:
            return len(chunk)
        self._is_escaped = found[0] == b"\\"
        self._is_in_string = self._is_escaped
        return found.end()

    def _structure(self, chunk: bytes, at: int) -> int:
        """To the next string, or to where the depth is zero again."""
        for found in _STRUCTURE.finditer(chunk, at):
            if found[0] == b'"':
                self._is_in_string = True
                return found.end()
            self._depth += 1 if found[0] in b"{[" else -1
            if not self._depth:
                return found.end()
        return len(chunk)

    def _loose(self, chunk: bytes, at: int) -> int:
        """To the end of a number or word in an array, or of a line of text."""
        found = _LOOSE_END[self._is_in_array].search(chunk, at)
        if not found:
            return len(chunk)
        self._is_loose = False
        return found.start()
