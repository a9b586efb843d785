"""Kafka records to rows: every record becomes at least one, whatever it holds. Pure.

Works on the chunk, column by column: each column is first converted as a whole by compiled code, which succeeds when
all its values are of the usual type, and value by value only when it does not.
"""

import codecs
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.columns import ALIASES, SENT
from app.domain.event_time import Nanoseconds, read_time_ns, rfc3339
from app.domain.records import RecordChunk
from app.domain.rows import SCHEMA, Rows
from app.domain.severity import SEVERITY_NUMBER, severity_of
from app.pipeline.json_event import as_text, flatten, parse_fast, parse_patiently
from app.pipeline.text_line import read_text_line

ORIGINAL_TIME = "original_timestamp"  # attribute for an event time that lies too far from the record's
PACKED_TYPE = b"application/x-ndjson"
MAX_ITEMS = 2**16  # items of one record are numbered in 16 bits

# Read as JSON, a text can take twenty times its size in memory, made in one call during which no other thread runs,
# also not the one that sends heartbeats to Kafka. At this size that is 200 MB and a part of a second.
MAX_JSON_BYTES = 8 * 1024 * 1024

_DAY_MS = 24 * 3600 * 1000
# Numeric levels: syslog's 0 to 7, and the tens of bunyan and pino.
_LEVEL_OF_NUMBER = {
    **dict(zip("01234567", ("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG"), strict=True)),
    **{"10": "TRACE", "20": "DEBUG", "30": "INFO", "40": "WARN", "50": "ERROR", "60": "FATAL"},
}

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventTimeBounds:
    """How far an event's own time may lie from its record's, in ms, for the row to take it.

    Judged against the record's time and not against now, so that reading a record again puts its row in the same
    place. Two days less than the retention: rows that would expire at once could not be told from lost ones.
    """

    past_ms: int
    future_ms: int = _DAY_MS

    @classmethod
    def of_retention(cls, retention_days: int) -> "EventTimeBounds":
        """Bounds for a table that deletes rows after `retention_days`."""
        return cls(past_ms=(retention_days - 2) * _DAY_MS)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of a chunk, and how many of them have a problem, by its first word (a bounded set, for metrics)."""

    rows: Rows
    problems: dict[str, int]


def decode(chunk: RecordChunk, bounds: EventTimeBounds) -> Decoded:
    """Turn a chunk into rows, in order. Never fails on content."""
    events = _Events()
    for index, value in enumerate(chunk.values):
        if chunk.headers[index] or (value is not None and len(value) > MAX_JSON_BYTES):
            _add_unusual(events, index, chunk)
            continue
        try:
            event = parse_fast(value)  # type: ignore[arg-type] # None raises as well
        except (ValueError, TypeError, RecursionError):
            _add_unusual(events, index, chunk)
        else:
            events.add(index, event)
    return _Columns(events, chunk, bounds).decoded()


@dataclass(slots=True)
class _Events:
    """Events of a chunk in order; `records` and `items` say where each comes from. What is rare is kept by row."""

    events: list[Event] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    problems: dict[int, list[str]] = field(default_factory=dict)
    raw: dict[int, bytes] = field(default_factory=dict)

    def add(self, record: int, event: Event, item: int = 0) -> None:
        self.events.append(event)
        self.records.append(record)
        self.items.append(item)

    def flag_last(self, problem: str, raw: bytes = b"") -> None:
        row = len(self.events) - 1
        self.flag(row, problem)
        if raw:
            self.raw[row] = raw

    def flag(self, row: int, problem: str) -> None:
        self.problems.setdefault(row, []).append(problem)


def _add_unusual(events: _Events, index: int, chunk: RecordChunk) -> None:
    value = chunk.values[index]
    if value is None:
        events.add(index, {})
        events.flag_last("tombstone: record has no value")
        return
    time_ms = chunk.timestamps_ms[index]
    content_type = next((content for name, content in chunk.headers[index] if name.lower() == "content-type"), b"")
    if (content_type or b"").partition(b";")[0].strip().lower() != PACKED_TYPE:
        _add_one(events, index, 0, value, time_ms)
        return
    lines = [line for line in value.split(b"\n") if line.strip()] or [b""]
    too_many = len(lines) > MAX_ITEMS
    if too_many:
        lines[MAX_ITEMS - 1 :] = [b"\n".join(lines[MAX_ITEMS - 1 :])]
    for item, line in enumerate(lines):
        _add_one(events, index, item, line.rstrip(b"\r"), time_ms)
    if too_many:
        events.flag_last("packed: more events than a record may hold")


def _add_one(events: _Events, index: int, item: int, value: bytes, time_ms: int) -> None:
    """One event in whatever form: a JSON object, or any other text."""
    reason = ""
    json_text = value.removeprefix(codecs.BOM_UTF8).strip()
    if json_text[:1] == b"{":
        try:
            parsed, reason = _parse(json_text)
        except ValueError as error:
            reason = f"json: {error}"
        else:
            events.add(index, parsed, item)
            if reason:
                events.flag_last(reason, raw=value)
            return
    _add_text(events, index, item, value, time_ms)
    if reason:
        events.flag_last(reason)


def _parse(value: bytes) -> tuple[Event, str]:
    if len(value) > MAX_JSON_BYTES:
        raise ValueError("too large")
    try:
        return parse_fast(value), ""
    except (ValueError, RecursionError):
        return parse_patiently(value)


def _add_text(events: _Events, index: int, item: int, value: bytes, time_ms: int) -> None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode(errors="replace")
    line = read_text_line(text, time_ms)
    event: Event = {"message": text, "level": line.severity, "service": line.service, **line.attributes}
    if line.timestamp_ns is not None:
        event["timestamp"] = Nanoseconds(line.timestamp_ns)
    events.add(index, event, item)
    if not value:
        events.flag_last("empty: record has no content")
    elif text.encode() != value:
        events.flag_last("utf-8: invalid bytes", raw=value)


class _Columns:
    """Builds the columns of one chunk from its events."""

    def __init__(self, events: _Events, chunk: RecordChunk, bounds: EventTimeBounds) -> None:
        self._events = events
        self._chunk = chunk
        self._bounds = bounds
        pick = [event.pop for event in events.events]
        self._fields: dict[str, list[Any]] = {name: [pop(name, None) for pop in pick] for name in SENT}
        self._attributes: list[list[tuple[str, Any]] | None] = [None] * len(events.events)

    def decoded(self) -> Decoded:
        for row, event in enumerate(self._events.events):
            if event:
                self._take_rest(row, event)
        count = len(self._events.events)
        chunk, records = self._chunk, self._events.records
        if count == len(chunk.values):  # no record held several events
            offsets, record_ms = (
                pa.array(chunk.offsets, pa.uint64()),
                pa.array(chunk.timestamps_ms, pa.int64()),
            )
        else:
            offsets = pa.array([chunk.offsets[record] for record in records], pa.uint64())
            record_ms = pa.array([chunk.timestamps_ms[record] for record in records], pa.int64())
        severity_text, severity_number = self._severity()
        columns = {
            "Timestamp": self._times(record_ms),
            "TraceId": self._text("trace_id"),
            "SpanId": self._text("span_id"),
            "SeverityText": severity_text,
            "SeverityNumber": severity_number,
            "ServiceName": self._text("service"),
            "Body": self._body(),
            "ResourceAttributes": _single_key_map("host.name", self._text("host")),
            "UserId": self._text("user_id"),
            "ResponseTimeMs": self._response_times(),
            "_topic": pa.repeat(pa.scalar(chunk.partition.topic), count),
            "_topic_id": pa.repeat(pa.scalar(chunk.topic_id), count),
            "_partition": pa.repeat(pa.scalar(chunk.partition.number, pa.uint16()), count),
            "_offset": offsets,
            "_item": pa.array(self._events.items, pa.uint16()),
            "record_time_ms": record_ms,
        }
        # Last, because every column above may add to them.
        columns["LogAttributes"] = self._attribute_map()
        columns["ParseError"] = self._sparse(
            {row: "; ".join(p) for row, p in self._events.problems.items()}, "", pa.string()
        )
        columns["_raw"] = self._sparse(self._events.raw, b"", pa.binary())
        rows = pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        return Decoded(rows, self._problem_counts())

    def _take_rest(self, row: int, event: Event) -> None:
        """Keys without a column of their own: by another name, or as attributes."""
        attributes: list[tuple[str, Any]] = []
        for name, value in flatten(event):
            if value is None:
                continue
            target = ALIASES.get(name)
            if target is not None and self._fields[target][row] is None:
                self._fields[target][row] = value
            elif name == "attributes" and value == {}:
                continue
            elif name.startswith("attributes."):
                attributes.append((name.removeprefix("attributes."), value))
            else:
                attributes.append((name, value))
        if attributes:
            self._attributes[row] = attributes

    def _keep(self, row: int, name: str, value: object) -> None:
        """Keep as an attribute what its column cannot hold."""
        kept = self._attributes[row] or []
        kept.append((name, value))
        self._attributes[row] = kept

    def _text(self, name: str) -> pa.StringArray:
        values = self._fields[name]
        try:
            return pc.fill_null(pa.array(values, pa.string()), "")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([self._one_text(name, row, value) for row, value in enumerate(values)], pa.string())

    def _one_text(self, name: str, row: int, value: object) -> str:
        if isinstance(value, dict):
            return self._text_within(name, row, value)
        if isinstance(value, list):
            self._events.flag(row, f"{name}: list where text is expected")
            self._keep(row, name, value)
            return ""
        return "" if value is None else as_text(value)

    def _text_within(self, name: str, row: int, value: dict[str, Any]) -> str:
        """Text of an object that holds it under a name of its own, such as {"service": {"name": ...}}."""
        found = ""
        for leaf, item in flatten({name: value}):
            if item is None:
                continue
            if ALIASES.get(leaf) == name and not found:
                found = as_text(item)
            else:
                self._keep(row, leaf, item)
        if not found:
            self._events.flag(row, f"{name}: object where text is expected")
        return found

    def _body(self) -> pa.StringArray:
        values = self._fields["message"]
        try:
            return pc.fill_null(pa.array(values, pa.string()), "")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            # A message may well be structured; its JSON is then the text that people search.
            return pa.array(["" if value is None else as_text(value) for value in values], pa.string())

    def _severity(self) -> tuple[pa.StringArray, pa.UInt8Array]:
        words = self._text("level").dictionary_encode()
        names = [severity_of(word) or _LEVEL_OF_NUMBER.get(word, word) for word in words.dictionary.to_pylist()]
        numbers = [SEVERITY_NUMBER.get(name, 0) for name in names]
        return pa.array(names, pa.string()).take(words.indices), pa.array(numbers, pa.uint8()).take(words.indices)

    def _response_times(self) -> pa.FloatArray:
        values = self._fields["response_time_ms"]
        times = _float_array(values).cast(pa.float32(), safe=False)
        times = pc.if_else(pc.is_finite(times), times, pa.scalar(None, pa.float32()))
        if times.null_count > values.count(None):
            self._flag_lost(times, values)
        return times

    def _flag_lost(self, times: pa.FloatArray, values: Sequence[object]) -> None:
        for row, is_null in enumerate(times.is_null().to_pylist()):
            if is_null and values[row] is not None:
                self._events.flag(row, "response_time_ms: not a number")
                self._keep(row, "response_time_ms", values[row])

    def _times(self, record_ms: pa.Int64Array) -> pa.TimestampArray:
        """Event times where they are there, readable and near the record's; the record's time for the rest."""
        # Kafka takes any number for a time; this is as much of it as a count of nanoseconds can hold.
        latest_ms = (2**63 - 1) // 10**6 - self._bounds.future_ms
        record_ms = pc.min_element_wise(pc.max_element_wise(record_ms, -_DAY_MS), latest_ms)
        record_times = pc.multiply(record_ms, 10**6)
        event_times = self._event_times()
        if event_times is None:
            return record_times.cast(SCHEMA.field("Timestamp").type)
        earliest = pc.multiply(pc.subtract(record_ms, self._bounds.past_ms), 10**6)
        latest = pc.multiply(pc.add(record_ms, self._bounds.future_ms), 10**6)
        is_near = pc.and_(pc.greater_equal(event_times, earliest), pc.less_equal(event_times, latest))
        if pc.all(is_near, skip_nulls=True).as_py() is False:
            self._keep_far_times(is_near)
        return pc.if_else(pc.fill_null(is_near, False), event_times, record_times).cast(SCHEMA.field("Timestamp").type)

    def _event_times(self) -> pa.Int64Array | None:
        values = self._fields["timestamp"]
        try:
            texts = pa.array(values, pa.string())
            if texts.null_count == len(texts):
                return None
            return texts.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([self._one_time(row, value) for row, value in enumerate(values)], pa.int64())

    def _one_time(self, row: int, value: object) -> int | None:
        if value is None:
            return None
        try:
            time_ns = read_time_ns(value)
        except ValueError:
            self._events.flag(row, "timestamp: not a time")
            self._keep(row, "timestamp", value)
            return None
        return min(max(time_ns, -(2**63)), 2**63 - 1)

    def _keep_far_times(self, is_near: pa.BooleanArray) -> None:
        for row, near in enumerate(is_near.to_pylist()):
            if near is False:
                original = self._fields["timestamp"][row]
                self._keep(row, ORIGINAL_TIME, rfc3339(original) if isinstance(original, Nanoseconds) else original)

    def _attribute_map(self) -> pa.MapArray:
        offsets, keys, items = [0], [], []
        for attributes in self._attributes:
            if attributes:
                for name, value in attributes:
                    keys.append(name)
                    items.append(value if type(value) is str else as_text(value))
            offsets.append(len(keys))
        return _map_array(pa.array(offsets, pa.int32()), pa.array(keys, pa.string()), pa.array(items, pa.string()))

    def _sparse(self, values: dict[int, Any], default: object, kind: pa.DataType) -> pa.Array:
        count = len(self._events.events)
        if not values:
            return pa.repeat(pa.scalar(default, kind), count)
        return pa.array([values.get(row, default) for row in range(count)], kind)

    def _problem_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for problems in self._events.problems.values():
            for reason in {problem.partition(":")[0] for problem in problems}:
                counts[reason] = counts.get(reason, 0) + 1
        return counts


def _float_array(values: Sequence[object]) -> pa.DoubleArray:
    if bool not in map(type, values):  # Arrow would take True for 1.0
        with suppress(pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            return pa.array(values, pa.float64())
    return pa.array([_number_or_none(value) for value in values], pa.float64())


def _number_or_none(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _single_key_map(key: str, values: pa.StringArray) -> pa.MapArray:
    """A map of one key per row, and of none where the value is empty."""
    is_there = pc.not_equal(values, "")
    there = values.filter(is_there)
    ends = pc.cumulative_sum(is_there.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return _map_array(offsets, pa.repeat(pa.scalar(key), len(there)), there)


def _map_array(offsets: pa.Int32Array, keys: pa.StringArray, items: pa.StringArray) -> pa.MapArray:
    return pa.MapArray.from_arrays(offsets, keys, items)
