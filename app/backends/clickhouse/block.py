"""Writes the columns of an insert as one block of ClickHouse's format `Native`, which it reads for the least CPU. Pure.

A block is its number of columns and of rows, then each column whole: name, type, values. ClickHouse keeps a column in
memory in nearly this form, while from Arrow it makes each text, number and map anew. Two things are not as in Arrow:
each text has its length before it, and a column of few values (LowCardinality) is a list of these and a number per row.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

Bytes = Any
"""An object with Python's buffer protocol."""

FEW_VALUES: Final = frozenset({"SeverityText", "ServiceName", "_topic", "_topic_id", "_reader", "ParseError"})
"""Columns of texts that are LowCardinality in schema.sql. In another table ClickHouse converts them."""

_NUMBERS: Final = {
    pa.uint8(): "UInt8",
    pa.uint16(): "UInt16",
    pa.uint64(): "UInt64",
    pa.timestamp("ms", tz="UTC"): "DateTime64(3, 'UTC')",
    pa.timestamp("ns", tz="UTC"): "DateTime64(9, 'UTC')",
}
_SHORT: Final = 128  # a length below it is one byte

# How LowCardinality is written: once per column the version; with the values a mark that they are new ones, and which
# kind of numbers point to them.
_VERSION: Final = (1).to_bytes(8, "little")
_NEW_VALUES: Final = 0x600
_INDEXES: Final = ((1 << 8, pa.uint8()), (1 << 16, pa.uint16()), (1 << 32, pa.uint32()))


def native_block(columns: Mapping[str, pa.Array]) -> memoryview:
    """A block with these columns, which have the same number of rows.

    Raises:
        ValueError: a value is missing in a column that has no place for that.
    """
    block = BytesIO()
    count = len(next(iter(columns.values())))
    block.write(_number(len(columns)) + _number(count))
    for name, column in columns.items():
        kind, values = _column(name, column)
        block.write(_text(name) + _text(kind))
        block.writelines(values)
    return block.getbuffer()


def _column(name: str, column: pa.Array) -> tuple[str, Iterator[Bytes]]:
    """Type and values of a column."""
    if column.type == pa.float32():
        return "Nullable(Float32)", _nullable(column)
    if column.null_count:
        raise ValueError(f"{name}: {column.null_count} values are missing")
    if column.type in _NUMBERS:
        return _NUMBERS[column.type], iter([_fixed(column)])
    if pa.types.is_map(column.type):
        return "Map(LowCardinality(String), String)", _map(column)
    if name in FEW_VALUES:
        return "LowCardinality(String)", _with_version(column)
    return "String", iter([_texts(column)])


def _nullable(numbers: pa.Array) -> Iterator[Bytes]:
    yield _fixed(numbers.is_null().cast(pa.uint8()))
    yield _fixed(numbers.fill_null(0))


def _map(column: pa.MapArray) -> Iterator[Bytes]:
    offsets = column.offsets
    first, end = offsets[0].as_py(), offsets[-1].as_py()
    yield _VERSION
    yield _fixed(pc.subtract(offsets.slice(1), first).cast(pa.uint64()))
    if first < end:  # of no pairs, nothing follows
        yield from _few_values(column.keys.slice(first, end - first))
        yield _texts(column.items.slice(first, end - first))


def _with_version(column: pa.Array) -> Iterator[Bytes]:
    yield _VERSION
    yield from _few_values(column)


def _few_values(texts: pa.Array) -> Iterator[Bytes]:
    found = texts.dictionary_encode()
    count = len(found.dictionary)
    kind, index = next((kind, index) for kind, (most, index) in enumerate(_INDEXES) if count <= most)
    yield (_NEW_VALUES | kind).to_bytes(8, "little") + count.to_bytes(8, "little")
    yield _texts(found.dictionary)
    yield len(texts).to_bytes(8, "little")
    yield _fixed(found.indices.cast(index))


def _texts(texts: pa.Array) -> Bytes:
    """The texts one after another, each with its length before it."""
    lengths = pc.binary_length(texts)
    longest = pc.max(lengths).as_py()
    if not longest:
        return bytes(len(texts))
    prefixes = _short_lengths(lengths) if longest < _SHORT else _any_lengths(lengths)
    return _data(pc.binary_join_element_wise(prefixes, texts.cast(pa.binary()), b""))


def _short_lengths(lengths: pa.Int32Array) -> pa.BinaryArray:
    offsets = pa.arange(0, len(lengths) + 1).cast(pa.int32())
    return pa.Array.from_buffers(
        pa.binary(), len(lengths), [None, offsets.buffers()[1], _fixed(lengths.cast(pa.uint8()))]
    )


def _any_lengths(lengths: pa.Int32Array) -> pa.BinaryArray:
    found = lengths.dictionary_encode()
    return pa.array(map(_number, found.dictionary.to_pylist()), pa.binary()).take(found.indices)


def _data(texts: pa.Array) -> Bytes:
    offsets = pa.Array.from_buffers(pa.int32(), len(texts) + 1, [None, texts.buffers()[1]], offset=texts.offset)
    first, end = offsets[0].as_py(), offsets[-1].as_py()
    return texts.buffers()[2].slice(first, end - first)


def _fixed(numbers: pa.Array) -> Bytes:
    """Numbers as they are in memory."""
    width = numbers.type.bit_width // 8
    return numbers.buffers()[1].slice(numbers.offset * width, len(numbers) * width)


def _text(text: str) -> bytes:
    data = text.encode()
    return _number(len(data)) + data


def _number(number: int) -> bytes:
    """A number in as many bytes as it needs, seven bits in each."""
    written = bytearray()
    while number >= _SHORT:
        written.append(number % _SHORT | _SHORT)
        number //= _SHORT
    written.append(number)
    return bytes(written)
