"""Arrow arrays that are built in a special way: maps of attributes, and columns with few values. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.json_values import as_text


def map_array(rows: Iterable[Sequence[tuple[str, Any]] | None]) -> pa.MapArray:
    """One map per row, with its pairs in order; values that are not text become JSON."""
    offsets, keys, items = [0], [], []
    for pairs in rows:
        if pairs:
            for name, value in pairs:
                keys.append(name)
                items.append(value if type(value) is str else as_text(value))
        offsets.append(len(keys))
    return pa.MapArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(keys, pa.string()), pa.array(items, pa.string())
    )


def single_key_map(key: str, values: pa.StringArray) -> pa.MapArray:
    """One map per row, with a single key; an empty map where the value is empty."""
    is_present = pc.not_equal(values, "")
    present = values.filter(is_present)
    ends = pc.cumulative_sum(is_present.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.MapArray.from_arrays(offsets, pa.repeat(pa.scalar(key), len(present)), present)


def sparse_array(values: Mapping[int, Any], default: object, count: int, kind: pa.DataType) -> pa.Array:
    """An array of `count` elements: the value given for a row, else the default."""
    if not values:
        return pa.repeat(pa.scalar(default, kind), count)
    return pa.array([values.get(row, default) for row in range(count)], kind)
