"""Kafka records to rows: every record becomes at least one row, whatever it holds. Pure.

Records that hold one plain JSON object, which is nearly all, go from bytes to columns without an `Event` for each.
All others go through `formats`; a property test checks that both paths make the same rows. Compiled code makes them of
most plain objects where it is installed (`native_reader.py`); what is here is complete, and the reference.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import repeat

from app.domain.event import Event
from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.formats.envelope import NOTHING_SAID, Envelope, read_envelopes
from app.formats.json_plain import attributes_if_plain
from app.formats.json_text import MAX_JSON_BYTES, parse_fast
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.formats.record import read_object, read_record
from app.formats.text_line import TextLine
from app.formats.value import is_line, read_line
from app.pipeline.decoded import Decoded, ReadRows, decoded
from app.pipeline.event_columns import EventColumns
from app.pipeline.row_builder import RowBuilder


def decode(
    chunk: RecordChunk, bounds: EventTimeBounds, rules: ReadingRules = DEFAULT_RULES, reader: str = ""
) -> Decoded:
    """Turn a chunk into rows, in order, that name the reader. Never fails, whatever the records hold."""
    return decoded(read_rows(chunk, bounds, rules, reader), rules)


def read_rows(chunk: RecordChunk, bounds: EventTimeBounds, rules: ReadingRules, reader: str) -> ReadRows:
    """The rows of a chunk: the reference that every other reader is held to. Never fails."""
    events = EventColumns()
    add_object, add_attributes = events.objects.append, events.attributes.append
    max_bytes, reading_of = MAX_JSON_BYTES, lru_cache(maxsize=8)(rules.reading_of)  # neighbours share their time
    for value, envelope, time_ms in zip(chunk.values, envelopes_of(chunk, rules), chunk.timestamps_ms, strict=True):
        if value is None or len(value) > max_bytes or envelope.content_type:
            _add(events, read_record(value, envelope, reading_of(time_ms)), envelope)
            continue
        try:
            parsed = parse_fast(value)
        except (ValueError, RecursionError):
            reading = reading_of(time_ms)
            if envelope is NOTHING_SAID and reading.zones is None and is_line(value):
                found = read_line(value, reading)
                if isinstance(found, TextLine):
                    events.add_line(found)
                else:
                    _add(events, found, envelope)
            else:
                _add(events, read_record(value, envelope, reading), envelope)
            continue
        attributes = attributes_if_plain(parsed, value)
        if attributes is not None:
            if envelope is NOTHING_SAID:
                add_object(parsed)
                add_attributes(attributes)
            else:
                events.add_object(parsed, attributes, envelope)
        elif envelope is NOTHING_SAID:
            _add(events, read_object(parsed, value, reading_of(time_ms)), envelope)
        else:
            _add(events, read_record(value, envelope, reading_of(time_ms)), envelope)
    return _built(events, chunk, bounds, rules, reader)


def rows_of(
    events: EventColumns,
    chunk: RecordChunk,
    bounds: EventTimeBounds,
    rules: ReadingRules = DEFAULT_RULES,
    reader: str = "",
) -> Decoded:
    """The rows of all events of a chunk."""
    return decoded(_built(events, chunk, bounds, rules, reader), rules)


def _built(
    events: EventColumns, chunk: RecordChunk, bounds: EventTimeBounds, rules: ReadingRules, reader: str
) -> ReadRows:
    events.split()
    rows = RowBuilder(events, chunk, bounds, rules, reader).rows()
    return ReadRows(rows, events.problems, events.with_proven_receipt)


def envelopes_of(chunk: RecordChunk, rules: ReadingRules) -> Iterable[Envelope]:
    """What the key and headers of each record say."""
    if not has_envelopes(chunk, rules):
        return repeat(NOTHING_SAID, len(chunk.headers))
    return read_envelopes(chunk.headers, chunk.keys, rules.kept, chunk.values, rules.receipts)


def has_envelopes(chunk: RecordChunk, rules: ReadingRules) -> bool:
    """Whether the key or the headers of a record may say something."""
    return rules.kept is not None or any(chunk.headers)


def _add(events: EventColumns, found: Iterable[Event], envelope: Envelope) -> None:
    """Add the events of the next record, which is not a plain JSON object."""
    for item, event in enumerate(found):
        events.add(event, item, envelope)
