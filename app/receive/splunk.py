"""Splunk's HTTP event collector (HEC): events as JSON objects behind each other, or lines of text; acknowledgements.

Source: docs.splunk.com, "Format events for HTTP Event Collector", "HTTP Event Collector REST API endpoints" and "About
HTTP Event Collector Indexer Acknowledgment".
"""

import json
import re
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec

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
_BETWEEN: Final = re.compile(r"[\s,\[\]\x1e]*")
_BREAKS: Final = re.compile(r"\s*[\r\n]\s*")
_STRINGS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_MOST_CHANNEL_CHARS: Final = 128
_CHECK_BITS: Final = 16
_ID_BITS: Final = 53  # JavaScript's integers are exact up to here
_MOST_DECIMALS: Final = 6


class _Number(str):
    """A number as it was written: it may have more digits than a float holds."""


_decode: Final = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=str, strict=False).raw_decode


def read_events(posted: Posted) -> Received:
    """The events of a body of JSON objects, with or without anything between them, or in an array.

    As with Splunk, the first invalid event ends the reading: those before it are taken, it and all others are not.

    Raises:
        Unreadable: the body is empty, or the channel is invalid.
        TooManyEvents: there are too many.
    """
    said = _said(posted)
    text = utf8_of(posted).decode(errors="surrogateescape")
    defaults = _defaults(posted.parameters)
    pieces: list[Piece] = []
    for number, (parsed, written) in enumerate(_objects(text)):
        if reason := _problem(parsed):
            return Received(LINES, pieces, [Problem(number, reason)], said)
        if number == MAX_EVENTS:
            raise TooManyEvents
        pieces.append(Piece(number, _line(parsed, written, defaults)))
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


def _objects(text: str) -> Iterator[tuple[Any, str]]:
    """The values of a text with how each is written; None for one that is no JSON, with which it ends."""
    at = _end_of(_BETWEEN, text, 0)
    while at < len(text):
        try:
            parsed, end = _decode(text, at)
        except (ValueError, RecursionError):
            yield None, ""
            return
        yield parsed, text[at:end]
        at = _end_of(_BETWEEN, text, end)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _problem(parsed: object) -> str:
    if not isinstance(parsed, dict):
        return INVALID
    event = parsed.get("event")
    if event is None:
        return NO_EVENT
    return BLANK_EVENT if isinstance(event, str) and not event.strip() else ""


def _line(parsed: Mapping[str, Any], written: str, defaults: Mapping[str, str]) -> bytes:
    """An event as it was written, on one line, and what it lacks at its end."""
    more = [(name, value) for name, value in defaults.items() if parsed.get(name) is None]
    if not any(name in parsed or name in defaults for name in _MARKS):
        more.append((_MARKS[-1], ""))
    time = parsed.get("time")
    if isinstance(time, _Number) and len(time.partition(".")[2]) > _MOST_DECIMALS:
        more.append(("time", str(time)))  # of two the last counts: as a text, which stays exact
    if "\n" in written or "\r" in written:
        written = _BREAKS.sub(" ", _STRINGS.sub(_with_breaks_escaped, written))
    if more:
        written = f"{written[:-1]},{json.dumps(dict(more))[1:]}"
    return written.encode(errors="surrogateescape")


def _with_breaks_escaped(text: re.Match[str]) -> str:
    return text[0].replace("\n", "\\n").replace("\r", "\\r")


def _enveloped(defaults: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """Makes an event of a line. Bytes that are not UTF-8 stay what they are; the consumer flags them."""
    marks: Sequence[str] = [] if any(name in defaults for name in _MARKS) else [_MARKS[-1]]
    opening = json.dumps({**defaults, **dict.fromkeys(marks, "")})[:-1].encode() + b', "event": '

    def event(line: bytes) -> bytes:
        text = json.dumps(line.decode(errors="surrogateescape"), ensure_ascii=False)
        return b"%b%b}" % (opening, text.encode(errors="surrogateescape"))

    return event
