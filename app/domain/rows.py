"""Rows of the table on their way into it: Arrow record batches with one fixed schema."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.columns import COLUMNS
from app.domain.records import Partition

Rows: TypeAlias = pa.RecordBatch

# Without the columns that the table fills in itself.
SCHEMA = pa.schema(
    [
        *(pa.field(column.column, column.arrow) for column in COLUMNS if column.arrow is not None),
        # Not a column of the table: the record's time in Kafka, to measure the latency until the row is stored.
        pa.field("record_time_ms", pa.int64()),
    ]
)
TABLE_COLUMNS = [name for name in SCHEMA.names if name != "record_time_ms"]

_OFFSET_BITS = 16  # an item number takes the low 16 bits of an identity, the offset the rest


def concatenate(parts: Sequence[Rows]) -> Rows:
    """All rows in one record batch: one batch is one block of one insert."""
    if len(parts) == 1:
        return parts[0]
    return pa.concat_batches(parts)


def with_rows_changed(rows: Rows, places: Sequence[int], changed: Sequence[Mapping[str, object]]) -> Rows:
    """The rows with other columns at these places."""
    new = list(range(rows.num_rows))
    for index, place in enumerate(places):
        new[place] = rows.num_rows + index
    columns = []
    for field in rows.schema:
        column = rows[field.name]
        if field.name in changed[0]:
            others = pa.array([row[field.name] for row in changed], field.type)
            column = pa.concat_arrays([column, others]).take(pa.array(new, pa.int64()))
        columns.append(column)
    return pa.record_batch(columns, schema=rows.schema)


def rows_of_pairs(column: pa.MapArray, pairs: pa.UInt64Array) -> set[int]:
    """The rows in whose maps these pairs are; pairs have numbers in `column.keys`."""
    if not len(pairs):
        return set()
    ends = column.offsets.slice(1).to_pylist()
    return {bisect_right(ends, pair) for pair in pairs.to_pylist()}


def identities(rows: Rows) -> pa.UInt64Array:
    """Offset and item of each row as one number; unique within a partition of a topic."""
    offsets = pc.shift_left(rows["_offset"], pa.scalar(_OFFSET_BITS, pa.uint64()))
    return pc.bit_wise_or(offsets, rows["_item"].cast(pa.uint64()))


def partitions_of(rows: Rows) -> Iterable[tuple[str, int]]:
    """The distinct pairs of topic id and partition number in `rows`."""
    pairs = rows.select(["_topic_id", "_partition"])
    table = pa.Table.from_batches([pairs]).group_by(["_topic_id", "_partition"], use_threads=False).aggregate([])
    return [(row["_topic_id"], row["_partition"]) for row in table.to_pylist()]


def without_partitions(rows: Rows, partitions: Iterable[Partition]) -> Rows:
    """The rows of all other partitions."""
    for partition in partitions:
        rows = rows.filter(pc.not_equal(rows["_partition"], partition.number))
    return rows


def first_position(rows: Rows) -> tuple[Partition, int]:
    """Partition and offset of the first row."""
    return Partition(rows["_topic"][0].as_py(), rows["_partition"][0].as_py()), rows["_offset"][0].as_py()


def is_flagged(row: Rows) -> bool:
    """Whether `flagged` returned this single row."""
    return str(row["ParseError"][0]).startswith("refused:")


def flagged(row: Rows, reason: str) -> Rows:
    """A single row that ClickHouse refused, in a form that it cannot refuse: identity, time, and the row as JSON."""
    return _bare(row, {"ParseError": reason, "_raw": json.dumps(_plain_row(row), ensure_ascii=False).encode()})


def whole_record(rows: Rows, reason: str, *, item: int, items: int) -> Rows:
    """One row that holds all rows of a record as JSON: number `item` of the `items` that the table then has of it."""
    whole = [_plain_row(rows.slice(index, 1)) for index in range(rows.num_rows)]
    raw = json.dumps(whole, ensure_ascii=False).encode()
    return _bare(rows.slice(0, 1), {"ParseError": reason, "_raw": raw, "_item": item, "_items": items})


_KEPT = ("Timestamp", "_topic", "_topic_id", "_partition", "_offset", "_item", "_items", "_reader", "record_time_ms")


def _bare(row: Rows, values: Mapping[str, object]) -> Rows:
    """A single row with these values, its identity and its time; all else is empty."""

    def column(field: pa.Field) -> pa.Array:
        if field.name in _KEPT and field.name not in values:
            return row[field.name]
        return pa.array([values.get(field.name, _empty(field.type))], field.type)

    return pa.record_batch([column(field) for field in SCHEMA], schema=SCHEMA)


def _plain_row(row: Rows) -> Mapping[str, object]:
    return {name: _plain(row[name]) for name in SCHEMA.names}


def _empty(kind: pa.DataType) -> object:
    """The empty value of a column of this type."""
    if pa.types.is_map(kind):
        return []
    if pa.types.is_floating(kind):
        return None
    return 0 if pa.types.is_integer(kind) else ""


def _plain(column: pa.Array) -> object:
    """The single value of a column, as a value that JSON can hold."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())  # Python's datetime has no nanoseconds
    value = column[0].as_py()
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
