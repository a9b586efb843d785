"""The events of a value in any form: JSON, a carrier, several of them, or any other text; carriers are opened. Pure."""

import codecs
import string
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from app.domain.event import Event
from app.domain.json_values import as_text
from app.domain.notes import Notes
from app.formats.carriers import otlp_protobuf
from app.formats.carriers.carried import Carried, explained
from app.formats.carriers.merge import adopted, merged
from app.formats.carriers.table import MARKS, opened
from app.formats.carriers.text_table import read_or_open, read_or_open_line
from app.formats.json_access import take_status
from app.formats.json_notes import MADE
from app.formats.json_object import event_of
from app.formats.json_plain import quick_event_of
from app.formats.json_text import MAX_JSON_BYTES, parse_fast, parsed_value, texts_of_objects
from app.formats.reading import Reading, inside_of
from app.formats.room import Room
from app.formats.text_line import TextLine, read_text, with_raw

MAX_DEPTH: Final = 4
"""How many carriers are opened, one within the other."""

_GZIP: Final = b"\x1f\x8b"
_BEFORE: Final = b" \t\r\n\v\f\x1e"  # blanks, and the mark of RFC 7464 in front of a text
_BEHIND: Final = b" \t\r\n\v\f\0"  # blanks, and the zero with which GELF ends one
_REGISTRY_BYTES: Final = 5  # a zero, and the number of a schema
_FRAMES: Final = {b"\0": "schema registry", b"\x1f": "gzip"}


