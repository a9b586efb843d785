"""Kafka records to rows: every record becomes at least one row, whatever it holds. Pure.

Records that hold one plain JSON object, which is nearly all, go from bytes to columns without an `Event` for each.
All others go through `formats`; a property test checks that both paths make the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.event import Event
from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.domain.rows import Rows
from app.formats.json_plain import attributes_if_plain
from app.formats.json_text import MAX_JSON_BYTES, parse_fast
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.formats.record import are_understood, read_object, read_record
from app.pipeline.event_columns import EventColumns
from app.pipeline.row_builder import RowBuilder


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of a chunk, and the number of rows with a problem, by its first word (bounded cardinality, for metrics)."""

    rows: Rows
    problems: Mapping[str, int]


def decode(
    chunk: RecordChunk, bounds: EventTimeBounds, rules: ReadingRules = DEFAULT_RULES, reader: str = ""
) -> Decoded:
    """Turn a chunk into rows, in order, that name the reader. Never fails, whatever the records hold."""
    events = EventColumns()
    add_object, add_attributes = events.objects.append, events.attributes.append
    max_bytes, reading_of = MAX_JSON_BYTES, rules.reading_of
    for value, headers, time_ms in zip(chunk.values, chunk.headers, chunk.timestamps_ms, strict=True):
        if value is None or len(value) > max_bytes or (headers and are_understood(headers)):
            _add(events, read_record(value, headers, reading_of(time_ms)))
            continue
        try:
            parsed = parse_fast(value)
        except (ValueError, RecursionError):
            _add(events, read_record(value, headers, reading_of(time_ms)))
            continue
        attributes = attributes_if_plain(parsed, value)
        if attributes is not None:
            add_object(parsed)
            add_attributes(attributes)
        else:
            _add(events, read_object(parsed, value, reading_of(time_ms)))
    return rows_of(events, chunk, bounds, rules, reader)


def rows_of(
    events: EventColumns,
    chunk: RecordChunk,
    bounds: EventTimeBounds,
    rules: ReadingRules = DEFAULT_RULES,
    reader: str = "",
) -> Decoded:
    """The rows of all events of a chunk."""
    events.split()
    rows = RowBuilder(events, chunk, bounds, rules, reader).rows()
    return Decoded(rows, events.problem_counts())


def _add(events: EventColumns, found: Iterable[Event]) -> None:
    """Add the events of the next record, which is not a plain JSON object."""
    for item, event in enumerate(found):
        events.add(event, item)
