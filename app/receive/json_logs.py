"""Our own protocol, POST /api/v1/logs: a JSON object, an array of them, JSON lines, or lines of plain text. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from app.formats.json_text import parsed_leniently, texts_of_objects
from app.input.containers import whole_lines
from app.input.continuation import TraceRule
from app.input.lines import Line, lines_of, with_line_feeds
from app.input.multiline import joined
from app.receive.charset import utf8_of
from app.receive.json_text import is_strict_json, on_one_line
from app.receive.received import (
    LINES,
    MAX_EVENTS,
    TEXT,
    Form,
    Piece,
    Posted,
    Problem,
    Received,
    TooManyEvents,
    Unreadable,
)

PLAIN: Final = "text/plain"
NDJSON: Final = ("application/x-ndjson", "application/jsonl", "application/json-lines", "application/stream+json")
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"

_MAX_COMMAS: Final = 4 * MAX_EVENTS
"""Of an array: what it holds takes memory before it is counted, and nobody logs such short values."""
_MAX_LENIENT_BYTES: Final = 1024 * 1024  # what Kafka takes by default; parsing takes up to twenty times as much memory
_ARRAY_OF_OBJECTS: Final = re.compile(rb"\s*\[\s*\{")
_LINE: Final = re.compile(rb"[^\n]+")
_CHUNK_BYTES: Final = 64 * 1024
_NO_JSON: Final = (
    "The body is not JSON. For lines of text send Content-Type: text/plain"
    " (curl --data-binary @FILE -H 'Content-Type: text/plain')."
)

_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read(posted: Posted, *, joins_lines: bool = True) -> Received:
    """The events of a body. Blank lines are none; of plain text those of a stack trace are one, if `joins_lines`.

    Lines that are not JSON, where JSON is meant, are stored as text and reported.

    Raises:
        Unreadable: there is no event, or JSON that is not complete.
        TooManyEvents: there are too many.
    """
    body = utf8_of(posted)
    if not body.strip():
        raise Unreadable("The body is empty: send a JSON object, an array of objects, or lines.")
    if posted.media_type == PLAIN:
        return _of_text(body, joins_lines)
    if posted.media_type not in NDJSON:
        if body.lstrip()[:1] == b"[" and (of_array := _of_array(body)) is not None:
            return Received(LINES, of_array)
        if _is_json(body):
            return Received(LINES, _pieces([_on_one_line(body)], TEXT))
    pieces = _pieces(_lines(body))
    wrong = [piece.event for piece in pieces if not _is_json(piece.value)]
    if wrong and (objects := texts_of_objects(body)):
        return Received(LINES, _pieces(map(_on_one_line, objects), TEXT))
    if len(wrong) == len(pieces) and not posted.media_type:
        return _of_text(body, joins_lines)
    if len(wrong) == len(pieces) and posted.media_type in (JSON, FORM):
        raise Unreadable(_NO_JSON)
    return Received(LINES, pieces, [Problem(event, "not valid JSON: stored as text", is_kept=True) for event in wrong])


def _of_text(body: bytes, joins_lines: bool) -> Received:
    chunks = with_line_feeds(body[at : at + _CHUNK_BYTES] for at in range(0, len(body), _CHUNK_BYTES))
    lines: Iterable[Line | None] = lines_of(chunks, len(body))
    if joins_lines:
        lines = joined(whole_lines(lines, len(body)), TraceRule, len(body))
    texts = (line.value for line in lines if line and line.value and not line.is_blank)
    return Received(LINES, _pieces(texts, TEXT))


def _of_array(body: bytes) -> Sequence[Piece] | None:
    """The elements of an array; None if it is not the only value."""
    if body.count(b",") > _MAX_COMMAS:
        raise TooManyEvents
    try:
        return _pieces((_on_one_line(bytes(item)) for item in _array(body)), TEXT)
    except (ValueError, RecursionError) as error:
        inside = body.strip()[1:-1].strip()
        if items := texts_of_objects(inside) or ([inside] if inside[:1] == b"{" and _is_json(inside) else []):
            return _pieces(map(_on_one_line, items), TEXT)
        if _ARRAY_OF_OBJECTS.match(body):
            raise Unreadable(f"The array is not valid JSON: {error}") from error
    return None


def _is_json(text: bytes) -> bool:
    """Whether the consumer reads it as JSON, if leniently."""
    if is_strict_json(text):
        return True
    if text.lstrip()[:1] not in (b"{", b"[") or len(text) > _MAX_LENIENT_BYTES:
        return False
    try:
        parsed_leniently(text)
    except ValueError:
        return False
    return True


def _on_one_line(text: bytes) -> bytes:
    """JSON that may have been written over several lines. One with line breaks within its texts stays as it is."""
    has_breaks = b"\n" in text or b"\r" in text
    return on_one_line(text) if has_breaks and is_strict_json(text) else text


def _lines(body: bytes) -> Iterator[bytes]:
    return (found[0].rstrip(b"\r") for found in _LINE.finditer(body) if not found[0].isspace())


def _pieces(values: Iterable[bytes], form: Form | None = None) -> Sequence[Piece]:
    """A piece of each event; `form` is that of events with several lines."""
    pieces = []
    for number, value in enumerate(values):
        if number == MAX_EVENTS:
            raise TooManyEvents
        pieces.append(Piece(number, value, form=form if b"\n" in value else None))
    return pieces
