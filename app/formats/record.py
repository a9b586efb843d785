"""The events of a Kafka record; the format is determined by its headers and its content."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.event import Event
from app.domain.event_time import rfc3339
from app.domain.keys import with_names_once
from app.domain.notes import Note
from app.domain.times.reading import ZONE_UNKNOWN, Nanoseconds
from app.formats import ndjson
from app.formats.carriers import otlp_protobuf
from app.formats.envelope import HEADER_OF, Envelope
from app.formats.reading import Reading
from app.formats.value import ValueReader
from app.formats.zones_of_origin import in_zones_of_origin


def read_object(parsed: dict[str, Any], value: bytes, reading: Reading) -> Iterable[Event]:
    """The events of a record that is a JSON object, parsed already, and has no headers that are understood."""
    events = ValueReader(reading).object(parsed)
    return in_zones_of_origin(events, lambda other: _events(value, b"", other), reading) if reading.zones else events


def read_record(value: bytes | None, envelope: Envelope, reading: Reading) -> Iterator[Event]:
    """At least one event, whatever the record holds. Never fails."""
    if envelope.zone is not None:
        reading = reading.in_zone(envelope.zone)

    def read(by: Reading) -> Iterable[Event]:
        events = _events(value, envelope.content_type, by)
        return (_filled(event, envelope) for event in events) if envelope.fields else events

    if envelope.timezone:
        for event in read(reading):
            if envelope.zone is None:
                _distrust_time(event)
            yield event
    else:
        yield from in_zones_of_origin(read(reading), read, reading) if reading.zones else read(reading)


def _events(value: bytes | None, content_type: bytes, reading: Reading) -> Iterable[Event]:
    if value is None:
        return iter([Event({}, problems=["tombstone: record has no value"])])
    if content_type == ndjson.CONTENT_TYPE:
        return ndjson.read_ndjson(value, reading)
    if content_type in otlp_protobuf.CONTENT_TYPES:
        return ValueReader(reading).otlp(value)
    return ValueReader(reading).events(value)


def _filled(event: Event, envelope: Envelope) -> Event:
    """The event with what headers say of it, where it does not say so itself."""
    for name in envelope.fill(event.fields):
        if event.notes:
            event.notes.fields[name] = Note.of(f"header {HEADER_OF[name]}", event.fields[name])
    return event


def _distrust_time(event: Event) -> None:
    """Flag an event whose time was read without a zone, and keep the time as an attribute.

    Its record names a zone that is not known. Times that are read later, with all others of a chunk, are flagged then.
    """
    value = event.fields.get("timestamp")
    if isinstance(value, Nanoseconds) and not event.time_has_zone:
        del event.fields["timestamp"]
        event.problems.append(ZONE_UNKNOWN)
        event.attributes = with_names_once([*event.attributes, ("timestamp", rfc3339(value))])
