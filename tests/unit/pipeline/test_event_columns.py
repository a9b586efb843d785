"""Both paths from bytes to rows agree, and rows hold all fields of the canonical event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.attribute_limits import AttributeLimits
from app.domain.columns import ALIASES, SENT
from app.domain.event import Event
from app.domain.event_time import EventTimeBounds
from app.domain.rows import Rows
from app.formats.carriers.table import MARKS
from app.formats.envelope import NOTHING_SAID
from app.formats.json_object import event_of
from app.formats.reading import DEFAULT_RULES, Reading, ReadingRules
from app.formats.record import read_record
from app.formats.value import ValueReader
from app.pipeline.decode import decode, rows_of
from app.pipeline.event_columns import EventColumns
from tests.support.sample_rows import sample_chunk

MORE_NAMES = (
    *("Message", "Level", "MSG", "error", "err.message", "traceparent", "dd.trace_id", "severityNumber", "mdc.traceId"),
    *("stream", "host", "version", "v", "pid", "v1", "channel", "reqId", "x", "x_2", "fields", "SYSLOG_IDENTIFIER"),
    *("date", "created_at", "updated_at", "logTime", "Scopes", "SeverityLevel", "log_level", "source", "data"),
)
BOUNDS = EventTimeBounds.of_retention(30)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["2026-11-23T12:00:00Z", "ERROR", "30", "line", '{"msg":"inner"}', "4BF92F3577B34DA6A3CE929D0E0E4736"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(["name", "level", "message", "traceId", "x"]), inner)
    ),
    max_leaves=6,
)
names = st.sampled_from([*SENT, *ALIASES, "attributes", "attributes.x", *sorted(MARKS), *MORE_NAMES]) | st.text(
    max_size=5
)
events = st.dictionaries(names, values, max_size=6)
with_a_message = st.builds(lambda text, event: {"message": text, **event}, st.text(min_size=1, max_size=4), events)
timed: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["timestamp", "time", "ts", "date", "logTime", "created_at", "updated_at", "request_time"]),
    st.sampled_from(["2026-11-23T12:00:00Z", "2026-11-23", "12:00:00", 1795435200, 12.5, 0, "", " ", None, True, []])
    | st.just({"seconds": 1795435200}),
    max_size=4,
).map(lambda event: {"message": "m", **event})
objects = (events | with_a_message | timed).map(lambda event: json.dumps(event).encode())
texts = st.text(max_size=30).map(str.encode) | st.binary(max_size=30)


def rows_event_by_event(records: list[bytes | None], rules: ReadingRules = DEFAULT_RULES) -> Rows:
    """The rows of the records, by way of events."""
    chunk, events = sample_chunk(records), EventColumns()
    for value in records:
        reader = ValueReader(rules.reading_of(chunk.timestamps_ms[0]), event_of)
        for item, event in enumerate(
            read_record(None, NOTHING_SAID, Reading.of_record(0)) if value is None else reader.events(value)
        ):
            events.add(event, item)
    return rows_of(events, chunk, BOUNDS, rules).rows


@settings(deadline=None, max_examples=400)
@given(st.lists(objects | texts | st.none(), min_size=1, max_size=5))
@example(
    [b'{"message":"m","a":{"k":1},"b":2}', b'{"message":"m","a":1,"b":{"k":2}}', b'{"message":"m","a":{"k":{}},"b":2}']
)
@example([b'{"message":"m","x":1,"attributes":{"x":2,"level":"warn"}}', b'{"message":"m","level":"4","PRIORITY":3}'])
@example([b'{"message":"m","level":3,"version":"1.1","host":null}'])
@example(
    [
        b'{"message":"m","traceId":"p/4bf92f3577b34da6a3ce929d0e0e4736"}',
        b'{"message":"m","span_id":"/"}',
    ]
)
@example([b'{"service":{"name":"a"},"service.name":"b","app":"c","ts":1795435199,"level":30}'])
def test_rows_are_the_same_whether_or_not_events_are_made_of_them(records: list[bytes | None]) -> None:
    assert decode(sample_chunk(records), BOUNDS).rows.equals(rows_event_by_event(records))


@settings(deadline=None)
@given(st.lists(objects, min_size=1, max_size=5), st.integers(1, 3))
@example(
    [b'{"message":"m","a":{"k":1},"service":{"name":{"x":1},"y":{"z":2}}}', b'{"message":"m","a":{"k":{"l":1}}}'], 1
)
def test_rows_are_the_same_whatever_the_limit_of_depth(records: list[bytes | None], depth: int) -> None:
    rules = ReadingRules(limits=AttributeLimits(depth=depth))

    assert decode(sample_chunk(records), BOUNDS, rules).rows.equals(rows_event_by_event(records, rules))


def row_of(event: Event) -> dict[str, Any]:
    """The one row of an event."""
    events = EventColumns()
    events.add(event, 0)
    rows = rows_of(events, sample_chunk([b""]), BOUNDS).rows
    found: dict[str, Any] = rows.select([name for name in rows.schema.names if name != "Timestamp"]).to_pylist()[0]
    return found


def test_the_resource_is_a_map_and_the_host_one_of_its_keys() -> None:
    row = row_of(Event({"host": "pod-1"}, resource=[("k8s.pod.name", "web-1"), ("host.name", "other"), ("cpus", 4)]))

    assert dict(row["ResourceAttributes"]) == {"host.name": "pod-1", "k8s.pod.name": "web-1", "cpus": "4"}


@pytest.mark.parametrize(
    ("level", "number", "stored"),
    [("", 18, ("ERROR", 18)), ("warn", 14, ("WARN", 14)), ("loud", 9, ("loud", 9)), ("info", 0, ("INFO", 9))],
)
def test_a_severity_number_counts_and_names_the_level_that_is_missing(
    level: str, number: int, stored: tuple[str, int]
) -> None:
    row = row_of(Event({"level": level}, severity_number=number))

    assert (row["SeverityText"], row["SeverityNumber"]) == stored


def test_keys_without_a_column_are_attributes() -> None:
    event = Event({}, [("a", 1)], observed_timestamp=5, trace_flags=1, scope=[("name", "lib")], event_name="login")

    assert dict(row_of(event)["LogAttributes"]) == {
        "a": "1",
        "observed_timestamp": "5",
        "trace_flags": "1",
        "event.name": "login",
        "otel.scope.name": "lib",
    }
