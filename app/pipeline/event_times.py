"""Times of events: the event's own time if it is present, readable and near its record's, else the record's."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.event_time import DAY_MS, EventTimeBounds, Nanoseconds, rfc3339
from app.domain.rows import SCHEMA
from app.domain.times import ReadTime, TimeReading, read_time
from app.domain.times.reading import NO_TIME, ZONE_UNKNOWN
from app.formats.reading import ReadingRules
from app.pipeline.event_columns import EventColumns

ORIGINAL_TIME: Final = "original_timestamp"
"""The attribute that keeps an event time that lies too far from its record's."""

_READ_ALREADY: Final = frozenset((Nanoseconds, type(None)))
_TYPE: Final = SCHEMA.field("Timestamp").type


class EventTimes:
    """Reads the times of a chunk's events."""

    def __init__(self, events: EventColumns, name: str, bounds: EventTimeBounds, rules: ReadingRules) -> None:
        self._events = events
        self._name = name
        self._bounds = bounds
        self._rules = rules

    def of(self, record_ms: pa.Int64Array) -> pa.TimestampArray:
        """The time of each row; `record_ms` holds the times of the records, in Unix epoch milliseconds."""
        # Kafka accepts any number as a time; these are the limits of a 64-bit count of nanoseconds.
        latest_ms = (2**63 - 1) // 10**6 - self._bounds.future_ms
        first_ms, last_ms = _range(record_ms)
        is_usual = first_ms >= -DAY_MS and last_ms <= latest_ms
        if not is_usual:
            record_ms = pc.min_element_wise(pc.max_element_wise(record_ms, -DAY_MS), latest_ms)
        event_times = self._event_times(record_ms)
        if event_times is not None and is_usual and self._are_all_near(event_times, first_ms, last_ms):
            return event_times.view(_TYPE)
        record_times = pc.multiply(record_ms, 10**6)
        if event_times is None:
            return record_times.cast(_TYPE)
        earliest = pc.multiply(pc.subtract(record_ms, self._bounds.past_ms), 10**6)
        latest = pc.multiply(pc.add(record_ms, self._bounds.future_ms), 10**6)
        is_near = pc.and_(pc.greater_equal(event_times, earliest), pc.less_equal(event_times, latest))
        if pc.all(is_near, skip_nulls=True).as_py() is False:
            self._keep_far_times(is_near)
        return pc.if_else(pc.fill_null(is_near, False), event_times, record_times).cast(_TYPE)

    def _are_all_near(self, event_times: pa.Int64Array, first_ms: int, last_ms: int) -> bool:
        """Whether every row has a time of its own that is near to the times of all records, as it nearly always is."""
        if event_times.null_count or not len(event_times):
            return False
        first_ns, last_ns = _range(event_times)
        return first_ns >= (last_ms - self._bounds.past_ms) * 10**6 and last_ns <= (
            (first_ms + self._bounds.future_ms) * 10**6
        )

    def _event_times(self, record_ms: pa.Int64Array) -> pa.Int64Array | None:
        values = self._events.fields[self._name]
        try:
            texts = pa.array(values, pa.string())
            if texts.null_count == len(texts):
                return None
            return texts.cast(_TYPE).view(pa.int64())
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            if _READ_ALREADY.issuperset(map(type, values)) and not self._events.zones:
                with suppress(OverflowError):
                    return pa.array(values, pa.int64())
            return pa.array(self._one_by_one(values, record_ms.to_pylist()), pa.int64())

    def _one_by_one(self, values: Sequence[object], record_ms: Sequence[int]) -> Iterator[int | None]:
        reading = self._rules.times_of(0, self._rules.zone)
        zones = self._zones() if self._rules.zones or self._events.zones else repeat(reading.zone)
        for row, (value, zone) in enumerate(zip(values, zones, strict=False)):
            if record_ms[row] != reading.record_time_ms or zone is not reading.zone:
                reading = self._rules.times_of(record_ms[row], zone)
            yield self._one_time(row, value, reading)

    def _zones(self) -> Iterator[ZoneInfo | None]:
        """For each row the zone that its record names, else that of its host or service, else the one of all."""
        fields, rules, of_records = self._events.fields, self._rules, self._events.zones
        for row, origin in enumerate(zip(fields["host"], fields["service"], strict=True)):
            if row in of_records:
                yield of_records[row] or rules.zone
            else:
                yield (rules.zones and rules.zones.zone_of_origin(*origin)) or rules.zone

    def _one_time(self, row: int, value: object, reading: TimeReading) -> int | None:
        read = read_time(value, reading)
        problem = read.problem
        if self._events.zones and not problem and not read.has_zone and self._is_of_unknown_zone(row, read):
            problem, read = ZONE_UNKNOWN, NO_TIME
        if problem:
            self._events.flag(row, problem)
            self._events.keep(row, self._name, value)
        return None if read.time_ns is None else min(max(read.time_ns, -(2**63)), 2**63 - 1)

    def _is_of_unknown_zone(self, row: int, read: ReadTime) -> bool:
        """Whether a time without zone is of a record that names a zone that is not known."""
        return read.time_ns is not None and row in self._events.zones and self._events.zones[row] is None

    def _keep_far_times(self, is_near: pa.BooleanArray) -> None:
        for row, near in enumerate(is_near.to_pylist()):
            if near is False:
                original = self._events.fields[self._name][row]
                text = rfc3339(original) if isinstance(original, Nanoseconds) else original
                self._events.keep(row, ORIGINAL_TIME, text)


def _range(numbers: pa.Int64Array) -> tuple[int, int]:
    """The least and the greatest of the numbers that are not null; zeros if there are none."""
    found = pc.min_max(numbers)
    return found["min"].as_py() or 0, found["max"].as_py() or 0
