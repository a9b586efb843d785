"""Arrow arrays that are built in a special way: maps of attributes, and columns with few values. Pure."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain, compress
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.json_values import as_text

Row = tuple[Collection[str], Collection[Any]]
"""Names, and in parallel values, of which those that are null do not count."""

_USUAL_ROWS: Final = 5_000  # that of one poll


def map_array(rows: Sequence[Row]) -> pa.MapArray:
    """One map per row, with its names and values in order; values that are not text become JSON."""
    names, values = zip(*rows, strict=True) if rows else ((), ())
    keys, items = list(chain.from_iterable(names)), list(chain.from_iterable(values))
    texts = pa.array([value if type(value) is str else _text(value) for value in items], pa.string())
    if texts.null_count:
        return map_array([_without_nulls(row) if None in row[1] else row for row in rows])
    offsets = pa.array(list(accumulate(map(len, names), initial=0)), pa.int32())
    return pa.MapArray.from_arrays(offsets, pa.array(keys, pa.string()), texts)


def _text(value: object) -> str | None:
    if type(value) is int and -_SAME_IN_JSON < value < _SAME_IN_JSON:
        return str(value)
    return None if value is None else as_text(value)


_SAME_IN_JSON: Final = 10**18  # beyond, converting it may fail


def _without_nulls(row: Row) -> Row:
    names, values = row
    is_there = [value is not None for value in values]
    return list(compress(names, is_there)), list(compress(values, is_there))


def single_key_map(key: str, values: pa.StringArray) -> pa.MapArray:
    """One map per row, with a single key; an empty map where the value is empty."""
    is_present = pc.not_equal(values, "")
    if pc.all(is_present).as_py():
        return filled_map(key, values)
    present = values.filter(is_present)
    ends = pc.cumulative_sum(is_present.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.MapArray.from_arrays(offsets, repeated(key, len(present), pa.string()), present)


def filled_map(key: str, values: pa.StringArray) -> pa.MapArray:
    """One map per row, with a single key, whatever the value is."""
    count = len(values)
    return pa.MapArray.from_arrays(_numbers_to(count), repeated(key, count, pa.string()), values)


def _numbers_to(last: int) -> pa.Int32Array:
    """The numbers from 0 on. Those of many chunks share their memory."""
    return _numbers(_USUAL_ROWS).slice(0, last + 1) if last <= _USUAL_ROWS else _numbers(last)


@lru_cache(maxsize=2)
def _numbers(last: int) -> pa.Int32Array:
    return pa.array(range(last + 1), pa.int32())


def repeated(value: object, count: int, kind: pa.DataType) -> pa.Array:
    """An array of one value, `count` times. Those of many chunks share their memory."""
    if count > _USUAL_ROWS:
        return pa.repeat(pa.scalar(value, kind), count)
    return _usual_rows(value, kind).slice(0, count)


@lru_cache(maxsize=256)
def _usual_rows(value: object, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), _USUAL_ROWS)


def sparse_array(values: Mapping[int, Any], default: object, count: int, kind: pa.DataType) -> pa.Array:
    """An array of `count` elements: the value given for a row, else the default."""
    if not values:
        return repeated(default, count, kind)
    return pa.array([values.get(row, default) for row in range(count)], kind)
