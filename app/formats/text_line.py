"""A line of text, or a stack trace, as an event: time, severity and origin, as far as its header gives them. Pure."""

import re
from typing import Any, Final, NamedTuple

from app.domain.event import Event
from app.domain.event_time import Nanoseconds
from app.domain.notes import Notes
from app.domain.times import FoundTime, find_time
from app.formats import places
from app.formats.field_names import ATTRIBUTE_OF
from app.formats.level_words import WITH_COLON
from app.formats.line_reader import LineReader
from app.formats.own_form import has_form
from app.formats.reading import Reading
from app.formats.syslog_5424 import read_5424
from app.formats.text_notes import notes_of_line, notes_of_time

_HEAD_CHARS: Final = 1000  # any header fits in here, so that a record of megabytes costs no more than a short one
_HOST: Final = "host.name"
# The whole years that fit into 64 bits of nanoseconds.
_EARLIEST_NS: Final = -9_214_560_000_000_000_000
_LATEST_NS: Final = 9_214_646_400_000_000_000


class TextLine(NamedTuple):
    """What was found in a text record. `body` is always the whole text, unchanged."""

    timestamp_ns: int | None  # unix epoch, None where the text has no time that can be trusted
    severity: str  # "", "TRACE", "DEBUG", "INFO", "WARN", "ERROR" or "FATAL"
    service: str  # the program that wrote it, "" if the text does not name it
    attributes: dict[str, str]  # the rest of the header, under OpenTelemetry's names where they exist
    body: str
    has_zone: bool = False  # whether the time was written with its zone
    problem: str = ""  # of the time
    content: int = 0  # where a content of a form of its own begins in the first line of syslog; 0 for any other
    notes: Notes | None = None  # how it was read, if the reading explains


def read_text(value: bytes, reading: Reading) -> Event:
    """The event of a text record; the whole text is its message. Never fails.

    Bytes that are not UTF-8 are replaced, and kept as they are in `raw`.
    """
    text = value.decode(errors="replace")
    return with_raw(event_of_line(read_text_line(text, reading)), value, text)


def with_raw(event: Event, value: bytes, text: str) -> Event:
    """The event of a text with what its decoding lost."""
    if not value:
        event.problems.append("empty: record has no content")
    elif "\ufffd" in text and text.encode() != value:
        event.problems.append("utf-8: invalid bytes")
        event.raw = value
    return event


def event_of_line(line: TextLine) -> Event:
    """The event of what was found in a text; the whole text is its message."""
    fields = take_fields(line)
    event = Event(fields, list(line.attributes.items()), notes=line.notes)
    if line.timestamp_ns is not None:
        event.time_has_zone = line.has_zone
    if line.problem:
        event.problems.append(line.problem)
    return event


def take_fields(line: TextLine) -> dict[str, Any]:
    """The fields of the event of a line; those that are among its attributes are taken from there."""
    attributes = line.attributes
    fields: dict[str, Any] = {"message": line.body, "level": line.severity, "service": line.service, "host": ""}
    if attributes:
        fields["host"] = attributes.pop(_HOST, "")
        if "trace_id" in attributes:
            fields["trace_id"] = attributes.pop("trace_id")
        if "span_id" in attributes:
            fields["span_id"] = attributes.pop("span_id")
    if line.timestamp_ns is not None:
        fields["timestamp"] = Nanoseconds(line.timestamp_ns)
    return fields


def read_text_line(text: str, reading: Reading) -> TextLine:
    """Read the first line of a text record: its header, or the severity from a level word in the text.

    Never raises, and looks at no more than the first thousand characters.
    """
    line = first_line(text)
    syslog = read_5424(line)
    opening = _TIME_FIRST.match(line)
    if syslog is not None:
        found = find_time(line[syslog.time_at :], reading.times) if line[syslog.time_at] != "-" else None
    else:
        found = find_time(line if opening is None else line[opening.end() :], reading.times)
        if opening is not None and found is not None and not found.has_zone:
            found = find_time(line, reading.times)  # with the key that may state its zone
    time_ns, has_zone, problem = _in_bounds(found)
    read = LineReader(line, found, reading)
    if syslog is not None:
        read.fields, read.level, read.data, read.content, _ = syslog
        read.form, read.level_from = places.SYSLOG_5424, places.PRI
        read.read_access_behind(read.content)
        if not has_form(line, read.content):
            read.content = 0
    elif opening is not None:
        read.read_pairs()
    else:
        read.read()
    fields, level = read.fields, read.level
    notes = None
    if not level and "\n" in text:
        level = _level_of_second_line(text)
    if reading.explains:
        notes = notes_of_line(read, level, syslog.time_at if syslog else opening.end() if opening else 0)
    service = fields.pop("service", None)
    attributes = dict(read.data)
    for field, value in fields.items():
        if value and value != "-":
            attributes[ATTRIBUTE_OF.get(field, field)] = value
    if service == "-":
        service = ""
    return TextLine(time_ns, level, service or "", attributes, text, has_zone, problem, read.content, notes)


def read_time_alone(text: str, reading: Reading, form: str) -> TextLine:
    """What the first line of a text says if its header is none that this module knows: only its time."""
    line = first_line(text)
    found = find_time(line, reading.times)
    time_ns, has_zone, problem = _in_bounds(found)
    notes = notes_of_time(form, found, line) if reading.explains else None
    return TextLine(time_ns, "", "", {}, text, has_zone, problem, notes=notes)


def _in_bounds(found: FoundTime | None) -> tuple[int | None, bool, str]:
    """Time, whether its zone was written, and problem; no time outside of 64 bits."""
    if found is None:
        return None, False, ""
    is_within = found.time_ns is not None and _EARLIEST_NS <= found.time_ns < _LATEST_NS
    return found.time_ns if is_within else None, found.has_zone, found.problem


_TIME_FIRST: Final = re.compile(r"(?:ts|time|timestamp|t)=(?=\"?\d{4}-)")  # of logfmt; its end is not looked at
_COLOUR: Final = re.compile(r"\x1b\[[\d;:?]{0,20}[A-Za-z]")
_BLANK: Final = " \t\r\n\v\f\0\ufeff"


def first_line(text: str) -> str:
    """The first line that is not empty, without colours; ends in a newline unless `_HEAD_CHARS` cut it."""
    head = text[:_HEAD_CHARS]
    if "\x1b" in head:
        head = _COLOUR.sub("", head)
    line, newline, _ = head.lstrip(_BLANK).partition("\n")
    return line.rstrip("\r") + "\n" if newline or len(text) <= _HEAD_CHARS else line


_OF_JUL: Final = re.compile(r"\s{0,4}(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")


def _level_of_second_line(text: str) -> str:
    """The level of java.util.logging, which writes it on the line behind the one of the time."""
    at = text.find("\n", 0, _HEAD_CHARS)
    match = _OF_JUL.match(text, at + 1)
    return WITH_COLON[match[1]] if match else ""
