"""Writes the columns of an insert as one block of ClickHouse's format `Native`, which it reads for the least CPU. Pure.

A block is its number of columns and of rows, then each column whole: name, type, values. ClickHouse keeps a column in
memory in nearly this form, while from Arrow it makes each text, number and map anew. Two things are not as in Arrow:
each text has its length before it, and a column of few values (LowCardinality) is a list of these and a number per row.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from app.backends.clickhouse.text_forms import ArrowForms, TextForms, written_number
from app.domain.records import Buffer

FEW_VALUES: Final = frozenset({"SeverityText", "ServiceName", "_topic", "_topic_id", "_reader", "ParseError"})
"""Columns of texts that are LowCardinality in schema.sql. In another table ClickHouse converts them."""

_NUMBERS: Final = {
    pa.uint8(): "UInt8",
    pa.uint16(): "UInt16",
    pa.uint64(): "UInt64",
    pa.timestamp("ms", tz="UTC"): "DateTime64(3, 'UTC')",
    pa.timestamp("ns", tz="UTC"): "DateTime64(9, 'UTC')",
}

# How LowCardinality is written: once per column the version; with the values a mark that they are new ones, and how
# wide the numbers are that point to them.
_VERSION: Final = (1).to_bytes(8, "little")
_NEW_VALUES: Final = 0x600
_MOST_OF_WIDTH: Final = (1 << 8, 1 << 16, 1 << 32)


def native_block(columns: Mapping[str, pa.Array], forms: TextForms | None = None) -> Sequence[Buffer]:
    """A block with these columns, which have the same number of rows; `forms` writes their texts, Arrow if None.

    It comes in the pieces in which it was made or lies in memory: to join them would be a copy of all rows.

    Raises:
        ValueError: a value is missing in a column that has no place for that.
    """
    columns_of = _Columns(forms or ArrowForms())
    count = len(next(iter(columns.values())))
    pieces: list[Buffer] = [written_number(len(columns)) + written_number(count)]
    for name, column in columns.items():
        kind, values = columns_of.written(name, column)
        pieces += [_text(name) + _text(kind), *values]
    return pieces


class _Columns:
    """Writes columns by their kinds."""

    def __init__(self, forms: TextForms) -> None:
        self._forms = forms

    def written(self, name: str, column: pa.Array) -> tuple[str, Iterator[Buffer]]:
        """Type and values of a column."""
        if column.type == pa.float32():
            return "Nullable(Float32)", _nullable(column)
        if column.null_count:
            raise ValueError(f"{name}: {column.null_count} values are missing")
        if column.type in _NUMBERS:
            return _NUMBERS[column.type], iter([_fixed(column)])
        if pa.types.is_map(column.type):
            return "Map(LowCardinality(String), String)", self._map(column)
        if name in FEW_VALUES:
            return "LowCardinality(String)", self._column_of_few_values(column)
        return "String", iter([self._forms.with_lengths(column)])

    def _map(self, column: pa.MapArray) -> Iterator[Buffer]:
        offsets = column.offsets
        first, end = offsets[0].as_py(), offsets[-1].as_py()
        yield _VERSION
        yield _fixed(pc.subtract(offsets.slice(1), first).cast(pa.uint64()))
        if first < end:  # of no pairs, nothing follows
            yield from self._few_values(column.keys.slice(first, end - first))
            yield self._forms.with_lengths(column.items.slice(first, end - first))

    def _column_of_few_values(self, column: pa.Array) -> Iterator[Buffer]:
        yield _VERSION
        yield from self._few_values(column)

    def _few_values(self, texts: pa.Array) -> Iterator[Buffer]:
        found = self._forms.few_values(texts)
        width = next(width for width, most in enumerate(_MOST_OF_WIDTH) if found.different <= most)
        yield (_NEW_VALUES | width).to_bytes(8, "little") + found.different.to_bytes(8, "little")
        yield found.values
        yield len(texts).to_bytes(8, "little")
        yield found.numbers


def _nullable(numbers: pa.Array) -> Iterator[Buffer]:
    yield _fixed(numbers.is_null().cast(pa.uint8()))
    yield _fixed(numbers.fill_null(0))


def _fixed(numbers: pa.Array) -> Buffer:
    """Numbers as they are in memory."""
    width = numbers.type.bit_width // 8
    return numbers.buffers()[1].slice(numbers.offset * width, len(numbers) * width)


def _text(text: str) -> bytes:
    data = text.encode()
    return written_number(len(data)) + data
