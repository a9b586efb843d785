"""The events of a Kafka record; the format is determined by its headers and its content."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.domain.event import Event
from app.domain.records import Headers
from app.domain.trace_ids import context_of
from app.formats import ndjson
from app.formats.carriers import otlp_protobuf
from app.formats.reading import Reading
from app.formats.value import ValueReader

_HEADER_FIELDS: Final = {"service.name": "service", "host.name": "host"}
_UNDERSTOOD: Final = frozenset(("traceparent", *_HEADER_FIELDS))
_OWN_TYPES: Final = frozenset((ndjson.CONTENT_TYPE, *otlp_protobuf.CONTENT_TYPES))


def read_object(parsed: dict[str, Any], reading: Reading) -> Iterator[Event]:
    """The events of a record that is a JSON object, parsed already, and has no headers that are understood."""
    return ValueReader(reading).object(parsed)


def read_record(value: bytes | None, headers: Headers, reading: Reading) -> Iterator[Event]:
    """At least one event, whatever the record holds. Never fails."""
    known = fields_of(headers) if headers else {}
    for event in _events(value, headers, reading):
        for name, text in known.items():
            if event.fields.get(name) in (None, ""):
                event.fields[name] = text
        yield event


def _events(value: bytes | None, headers: Headers, reading: Reading) -> Iterable[Event]:
    if value is None:
        return iter([Event({}, problems=["tombstone: record has no value"])])
    content_type = _content_type(headers)
    if content_type == ndjson.CONTENT_TYPE:
        return ndjson.read_ndjson(value, reading)
    if content_type in otlp_protobuf.CONTENT_TYPES:
        return ValueReader(reading).otlp(value)
    return ValueReader(reading).events(value)


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


def _content_type(headers: Headers) -> bytes:
    content_type = next((content for name, content in headers if name.lower() == "content-type"), b"")
    return (content_type or b"").partition(b";")[0].strip().lower()
