"""Splunk's HTTP event collector (HEC): events as JSON objects behind each other, or lines of text; acknowledgements.

Source: docs.splunk.com, "Format events for HTTP Event Collector", "HTTP Event Collector REST API endpoints" and "About
HTTP Event Collector Indexer Acknowledgment".
"""

import json
import re
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from app.formats.json_text import parsed_leniently
from app.receive import json_logs
from app.receive.charset import utf8_of
from app.receive.received import LINES, MAX_EVENTS, Piece, Posted, Problem, Received, TooManyEvents, Unreadable

CHANNEL_HEADER: Final = "X-Splunk-Request-Channel"
NO_DATA: Final = "No data"
INVALID: Final = "Invalid data format"
NO_CHANNEL: Final = "Data channel is missing"
INVALID_CHANNEL: Final = "Invalid data channel"
NO_EVENT: Final = "Event field is required"
BLANK_EVENT: Final = "Event field cannot be blank"

_METADATA: Final = ("time", "host", "source", "sourcetype", "index")
_MARKS: Final = ("sourcetype", "index")
"""An event without either gets the last one, empty, by which the consumer knows what it is; see its carrier."""
_BETWEEN: Final = re.compile(rb"[\s,\[\]\x1e]*")
_UP_TO_BRACE: Final = re.compile(rb'(?:[^"{}]++|"(?:[^"\\]++|\\.)*+")*+([{}])', re.DOTALL)
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BREAKS: Final = re.compile(rb"[\r\n]\s*")
_MOST_DEPTH: Final = 10_000
_MISSING: Final = msgspec.Raw(b"")
_LENIENT_BYTES: Final = 256 * 1024
"""Up to this size the slow parser is tried: its values take many times the memory of the text."""
_MOST_CHANNEL_CHARS: Final = 128
_CHECK_BITS: Final = 16
_EXACT_NUMBER: Final = re.compile(rb"\d+\.\d{7,}", re.ASCII)
_ID_BITS: Final = 53  # JavaScript's integers are exact up to here


class _Event(msgspec.Struct):
    """The keys of an event that matter here, as they are written; empty if they are missing."""

    event: msgspec.Raw = _MISSING
    time: msgspec.Raw = _MISSING
    host: msgspec.Raw = _MISSING
    source: msgspec.Raw = _MISSING
    sourcetype: msgspec.Raw = _MISSING
    index: msgspec.Raw = _MISSING

    def has(self, name: str) -> bool:
        """Whether there is a value, and not null."""
        return bytes(getattr(self, name)) not in (b"", b"null")


_decoded: Final = msgspec.json.Decoder(_Event).decode


def read_events(posted: Posted) -> Received:
    """The events of a body of JSON objects, with or without anything between them, or in an array.

    As with Splunk, the first invalid event ends the reading: those before it are taken, it and all others are not.

    Raises:
        Unreadable: the body is empty, or the channel is invalid.
        TooManyEvents: there are too many.
    """
    said = _said(posted)
    defaults = _defaults(posted.parameters)
    pieces: list[Piece] = []
    for number, written in enumerate(_objects(utf8_of(posted))):
        event = _read(written)
        if event is None or (reason := _problem(event)):
            return Received(LINES, pieces, [Problem(number, reason if event else INVALID)], said)
        if number == MAX_EVENTS:
            raise TooManyEvents
        pieces.append(Piece(number, _line(event, written, defaults)))
    if not pieces:
        raise Unreadable(NO_DATA)
    return Received(LINES, pieces, (), said)


def read_raw(posted: Posted) -> Received:
    """The lines of a body of text, each an event with the metadata of the URL; those of a stack trace are one.

    Raises:
        Unreadable: the body is empty, or the channel is invalid.
        TooManyEvents: there are too many.
    """
    said = _said(posted)
    if not posted.body.strip():
        raise Unreadable(NO_DATA)
    lines = json_logs.read(replace(posted, media_type=json_logs.PLAIN))
    defaults = _defaults(posted.parameters)
    if not defaults:
        return replace(lines, said=said)
    event = _enveloped(defaults)
    return Received(LINES, [Piece(piece.event, event(piece.value)) for piece in lines.pieces], (), said)


def channel_of(posted: Posted) -> str:
    """The channel of a request, "" if it names none.

    Raises:
        Unreadable: it cannot be one. Splunk's are GUIDs; any other name does as well here.
    """
    given = posted.headers.get(CHANNEL_HEADER) or posted.parameters.get("channel", "")
    if len(given) > _MOST_CHANNEL_CHARS or not given.isprintable():
        raise Unreadable(INVALID_CHANNEL)
    return given.strip()


