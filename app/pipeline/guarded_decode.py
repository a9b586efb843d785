"""Decodes chunks so that a mistake in a reader or in masking costs one record's content, and stops no other. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import Final

from msgspec.structs import replace

from app.domain.event import Event
from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.domain.rows import concatenate
from app.formats.reading import ReadingRules
from app.pipeline.decode import decode, rows_of
from app.pipeline.decoded import Decoded, ReadChunk, decoded
from app.pipeline.event_columns import EventColumns

Decode = Callable[[RecordChunk], Decoded]
RowsOf = Callable[[EventColumns, RecordChunk], Decoded]

WITHHELD: Final = (
    "The content of this record is not stored, because masking it failed. The original is in Kafka, at the topic,"
    " partition and offset of this row, as long as Kafka keeps it."
)


def decoder_of(bounds: EventTimeBounds, rules: ReadingRules, reader: str, read: ReadChunk | None = None) -> Decode:
    """The guarded decoder by these rules; its rows name the reader.

    Chunks are read by `read`, and by the reference where that fails or there is none.
    """
    by_reference = partial(decode, bounds=bounds, rules=rules, reader=reader)
    return guarded(
        by_reference if read is None else lambda chunk: decoded(read(chunk), rules),
        by_reference,
        partial(rows_of, bounds=bounds, rules=rules, reader=reader),
        partial(rows_of, bounds=bounds, rules=replace(rules, masking=None), reader=reader),
    )


def guarded(decode: Decode, decode_alone: Decode, rows_of: RowsOf, unmasked_rows_of: RowsOf) -> Decode:
    """A decoder that does not raise what `decode` raises.

    A chunk that cannot be decoded is decoded record by record, each by `decode_alone`. A record that cannot be decoded
    alone becomes one flagged row with its bytes, made by `rows_of`, which masks it. If that raises too, the row has
    nothing of the record, and is made by `unmasked_rows_of`: what cannot be masked is not stored.

    Raises (the decoder):
        MemoryError: says nothing about the records; with more memory they are read.
    """

    def row_of(event: Event, record: RecordChunk, rows_of: RowsOf) -> Decoded:
        events = EventColumns()
        events.add(event, item=0)
        return rows_of(events, record)

    def decode_record(record: RecordChunk) -> Decoded:
        try:
            return decode_alone(record)
        except MemoryError:
            raise
        except Exception as error:
            try:
                return row_of(_unread(record.values[0] or b"", error), record, rows_of)
            except MemoryError:
                raise
            except Exception as second:
                return row_of(_withheld(second), record, unmasked_rows_of)

    def decode_chunk(chunk: RecordChunk) -> Decoded:
        try:
            return decode(chunk)
        except MemoryError:
            raise
        except Exception:  # a mistake in a reader, whatever it raises
            return _joined([decode_record(chunk.record(index)) for index in range(len(chunk.values))])

    return decode_chunk


def _unread(value: bytes, error: Exception) -> Event:
    """The event of a record whose reader raised: its text, and where in the code it was raised."""
    problem = f"failed: reading raised {_named(error)}; please report it"
    return Event({"message": value.decode(errors="replace")}, problems=[problem], raw=value)


def _withheld(error: Exception) -> Event:
    return Event({"message": WITHHELD}, problems=[f"withheld: masking raised {_named(error)}; please report it"])


def _named(error: Exception) -> str:
    """Its type and place; its text may hold what was read."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"


def _joined(parts: list[Decoded]) -> Decoded:
    problems: Counter[str] = Counter()
    masked: dict[int, Mapping[str, int]] = {}
    rows = 0
    for part in parts:
        problems.update(part.problems)
        masked |= {rows + row: counts for row, counts in part.masked.items()}
        rows += part.rows.num_rows
    return Decoded(concatenate([part.rows for part in parts]), problems, masked)