class ValueReader:
    """Reads the values of one record."""

    def __init__(self, reading: Reading, read_object: Callable[[dict[str, Any], int], Event] = quick_event_of) -> None:
        self._reading = reading
        self._event_of = partial(event_of, explains=True) if reading.explains else read_object
        self._room = Room()

    def events(self, value: bytes, depth: int = 0) -> Iterable[Event]:
        """At least one event. What begins like JSON but is invalid is read as text, and flagged. Never fails."""
        if value[:1] == b"{" and len(value) <= MAX_JSON_BYTES:
            with suppress(ValueError, RecursionError):
                parsed = parse_fast(value)
                if MARKS.isdisjoint(parsed):
                    return (self._room.one(self._read_object(parsed)),)
                return self._of_object(parsed, depth)
        return self._of_any(value, depth)

    def _read_object(self, parsed: dict[str, Any]) -> Event:
        """The event of an object that is no carrier."""
        event = self._event_of(parsed, self._reading.depth)
        if self._reading.levels_from_status:
            take_status(event)
        return event

    def _of_any(self, value: bytes, depth: int) -> Iterator[Event]:
        text = value.removeprefix(codecs.BOM_UTF8).lstrip(_BEFORE).rstrip(_BEHIND)
        if may_be_json(text):
            yield from self._of_json(value, text, depth)
        elif value[:1] == b"\n" and (carried := _otlp(value)):
            yield from self._of_otlp(carried, depth)
        elif value[:1] in _FRAMES and (unpacked := _unpacked(value)) is not None:
            yield from self._within(_FRAMES[value[:1]], self._of_parsed(value, unpacked, "", depth))
        else:
            yield from self._of_text(value, depth)

    def _within(self, form: str, events: Iterable[Event]) -> Iterable[Event]:
        """The same events; if the reading explains, with a form around theirs."""
        if not self._reading.explains:
            return events
        return (noted_within(form, event) for event in events)

    def _of_text(self, value: bytes, depth: int) -> Iterator[Event]:
        """The events of a text that is no JSON: a line, or what a carrier of text holds."""
        text = value.decode(errors="replace")
        found = read_or_open(text, self._reading)
        if isinstance(found, Carried):
            yield from self.of_carrier(value, text, found, depth)
        else:
            yield self._room.one(with_raw(found, value, text))

    def of_carrier(self, value: bytes, text: str, carried: Carried, depth: int) -> Iterator[Event]:
        """The events of a text that is a carrier, which was opened."""
        outer, inner = carried
        if not isinstance(inner, str) or not inner.strip() or depth == MAX_DEPTH:
            yield self._room.one(with_raw(outer, value, text))
            return
        for number, event in enumerate(self._inside(outer, inner, depth + 1)):
            yield event if number else with_raw(event, value, text)

    def _inside(self, outer: Event, inner: str, depth: int) -> Iterator[Event]:
        """The events of a text in a carrier, with what the carrier knows."""
        reading = self._reading
        if outer.fields.get("timestamp") is not None:
            self._reading = inside_of(reading)
        for event in self.events(inner.encode(errors="replace"), depth):
            yield event if adopted(outer, event) else merged(outer, event, self._reading.times)
        self._reading = reading

    def lines(self, lines: Sequence[bytes]) -> Iterator[Event]:
        """The events of lines, each a value of its own."""
        events = self._room.each(lines, self.events, lambda rest: self._read_text(b"\n".join(rest)))
        yield from self._within("JSON lines", events)

    def object(self, parsed: dict[str, Any]) -> Iterator[Event]:
        """The events of an object that is parsed already."""
        return self._of_object(parsed, 0)

    def otlp(self, value: bytes) -> Iterator[Event]:
        """The events of OTLP as protobuf."""
        try:
            carried = otlp_protobuf.opened(value)
        except ValueError as error:
            yield self._text(value, f"protobuf: {error}")
            return
        yield from self._of_otlp(carried, 0)

    def _of_otlp(self, carried: Sequence[Carried], depth: int) -> Iterable[Event]:
        if self._reading.explains:
            carried = [explained(part, "OTLP") for part in carried]
        return self._within("protobuf", self._of_carriers(carried, depth))

    def _read_text(self, value: bytes) -> Event:
        return read_text(value, self._reading)

    def _text(self, value: bytes, problem: str = "") -> Event:
        event = self._room.one(self._read_text(value))
        if problem:
            event.problems.append(problem)
        return event

    def _of_json(self, value: bytes, text: bytes, depth: int) -> Iterator[Event]:
        is_object = text[:1] == b"{"
        try:
            parsed, reason = parsed_value(text)
        except ValueError as error:
            lines = (_json_lines(text) or texts_of_objects(text)) if is_object else []
            if lines:
                yield from self.lines(lines)
            else:
                yield self._text(value, f"json: {error}" if is_object else "")
        else:
            yield from self._of_parsed(value, parsed, reason, depth)

    def _of_parsed(self, value: bytes, parsed: Any, reason: str, depth: int) -> Iterator[Event]:
        events: Iterable[Event]
        if isinstance(parsed, str) and parsed.strip() and depth < MAX_DEPTH:
            events = self._within("JSON string", self.events(parsed.encode(), depth + 1))
        elif isinstance(parsed, list) and parsed and all(isinstance(item, dict) for item in parsed):
            each = self._room.each(parsed, lambda item: self._of_object(item, depth + 1), _rest_of)
            events = self._within("array", each)
        elif isinstance(parsed, dict):
            events = self._of_object(parsed, depth)
        else:
            yield self._text(value)
            return
        for number, event in enumerate(events):
            if reason:
                event.problems.append(reason)
                event.raw = b"" if number else value
            yield event

    def _of_object(self, parsed: dict[str, Any], depth: int) -> Iterator[Event]:
        carried = opened(parsed, self._reading) if depth < MAX_DEPTH else None
        if carried is None:
            yield self._room.one(self._read_object(parsed))
        else:
            yield from self._of_carriers(carried, depth)

    def _of_carriers(self, carried: Sequence[Carried], depth: int) -> Iterator[Event]:
        return self._room.each(carried, lambda part: self._of_carried(part, depth + 1), _rest_of_carried)

    def _of_carried(self, part: Carried, depth: int) -> Iterable[Event]:
        outer, inner = part
        if inner is None:
            return (self._room.one(_with_message(outer, self._reading.depth)),)
        if isinstance(inner, str):
            return self._inside(outer, inner, depth)
        return (merged(outer, event, self._reading.times) for event in self._of_object(inner, depth))


