"""Kafka records to rows: every record becomes at least one row, whatever it holds. Pure.

Records that hold one plain JSON object, which is nearly all, go from bytes to columns without an `Event` for each.
All others go through `formats`; a property test checks that both paths make the same rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat

from app.domain.attribute_limits import PROBLEM
from app.domain.event import Event
from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.domain.rows import Rows
from app.formats.envelope import NOTHING_SAID, Envelope, read_envelopes
from app.formats.json_plain import attributes_if_plain
from app.formats.json_text import MAX_JSON_BYTES, parse_fast
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.formats.record import read_object, read_record
from app.formats.text_line import TextLine
from app.formats.value import is_line, read_line
from app.pipeline.event_columns import EventColumns
from app.pipeline.false_receipts import without_false_receipts
from app.pipeline.row_builder import RowBuilder


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of a chunk, and the number of rows with a problem, by its first word (bounded cardinality, for metrics)."""

    rows: Rows
    problems: Mapping[str, int]
    masked: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    """For each row with secrets how many of them were masked, by rule."""

    def masked_counts(self) -> Mapping[str, int]:
        """How many secrets were masked in all rows, by rule."""
        counts: Counter[str] = Counter()
        for of_row in self.masked.values():
            counts.update(of_row)
        return counts


def decode(
    chunk: RecordChunk, bounds: EventTimeBounds, rules: ReadingRules = DEFAULT_RULES, reader: str = ""
) -> Decoded:
    """Turn a chunk into rows, in order, that name the reader. Never fails, whatever the records hold."""
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
    rows = without_false_receipts(rows, events.with_proven_receipt)
    # Of both paths, whatever they read. What is beyond the limits becomes one text, so it is masked before.
    rows, masked = (rows, {}) if rules.masking is None else rules.masking.masked(rows)
    rows, beyond = rules.limits.kept(rows)
    for row in beyond:
        events.flag(row, PROBLEM)  # so that a row whose values are nested too deeply as well counts once
    return Decoded(rows, events.problem_counts(), masked)


def envelopes_of(chunk: RecordChunk, rules: ReadingRules) -> Iterable[Envelope]:
    """What the key and headers of each record say."""
    if rules.kept is None and not any(chunk.headers):
        return repeat(NOTHING_SAID, len(chunk.headers))
    return read_envelopes(chunk.headers, chunk.keys, rules.kept, chunk.values, rules.receipts)


def _add(events: EventColumns, found: Iterable[Event], envelope: Envelope) -> None:
    """Add the events of the next record, which is not a plain JSON object."""
    for item, event in enumerate(found):
        events.add(event, item, envelope)
