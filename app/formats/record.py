"""The events of a Kafka record; the format is determined by its headers and its content."""

from collections.abc import Iterator

from app.domain.event import Event
from app.domain.records import Headers
from app.formats import ndjson
from app.formats.line import read_line


def read_record(value: bytes | None, headers: Headers, record_time_ms: int) -> Iterator[Event]:
    """At least one event, whatever the record holds; `record_time_ms` is Kafka's time, Unix epoch. Never fails."""
    if value is None:
        yield Event({}, problems=["tombstone: record has no value"])
    elif is_batch(headers):
        yield from ndjson.read_ndjson(value, record_time_ms)
    else:
        yield read_line(value, record_time_ms)


def is_batch(headers: Headers) -> bool:
    """Whether the headers declare an NDJSON batch."""
    content_type = next((content for name, content in headers if name.lower() == "content-type"), b"")
    return (content_type or b"").partition(b";")[0].strip().lower() == ndjson.CONTENT_TYPE
