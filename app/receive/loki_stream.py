"""Streams of Loki: their labels, and their entries as JSON. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from app.receive.received import MAX_EVENTS, Piece, TooManyEvents, Unreadable

_PIECE_BYTES: Final = 8 * 1024
"""Entries of a stream share its labels up to this size: few of them share the fate of one that is too large."""


class Stream(NamedTuple):
    """Labels, a JSON object, and entries, each a JSON array: nanoseconds as text, the line, structured metadata."""

    labels: bytes
    entries: Iterable[bytes]


def pieces_of(streams: Iterable[Stream]) -> Iterator[Piece]:
    """The events of streams as lines of JSON, a line for some of one stream. What `entries` raises is raised.

    Raises:
        TooManyEvents: there are too many.
    """
    number = 0
    for labels, entries in streams:
        group: list[bytes] = []
        size = 0
        for entry in entries:
            if group and size + len(entry) > _PIECE_BYTES:
                yield _piece(number, labels, group)
                number, group, size = number + len(group), [], 0
            if number + len(group) == MAX_EVENTS:
                raise TooManyEvents
            group.append(entry)
            size += len(entry)
        if group:
            yield _piece(number, labels, group)
            number += len(group)


def _piece(number: int, labels: bytes, entries: list[bytes]) -> Piece:
    value = b'{"streams":[{"stream":%b,"values":[%b]}]}' % (labels, b",".join(entries))
    return Piece(number, value, len(entries))


def entry_of(time_ns: int, line: bytes, metadata: Mapping[str, str]) -> bytes:
    """An entry. Bytes of the line that are not UTF-8 stay as they are: its reader flags them."""
    try:
        text = msgspec.json.encode(line.decode())
    except UnicodeDecodeError:
        written = json.dumps(line.decode(errors="surrogateescape"), ensure_ascii=False)
        text = written.encode(errors="surrogateescape")
    return (
        b'["%d",%b,%b]' % (time_ns, text, msgspec.json.encode(metadata)) if metadata else b'["%d",%b]' % (time_ns, text)
    )


_LABEL: Final = re.compile(
    r"""\s*(?P<name>[a-zA-Z_][\w.:]*)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|`(?P<raw>[^`]*)`)\s*(?:,|(?=\Z))""",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LAST_CHARACTER: Final = 0x10FFFF


def labels_of(text: str) -> bytes:
    """The labels of `{name="value", ...}`, with the escapes of Go, as a JSON object.

    Raises:
        Unreadable: they are none.
    """
    inner = text.strip()
    if inner[:1] == "{" and inner[-1:] == "}":
        inner = inner[1:-1].strip()
    elif inner:
        raise Unreadable(f'labels are written {{name="value"}}, and not {text[:100]!r}')
    labels: dict[str, str] = {}
    position = 0
    while position < len(inner):
        match = _LABEL.match(inner, position)
        if match is None:
            raise Unreadable(f"labels cannot be read from {inner[position : position + 100]!r} on")
        raw = match["raw"]
        labels[match["name"]] = _ESCAPE.sub(_character, match["quoted"]) if raw is None else raw
        position = match.end()
    return msgspec.json.encode(labels)


def _character(escape: re.Match[str]) -> str:
    *numbers, octal, letter = escape.groups()
    if letter is not None:
        return _ESCAPED.get(letter, letter)
    number = int(octal, 8) if octal else int(next(filter(None, numbers)), 16)
    is_character = number <= _LAST_CHARACTER and not 0xD800 <= number < 0xE000
    return chr(number) if is_character else "\ufffd"
