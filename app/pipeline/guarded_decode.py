"""Decodes chunks so that a mistake in a reader costs the fields of one record, and stops no other. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from traceback import extract_tb

from app.domain.event import Event
from app.domain.records import RecordChunk
from app.domain.rows import concatenate
from app.pipeline.decode import Decoded
from app.pipeline.event_columns import EventColumns

Decode = Callable[[RecordChunk], Decoded]


def guarded(decode: Decode, rows_of: Callable[[EventColumns, RecordChunk], Decoded]) -> Decode:
    """A decoder that does not raise what `decode` raises.

    A chunk that cannot be decoded is decoded record by record. A record that cannot be decoded alone becomes one
    flagged row with its bytes, made by `rows_of`.

    Raises (the decoder):
        MemoryError: says nothing about the records; with more memory they are read.
    """

    def decode_record(record: RecordChunk) -> Decoded:
        try:
            return decode(record)
        except MemoryError:
            raise
        except Exception as error:
            events = EventColumns()
            events.add(_unread(record.values[0] or b"", error), item=0)
            return rows_of(events, record)

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
    place = extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    problem = f"failed: reading raised {type(error).__name__} in {where}; please report it"
    return Event({"message": value.decode(errors="replace")}, problems=[problem], raw=value)


def _joined(parts: list[Decoded]) -> Decoded:
    problems: Counter[str] = Counter()
    masked: dict[int, Mapping[str, int]] = {}
    rows = 0
    for part in parts:
        problems.update(part.problems)
        masked |= {rows + row: counts for row, counts in part.masked.items()}
        rows += part.rows.num_rows
    return Decoded(concatenate([part.rows for part in parts]), problems, masked)
