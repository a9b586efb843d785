"""Keeps names of attributes for receipts alone: nobody who writes to the topic can claim to be a receiver. Pure."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.keys import with_names_once
from app.domain.receipt import PREFIX, unproven_name
from app.domain.rows import Rows, rows_of_pairs, with_rows_changed

_COLUMN = "LogAttributes"


def without_false_receipts(rows: Rows, proven: Sequence[int]) -> Rows:
    """The rows, of which only the proven ones have attributes with the names of a receipt; others get other names."""
    column: pa.MapArray = rows[_COLUMN]
    having = rows_of_pairs(column, pc.indices_nonzero(pc.starts_with(column.keys, PREFIX)))
    false = sorted(having.difference(proven))
    if not false:
        return rows
    changed = [{_COLUMN: _renamed(row)} for row in column.take(pa.array(false, pa.int64())).to_pylist()]
    return with_rows_changed(rows, false, changed)


def _renamed(attributes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return with_names_once([(unproven_name(name), value) for name, value in attributes])
