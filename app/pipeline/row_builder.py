"""Rows of the table from the columns of events: the only module that converts values to the types of the table.

Each column is first converted as a whole by compiled code, which succeeds when all its values are of the usual type,
and value by value only when it does not.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.attribute_limits import too_deep
from app.domain.columns import SENT, Column, Kind
from app.domain.event_time import EventTimeBounds
from app.domain.field_text import text_within
from app.domain.json_values import as_text
from app.domain.records import RecordChunk
from app.domain.rows import SCHEMA, Rows
from app.domain.severity import severity_of_number
from app.formats.reading import ReadingRules
from app.pipeline.arrow_maps import map_array, repeated, single_key_map, sparse_array
from app.pipeline.event_columns import EventColumns
from app.pipeline.event_times import EventTimes
from app.pipeline.shared_columns import IDS, ids, origin, severity, whole_numbers

_OBJECTS: Final = frozenset(("service", "host"))
"""Fields that are objects in Elastic's common schema, also where their name is not said: {"service": {"type": ...}}."""
_KEYED: Final = [column for column in SENT.values() if column.key]


class RowBuilder:
    """Builds the rows of one chunk."""

    def __init__(
        self, events: EventColumns, chunk: RecordChunk, bounds: EventTimeBounds, rules: ReadingRules, reader: str
    ) -> None:
        """`events` must have been split; `reader` is the name of the reader."""
        self._events = events
        self._chunk = chunk
        self._bounds = bounds
        self._rules = rules
        self._reader = reader
        self._record_ms = whole_numbers(events.of_records(chunk.timestamps_ms), pa.int64())

    def rows(self) -> Rows:
        """All rows of the chunk, in order."""
        columns = dict(self._origin())
        for column in SENT.values():
            if not column.key:
                columns |= self._built(column)
        columns["ResourceAttributes"] = self._resource()
        # Last, because every column above may add to them.
        events = self._events
        columns["LogAttributes"] = self._attributes()
        problems = {row: "; ".join(found) for row, found in events.problems.items()}
        columns["ParseError"] = sparse_array(problems, "", len(events), pa.string())
        columns["_raw"] = sparse_array(events.raw, b"", len(events), pa.binary())
        return pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def _built(self, column: Column) -> Mapping[str, pa.Array]:
        """The columns of the table that are built from a field of the events."""
        match column.kind:
            case Kind.LEVEL:
                return self._severity(column)
            case Kind.TIME:
                return {column.column: self._times(column.name)}
            case Kind.NUMBER:
                return {column.column: self._numbers(column.name)}
            case Kind.WORDS:
                return {column.column: self._any_as_text(column.name)}
            case _ if column.name in IDS:
                return {column.column: self._ids(column.name)}
            case _:
                return {column.column: self._text(column.name)}

    def _origin(self) -> Mapping[str, pa.Array]:
        """Where each row came from."""
        events, count = self._events, len(self._events)
        return {
            **origin(self._chunk, events.of_records(self._chunk.offsets), self._reader),
            "_item": sparse_array(events.items, 0, count, pa.uint16()),
            "_items": sparse_array(events.item_counts(), 1, count, pa.uint16()),
            "record_time_ms": self._record_ms,
        }

    def _times(self, name: str) -> pa.TimestampArray:
        return EventTimes(self._events, name, self._bounds, self._rules).of(self._record_ms)

    def _text(self, name: str) -> pa.StringArray:
        values = self._events.fields[name]
        if _are_absent(values):
            return repeated("", len(values), pa.string())
        try:
            return pc.fill_null(pa.array(values, pa.string()), "")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([self._one_text(name, row, value) for row, value in enumerate(values)], pa.string())

    def _one_text(self, name: str, row: int, value: object) -> str:
        if isinstance(value, dict):
            return self._text_within(name, row, value)
        if isinstance(value, list):
            self._events.flag(row, f"{name}: list where text is expected")
            self._events.keep(row, name, value)
            return ""
        return "" if value is None else as_text(value)

    def _text_within(self, name: str, row: int, value: dict[str, Any]) -> str:
        """The text of a field that came as an object, under an alias such as {"service": {"name": ...}}."""
        depth = self._rules.limits.depth
        found, rest, is_deeper = text_within(name, value, depth)
        for leaf, item in rest:
            self._events.keep(row, leaf, item)
        if is_deeper:
            self._events.flag(row, too_deep(depth))
        if not found and not (rest and name in _OBJECTS):
            self._events.flag(row, f"{name}: object where text is expected")
        return found

    def _any_as_text(self, name: str) -> pa.StringArray:
        """The text of each value. The text of a structured message is its JSON, so that it can be searched."""
        values = self._events.fields[name]
        try:
            return pc.fill_null(pa.array(values, pa.string()), "")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array(["" if value is None else as_text(value) for value in values], pa.string())

    def _severity(self, column: Column) -> Mapping[str, pa.Array]:
        """The text of the level, and OpenTelemetry's number for it."""
        texts, of_rows = severity(self._text(column.name))
        given = self._events.severity_numbers
        if given:
            named = [name or severity_of_number(given.get(row, 0)) for row, name in enumerate(texts.to_pylist())]
            texts = pa.array(named, pa.string())
            of_rows = pa.array([given.get(row, n) for row, n in enumerate(of_rows.to_pylist())], pa.uint8())
        return {column.column: texts, "SeverityNumber": of_rows}

    def _ids(self, name: str) -> pa.StringArray:
        """The ids of traces and spans in one spelling."""
        texts = self._text(name)
        return texts if _are_absent(self._events.fields[name]) else ids(name, texts)

    def _numbers(self, name: str) -> pa.FloatArray:
        values = self._events.fields[name]
        numbers = _float_array(values).cast(pa.float32(), safe=False)
        numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float32()))
        if numbers.null_count > values.count(None):
            self._flag_lost(name, numbers, values)
        return numbers

    def _flag_lost(self, name: str, numbers: pa.FloatArray, values: Sequence[object]) -> None:
        for row, is_null in enumerate(numbers.is_null().to_pylist()):
            if is_null and values[row] is not None:
                self._events.flag(row, f"{name}: not a number")
                self._events.keep(row, name, values[row])

    def _resource(self) -> pa.MapArray:
        """The resource attributes of each row: columns that are stored under a key, and those found by the formats."""
        texts = {column.key: self._text(column.name) for column in _KEYED}
        if len(texts) == 1 and not self._events.resource:
            [(key, values)] = texts.items()
            return single_key_map(key, values)
        lists = {key: values.to_pylist() for key, values in texts.items()}
        rows = [self._resource_of(row, lists) for row in range(len(self._events))]
        return map_array([(row, row.values()) for row in rows])

    def _resource_of(self, row: int, lists: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The pairs of one row; a column's value takes precedence."""
        found = dict(self._events.resource.get(row, ()))
        return found | {key: values[row] for key, values in lists.items() if values[row]}

    def _attributes(self) -> pa.MapArray:
        return map_array(self._events.attributes)


def _are_absent(values: Sequence[object]) -> bool:
    """Whether no event has the field."""
    return not values or (values[0] is None and values.count(None) == len(values))


def _float_array(values: Sequence[object]) -> pa.DoubleArray:
    if bool not in map(type, values):  # Arrow would convert True to 1.0
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
