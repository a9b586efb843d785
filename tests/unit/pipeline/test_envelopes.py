"""Records with headers and keys: plain objects, which are read quickly, have the rows of all others."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.event_time import EventTimeBounds
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.rows import Rows
from app.domain.times import zone_named
from app.domain.zone_rules import ZoneRules, parse_zone_rules
from app.formats.kept_headers import KeptParts
from app.formats.reading import ReadingRules
from app.formats.record import read_record
from app.pipeline.decode import decode, envelopes_of, rows_of
from app.pipeline.event_columns import EventColumns

RECORD_MS = 1_795_960_800_000
BOUNDS = EventTimeBounds.of_retention(30)
KEEPING = ReadingRules(
    zone=zone_named("Asia/Seoul"),
    zones=ZoneRules(parse_zone_rules("host:h*=America/New_York,service:pay=Asia/Kolkata")),
    kept=KeptParts(["request-id", "t-*"], has_key=True),
)
HEADERS = [
    ("timezone", b"Asia/Tokyo"),
    ("timezone", b"Mars/Phobos"),
    ("timezone", b""),
    ("service.name", b"pay"),
    ("host.name", b"h1"),
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("content-type", b"application/json"),
    ("request-id", b"r-1"),
    ("t-1", b"\xff"),
    ("t-1", b"2"),
]
TIMES = [
    "2026-11-29T10:15:01Z",
    "2026-11-29 05:15:01",
    "2026-11-29 23:15:01",
    "2026-10-01 05:15:01",
    "-",
    "",
    "x",
    5,
    None,
]
objects = st.fixed_dictionaries(
    {"message": st.sampled_from(["m", "n"])},
    optional={
        "timestamp": st.sampled_from(TIMES),
        "ts": st.sampled_from(TIMES),
        "service": st.sampled_from(["pay", "", None, {"name": "pay"}]),
        "host": st.sampled_from(["h2", "x", None]),
        "trace_id": st.sampled_from(["", "ab"]),
        "messaging.header.request-id": st.sampled_from(["r-1", "other"]),
        "a": st.integers(),
    },
)
records = st.tuples(objects, st.lists(st.sampled_from(HEADERS), max_size=4), st.none() | st.binary(max_size=4))


def chunk_of(found: list[tuple[dict[str, Any], Headers, bytes | None]]) -> RecordChunk:
    count = len(found)
    values = [json.dumps(value).encode() for value, _, _ in found]
    headers, keys = [headers for _, headers, _ in found], [key for _, _, key in found]
    return RecordChunk(Partition("logs", 0), "id", range(count), [RECORD_MS] * count, values, headers, count, keys)


def event_by_event(chunk: RecordChunk, rules: ReadingRules) -> Rows:
    events = EventColumns()
    for value, envelope in zip(chunk.values, envelopes_of(chunk, rules), strict=True):
        for item, event in enumerate(read_record(value, envelope, rules.reading_of(RECORD_MS))):
            events.add(event, item, envelope)
    return rows_of(events, chunk, BOUNDS, rules).rows


@settings(deadline=None, max_examples=300)
@given(st.lists(records, min_size=1, max_size=5), st.sampled_from([KEEPING, ReadingRules()]))
def test_headers_change_plain_objects_as_they_change_events(
    found: list[tuple[dict[str, Any], Headers, bytes | None]], rules: ReadingRules
) -> None:
    chunk = chunk_of(found)

    assert decode(chunk, BOUNDS, rules).rows.to_pylist() == event_by_event(chunk, rules).to_pylist()


def test_kept_parts_are_attributes_of_every_event_of_the_record() -> None:
    headers = [("content-type", b"application/x-ndjson"), ("request-id", b"r-1")]
    chunk = chunk_of([({"message": "a", "messaging.header.request-id": "other"}, headers, b"k")])

    [attributes] = decode(chunk, BOUNDS, KEEPING).rows["LogAttributes"].to_pylist()

    assert dict(attributes) == {
        "messaging.header.request-id": "other",
        "messaging.kafka.message.key": "k",
        "messaging.header.request-id_2": "r-1",
    }
    assert decode(chunk, BOUNDS).rows["LogAttributes"].to_pylist() == [[("messaging.header.request-id", "other")]]


def test_what_a_time_cannot_be_trusted_for_is_the_same_with_a_header() -> None:
    """A dash in place of a time is none, with and without a zone of the record."""
    chunk = chunk_of([({"message": "a", "timestamp": "-"}, [("timezone", b"Asia/Tokyo")], None)])

    assert decode(chunk, BOUNDS).rows["ParseError"].to_pylist() == [""]