def noted_within(form: str, event: Event) -> Event:
    """The event with a form around those in its notes."""
    event.notes = Notes((form, *event.notes.forms), event.notes.fields) if event.notes else Notes((form,))
    return event


def read_line(value: bytes, reading: Reading) -> TextLine | Iterable[Event]:
    """What `ValueReader.events` gives, of a value of which `is_line` is true; a line that is one event as it was read.

    It takes half as long.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return ValueReader(reading).events(value)
    found = read_or_open_line(text, reading)
    if isinstance(found, TextLine):
        return found
    if isinstance(found, Carried):
        return ValueReader(reading).of_carrier(value, text, found, 0)
    return (found,)


def is_line(value: bytes) -> bool:
    """Whether a value is a line of text at first sight: no form of JSON, no binary frame and no blank opens it."""
    return value[:1] in _OPENS_A_LINE or (value[:1] == b"[" and value[1:2] in _OPENS_A_LINE)


_OPENS_A_LINE: Final = frozenset(letter.encode() for letter in f"<{string.digits}{string.ascii_letters}")


def may_be_json(text: bytes) -> bool:
    """Whether a text without blanks around it looks like JSON, and not like a line that opens with a bracket."""
    first = text[:1]
    return (
        first == b"{"
        or (first == b"[" and text[-1:] == b"]" and text[1:40].lstrip()[:1] == b"{")
        or (first == b'"' == text[-1:] and len(text) > 2)
    )


def _with_message(event: Event, depth: int) -> Event:
    """The event of a carrier with nothing inside; without a message it gets one like any object."""
    message = event.fields.get("message")
    if not message and message in (None, "", {}, []):
        event.fields["message"] = event_of(dict(event.attributes), depth).fields["message"]
        if event.notes:
            event.notes.fields["message"] = MADE
    return event


def _rest_of(objects: Sequence[dict[str, Any]]) -> Event:
    return Event({"message": "\n".join(map(as_text, objects))})


def _rest_of_carried(parts: Sequence[Carried]) -> Event:
    lines = (as_text(inner if inner is not None else outer.fields.get("message", "")) for outer, inner in parts)
    return Event({"message": "\n".join(lines)})


def _json_lines(text: bytes) -> list[bytes]:
    """The lines of a text in which each is a JSON object, and which is more than one; [] for any other."""
    if text[-1:] != b"}" or b"\n" not in text:
        return []
    lines = [line.strip() for line in text.split(b"\n") if line.strip()]
    if len(lines) < 2 or not all(line[:1] == b"{" and line[-1:] == b"}" for line in lines):
        return []
    try:
        for line in lines[:2]:
            parse_fast(line)
    except (ValueError, RecursionError):
        return []
    return lines


def _unpacked(value: bytes) -> Any:
    """The JSON value in a binary frame, of a schema registry or gzip; None for other bytes."""
    try:
        if value[:1] == b"\0" and value[_REGISTRY_BYTES : _REGISTRY_BYTES + 1] in (b"{", b"["):
            return parsed_value(value[_REGISTRY_BYTES:])[0]
        if value[:2] == _GZIP:
            text = _decompressed(value)
            return parsed_value(text)[0] if text[:1] in (b"{", b"[") else None
    except (ValueError, zlib.error):
        pass
    return None


def _otlp(value: bytes) -> Sequence[Carried]:
    """The logs of OTLP as protobuf; none for other bytes."""
    try:
        return otlp_protobuf.opened(value)
    except ValueError:
        return ()


def _decompressed(value: bytes) -> bytes:
    """The content of gzip, up to the size of JSON that is parsed; raises ValueError where there is more."""
    decompressor = zlib.decompressobj(wbits=31)
    text = decompressor.decompress(value, MAX_JSON_BYTES)
    if decompressor.unconsumed_tail or not decompressor.eof or decompressor.unused_data:
        raise ValueError("too large")
    return text.strip()
