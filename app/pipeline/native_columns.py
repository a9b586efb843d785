"""The columns that compiled code has filled, as rows: the memory that it wrote is used where it lies. Pure."""

from collections.abc import Sequence
from typing import Final, Protocol

import pyarrow as pa

from app.domain.columns import SENT, Column, Kind
from app.domain.records import Buffer, RecordChunk
from app.domain.rows import SCHEMA, Rows
from app.formats.plain_plan import TEXT_FIELDS
from app.pipeline.arrow_maps import filled_map, single_key_map, sparse_array
from app.pipeline.shared_columns import IDS, ids, origin, severity, severity_of_words

_ATTRIBUTES: Final = SCHEMA.field("LogAttributes").type
_PAIR: Final = (_ATTRIBUTES.key_field, _ATTRIBUTES.item_field)
_NAMES: Final = SCHEMA.names
_INT32_BYTES: Final = 4


class NativeColumns(Protocol):
    """Columns of `count` rows in Arrow's layout, and the numbers of the records that became none of them."""

    count: int
    others: Sequence[int]
    texts: Sequence[tuple[Buffer, Buffer]]
    """Of each field of `TEXT_FIELDS` the offsets and bytes."""
    attributes: Buffer
    names: tuple[Buffer, Buffer]
    values: tuple[Buffer, Buffer]
    times: Buffer
    numbers: Buffer
    are_numbers: Buffer

    def are_filled(self, column: int, /) -> bool:
        """Whether no text of this number in `texts` is empty."""

    def are_ids(self, column: int, digits: int, /) -> bool:
        """Whether every text of this number in `texts` is empty, or an id of so many digits in the usual spelling."""

    def distinct(self, column: int, /) -> tuple[list[str], Buffer] | None:
        """The different texts of this number in `texts`, and for each row the number of its own; None for many."""


def native_rows(columns: NativeColumns, chunk: RecordChunk, record_ms: pa.Int64Array, reader: str) -> Rows:
    """The rows; `chunk` and `record_ms` are of their records alone."""
    texts = {name: _texts(columns.count, of) for name, of in zip(TEXT_FIELDS, columns.texts, strict=True)}
    found = {
        **origin(chunk, chunk.offsets, reader),
        "_item": sparse_array({}, 0, columns.count, pa.uint16()),
        "_items": sparse_array({}, 1, columns.count, pa.uint16()),
        "record_time_ms": record_ms,
        "LogAttributes": _attributes(columns),
        "ParseError": sparse_array({}, "", columns.count, pa.string()),
        "_raw": sparse_array({}, b"", columns.count, pa.binary()),
    }
    for column in SENT.values():
        match column.kind:
            case Kind.LEVEL:
                found[column.column], found["SeverityNumber"] = _severity(columns, column.name, texts[column.name])
            case Kind.TIME:
                found[column.column] = _fixed(SCHEMA.field(column.column).type, columns.count, columns.times)
            case Kind.NUMBER:
                found[column.column] = _fixed(pa.float32(), columns.count, columns.numbers, columns.are_numbers)
            case _ if column.key:
                found[column.column] = _keyed(columns, column, texts[column.name])
            case _ if column.name in IDS:
                found[column.column] = _ids(columns, column.name, texts[column.name])
            case _:
                found[column.column] = texts[column.name]
    return pa.record_batch([found[name] for name in _NAMES], schema=SCHEMA)


def _texts(count: int, buffers: tuple[Buffer, Buffer]) -> pa.StringArray:
    offsets, data = map(pa.py_buffer, buffers)
    return pa.StringArray.from_buffers(count, offsets, data)


def _keyed(columns: NativeColumns, column: Column, texts: pa.StringArray) -> pa.MapArray:
    if columns.are_filled(TEXT_FIELDS.index(column.name)):
        return filled_map(column.key, texts)
    return single_key_map(column.key, texts)


def _severity(columns: NativeColumns, name: str, levels: pa.StringArray) -> tuple[pa.StringArray, pa.UInt8Array]:
    distinct = columns.distinct(TEXT_FIELDS.index(name))
    if distinct is None:
        return severity(levels)
    words, places = distinct
    return severity_of_words(levels, words, _fixed(pa.uint8(), columns.count, places))


def _ids(columns: NativeColumns, name: str, texts: pa.StringArray) -> pa.StringArray:
    digits, _ = IDS[name]
    return texts if columns.are_ids(TEXT_FIELDS.index(name), digits) else ids(name, texts)


def _fixed(kind: pa.DataType, count: int, values: Buffer, are_valid: Buffer = None) -> pa.Array:
    valid = None if are_valid is None else pa.py_buffer(are_valid)
    return pa.Array.from_buffers(kind, count, [valid, pa.py_buffer(values)])


def _attributes(columns: NativeColumns) -> pa.MapArray:
    count = memoryview(columns.names[0]).nbytes // _INT32_BYTES - 1
    pairs = pa.StructArray.from_arrays([_texts(count, columns.names), _texts(count, columns.values)], fields=_PAIR)
    return pa.MapArray.from_buffers(
        _ATTRIBUTES, columns.count, [None, pa.py_buffer(columns.attributes)], children=[pairs]
    )
