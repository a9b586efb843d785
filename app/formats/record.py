"""The events of a Kafka record; the format is determined by its headers and its content."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.domain.event import Event
from app.domain.event_time import rfc3339
from app.domain.keys import with_names_once
from app.domain.notes import Note
from app.domain.records import Headers
from app.domain.times import TimeReading, read_time, zone_named
from app.domain.times.reading import NOT_A_TIME, ZONE_UNKNOWN, Nanoseconds
from app.domain.trace_ids import context_of
from app.formats import ndjson
from app.formats.carriers import otlp_protobuf
from app.formats.reading import Reading
from app.formats.value import ValueReader
from app.formats.zones_of_origin import in_zones_of_origin

_HEADER_FIELDS: Final = {"service.name": "service", "host.name": "host"}
_HEADER_OF: Final = {
    "service": "service.name",
    "host": "host.name",
    "trace_id": "traceparent",
    "span_id": "traceparent",
}
_TIMEZONE: Final = "timezone"
_UNDERSTOOD: Final = frozenset(("traceparent", _TIMEZONE, *_HEADER_FIELDS))
_OWN_TYPES: Final = frozenset((ndjson.CONTENT_TYPE, *otlp_protobuf.CONTENT_TYPES))


def read_object(parsed: dict[str, Any], value: bytes, reading: Reading) -> Iterable[Event]:
    """The events of a record that is a JSON object, parsed already, and has no headers that are understood."""
    events = ValueReader(reading).object(parsed)
    return in_zones_of_origin(events, lambda other: _events(value, (), other), reading) if reading.zones else events


def read_record(value: bytes | None, headers: Headers, reading: Reading) -> Iterator[Event]:
    """At least one event, whatever the record holds. Never fails."""
    known = fields_of(headers) if headers else {}
    zone_name = timezone_of(headers)
    zone = zone_named(zone_name) if zone_name else None
    if zone is not None:
        reading = reading.in_zone(zone)

    def read(by: Reading) -> Iterator[Event]:
        return (_filled(event, known) for event in _events(value, headers, by))

    if zone_name:
        for event in read(reading):
            _settle_time(event, reading.times, is_zone_known=zone is not None)
            yield event
    else:
        yield from in_zones_of_origin(read(reading), read, reading) if reading.zones else read(reading)


def _events(value: bytes | None, headers: Headers, reading: Reading) -> Iterable[Event]:
    if value is None:
        return iter([Event({}, problems=["tombstone: record has no value"])])
    content_type = _content_type(headers)
    if content_type == ndjson.CONTENT_TYPE:
        return ndjson.read_ndjson(value, reading)
    if content_type in otlp_protobuf.CONTENT_TYPES:
        return ValueReader(reading).otlp(value)
    return ValueReader(reading).events(value)


def _filled(event: Event, known: Mapping[str, Any]) -> Event:
    """The event with what headers say of it, where it does not say so itself."""
    for name, text in known.items():
        if event.fields.get(name) in (None, ""):
            event.fields[name] = text
            if event.notes:
                event.notes.fields[name] = Note.of(f"header {_HEADER_OF[name]}", text)
    return event


def are_understood(headers: Headers) -> bool:
    """Whether any of the headers says something about the events of its record."""
    return any(name.lower() in _UNDERSTOOD for name, _ in headers) or _content_type(headers) in _OWN_TYPES


def fields_of(headers: Headers) -> dict[str, Any]:
    """The fields that headers give to events that lack them."""
    fields: dict[str, Any] = {}
    for name, value in headers:
        text = (value or b"").decode(errors="replace").strip()
        if not text:
            continue
        if field := _HEADER_FIELDS.get(name.lower()):
            fields.setdefault(field, text)
        elif name.lower() == "traceparent":
            ids = zip(("trace_id", "span_id"), context_of(text), strict=True)
            fields |= {field: found for field, found in ids if found and field not in fields}
    return fields


def _settle_time(event: Event, times: TimeReading, *, is_zone_known: bool) -> None:
    """Read the time of an event by the zone of its record; with a zone that is not known, only one that states its own.

    What cannot be trusted becomes an attribute, and the event is flagged.
    """
    value = event.fields.pop("timestamp", None)
    if value in (None, ""):
        return
    read = read_time(value, times)
    has_zone = event.time_has_zone if isinstance(value, Nanoseconds) else read.has_zone
    problem = read.problem or ("" if has_zone or is_zone_known else ZONE_UNKNOWN)
    if problem or read.time_ns is None:
        event.problems.append(problem or NOT_A_TIME)
        kept = rfc3339(value) if isinstance(value, Nanoseconds) else value
        event.attributes = with_names_once([*event.attributes, ("timestamp", kept)])
    else:
        event.fields["timestamp"] = Nanoseconds(read.time_ns)
        event.time_has_zone = has_zone


def timezone_of(headers: Headers) -> str:
    """The zone that a header names for times that state none; "" without one."""
    return _text_of(headers, _TIMEZONE)


def _text_of(headers: Headers, name: str) -> str:
    """The text of the first header of that name, in any case; "" if there is none."""
    value = next((content for other, content in headers if other.lower() == name), b"")
    return (value or b"").decode(errors="replace").strip()


def _content_type(headers: Headers) -> bytes:
    return _text_of(headers, "content-type").partition(";")[0].strip().lower().encode(errors="replace")