def new_ack_id(channel: str) -> int:
    """An id for a request whose events Kafka has.

    Nothing has to be remembered of it, by this instance or another: who has it was told that all is stored. Its last
    bits are a checksum, so that ids that another server gave, such as the Splunk of before, are not taken for ours.
    """
    number = secrets.randbits(_ID_BITS - _CHECK_BITS)
    return number << _CHECK_BITS | _checksum(channel, number)


def read_acks(posted: Posted) -> Mapping[str, bool]:
    """For each id that the body asks about, whether its events are stored.

    Raises:
        Unreadable: it names no channel, or is not {"acks": [...]}.
    """
    channel = channel_of(posted)
    if not channel:
        raise Unreadable(NO_CHANNEL)
    try:
        asked = _asked(posted.body).acks
    except (ValueError, RecursionError) as error:
        raise Unreadable(INVALID) from error
    check = (1 << _CHECK_BITS) - 1
    return {str(ack): ack & check == _checksum(channel, ack >> _CHECK_BITS) for ack in asked}


class _Acks(msgspec.Struct):
    acks: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]]


_asked: Final = msgspec.json.Decoder(_Acks).decode


def _checksum(channel: str, number: int) -> int:
    return zlib.crc32(f"{channel.lower()} {number}".encode()) & ((1 << _CHECK_BITS) - 1)


def _said(posted: Posted) -> Mapping[str, str]:
    channel = channel_of(posted)
    return {"channel": channel} if channel else {}


def _defaults(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The metadata of events that have none of their own."""
    return {name: parameters[name] for name in _METADATA if parameters.get(name)}


def _objects(body: bytes) -> Iterator[bytes]:
    """The objects of a body as they are written; what is behind the last one, if it is none."""
    at = _end(_BETWEEN, body, 0)
    while at < len(body):
        end = _end_of_object(body, at)
        yield body[at:end]
        at = _end(_BETWEEN, body, end)


def _end_of_object(body: bytes, at: int) -> int:
    """Where the object that begins here ends; the end of the body if none does. What is between is not looked at."""
    depth = 0
    if body[at : at + 1] == b"{":
        while found := _UP_TO_BRACE.match(body, at):
            at = found.end()
            depth += 1 if found[1] == b"{" else -1
            if not depth:
                return at
            if depth > _MOST_DEPTH:  # no parser goes there
                break
    return len(body)


def _end(pattern: re.Pattern[bytes], body: bytes, at: int) -> int:
    found = pattern.match(body, at)
    return found.end() if found else at


def _read(written: bytes) -> _Event | None:
    """The event of an object; None if it is not valid JSON, even leniently."""
    try:
        return _decoded(written)
    except (ValueError, RecursionError):
        if written[:1] != b"{" or len(written) > _LENIENT_BYTES:
            return None
    try:
        parsed = parsed_leniently(written)[0]
    except ValueError:
        return None
    known = {name: parsed[name] for name in _Event.__struct_fields__ if parsed.get(name) is not None}
    return _Event(**{name: msgspec.Raw(json.dumps(value).encode()) for name, value in known.items()})


def _problem(event: _Event) -> str:
    if not event.has("event"):
        return NO_EVENT
    value = bytes(event.event)
    if value[:1] != b'"':
        return ""
    try:
        text = json.loads(value.decode(errors="replace"), strict=False)
    except ValueError:
        return INVALID
    return "" if text.strip() else BLANK_EVENT


def _line(event: _Event, written: bytes, defaults: Mapping[str, str]) -> bytes:
    """An event as it was written, on one line, and what it lacks at its end."""
    more = [(name, value) for name, value in defaults.items() if not event.has(name)]
    if not any(name in defaults or event.has(name) for name in _MARKS):
        more.append((_MARKS[-1], ""))
    time = bytes(event.time)
    if _EXACT_NUMBER.fullmatch(time):
        more.append(("time", time.decode()))  # of two the last counts: as a text, which stays exact
    if b"\n" in written or b"\r" in written:
        written = _BREAKS.sub(b" ", _STRINGS.sub(_with_breaks_escaped, written))
    return b"%b,%b" % (written[:-1], json.dumps(dict(more))[1:].encode()) if more else written


def _with_breaks_escaped(text: re.Match[bytes]) -> bytes:
    return text[0].replace(b"\n", b"\\n").replace(b"\r", b"\\r")


def _enveloped(defaults: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """Makes an event of a line. Bytes that are not UTF-8 stay what they are; the consumer flags them."""
    marks: Sequence[str] = [] if any(name in defaults for name in _MARKS) else [_MARKS[-1]]
    opening = json.dumps({**defaults, **dict.fromkeys(marks, "")})[:-1].encode() + b', "event": '

    def event(line: bytes) -> bytes:
        text = json.dumps(line.decode(errors="surrogateescape"), ensure_ascii=False)
        return b"%b%b}" % (opening, text.encode(errors="surrogateescape"))

    return event
