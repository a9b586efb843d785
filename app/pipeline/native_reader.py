"""Reads chunks by compiled code (`native/`), and what that leaves by the reference. Pure.

Compiled code takes the records of which it is certain: plain objects with values of the usual types. So this makes the
rows that the reference makes; a property test holds it to that.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.event_time import EventTimeBounds
from app.domain.records import Buffer, RecordChunk
from app.formats.envelope import NOTHING_SAID
from app.formats.json_text import MAX_JSON_BYTES
from app.formats.plain_plan import TEXT_FIELDS, Inner, PlainPlan, plan_of
from app.formats.reading import ReadingRules
from app.pipeline.decode import envelopes_of, has_envelopes
from app.pipeline.decoded import Problems, ReadChunk, ReadRows
from app.pipeline.native_columns import NativeColumns, native_rows
from app.pipeline.shared_columns import whole_numbers

Learn = Callable[[tuple[str, ...], Sequence[Inner]], PlainPlan | None]


class CompiledReader(Protocol):
    """What is compiled. It remembers the plans of the keys that it has seen."""

    def read(self, values: Sequence[bytes | None], record_ms: Buffer) -> NativeColumns:
        """The rows of those values that are plain; `record_ms` has the time of each record in 64 bits."""


class NewReader(Protocol):
    """Makes one."""

    def __call__(
        self, learn: Learn, text_columns: int, most_bytes: int, past_ms: int, future_ms: int
    ) -> CompiledReader: ...


class NativeReader:
    """A `ReadChunk`."""

    def __init__(
        self, new_reader: NewReader, bounds: EventTimeBounds, rules: ReadingRules, reader: str, read_others: ReadChunk
    ) -> None:
        """`read_others` reads what the compiled code leaves; `reader` is the name of the reader in the rows."""
        learn = partial(plan_of, limits=rules.limits)
        self._compiled = new_reader(learn, len(TEXT_FIELDS), MAX_JSON_BYTES, bounds.past_ms, bounds.future_ms)
        self._rules = rules
        self._reader = reader
        self._read_others = read_others

    def __call__(self, chunk: RecordChunk) -> ReadRows:
        """The rows of a chunk, as the reference makes them."""
        record_ms = whole_numbers(chunk.timestamps_ms, pa.int64())
        columns = self._compiled.read(self._values(chunk), record_ms.buffers()[1])
        if not columns.count:
            return self._read_others(chunk)
        if not columns.others:
            return ReadRows(native_rows(columns, chunk, record_ms, self._reader), {}, have_usual_names=True)
        left = frozenset(columns.others)
        taken = [number for number in range(len(chunk.values)) if number not in left]
        rows = native_rows(columns, chunk.records(taken), record_ms.take(pa.array(taken, pa.int64())), self._reader)
        return _merged(ReadRows(rows, {}), self._read_others(chunk.records(columns.others)))

    def _values(self, chunk: RecordChunk) -> Sequence[bytes | None]:
        """The values, without those of records whose headers or keys say something of their events."""
        if not has_envelopes(chunk, self._rules):
            return chunk.values
        envelopes = envelopes_of(chunk, self._rules)
        return [
            value if envelope is NOTHING_SAID else None for value, envelope in zip(chunk.values, envelopes, strict=True)
        ]


def _merged(first: ReadRows, second: ReadRows) -> ReadRows:
    """The rows of both, in the order of their records."""
    rows = pa.concat_batches([first.rows, second.rows])
    order = pc.sort_indices(rows["_offset"])  # stable, so the events of a record stay in order
    if not second.problems and not second.with_proven_receipt:
        return ReadRows(rows.take(order), {})
    place = {old: new for new, old in enumerate(order.to_pylist())}
    problems: Problems = {place[first.rows.num_rows + row]: found for row, found in second.problems.items()}
    proven = [place[first.rows.num_rows + row] for row in second.with_proven_receipt]
    return ReadRows(rows.take(order), problems, proven)
