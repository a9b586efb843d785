"""Kafka records to rows: every record becomes at least one row, whatever it holds. Pure.

Records that hold one JSON object, which is nearly all, go from bytes to columns without an `Event` for each.
All others go through `formats`; a property test checks that both paths make the same rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.domain.rows import Rows
from app.formats.json_object import MAX_JSON_BYTES, parse_fast
from app.formats.record import is_batch, read_record
from app.pipeline.event_columns import EventColumns
from app.pipeline.row_builder import RowBuilder


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of a chunk, and the number of rows with a problem, by its first word (bounded cardinality, for metrics)."""

    rows: Rows
    problems: Mapping[str, int]


def decode(chunk: RecordChunk, bounds: EventTimeBounds) -> Decoded:
    """Turn a chunk into rows, in order. Never fails, whatever the records hold."""
    events = EventColumns()
    for index, value in enumerate(chunk.values):
        headers = chunk.headers[index]
        if value is None or len(value) > MAX_JSON_BYTES or (headers and is_batch(headers)):
            _add_record(events, index, chunk)
            continue
        try:
            parsed = parse_fast(value)
        except (ValueError, RecursionError):
            _add_record(events, index, chunk)
        else:
            events.add_object(index, parsed)
    return rows_of(events, chunk, bounds)


def rows_of(events: EventColumns, chunk: RecordChunk, bounds: EventTimeBounds) -> Decoded:
    """The rows of all events of a chunk."""
    events.split()
    rows = RowBuilder(events, chunk, bounds).rows()
    return Decoded(rows, events.problem_counts())


def _add_record(events: EventColumns, index: int, chunk: RecordChunk) -> None:
    """Add the events of a record that is not a plain JSON object."""
    record = read_record(chunk.values[index], chunk.headers[index], chunk.timestamps_ms[index])
    for item, event in enumerate(record):
        events.add(index, event, item)
