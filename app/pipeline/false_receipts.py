"""Keeps names of attributes for receipts alone: nobody who writes to the topic can claim to be a receiver. Pure."""

from collections.abc import Collection, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.keys import with_names_once
from app.domain.receipt import PREFIX, unproven_name
from app.domain.rows import Rows, rows_of_pairs, with_rows_changed

_ATTRIBUTES: Final = "LogAttributes"
_RESOURCE: Final = "ResourceAttributes"
"""A query finds a name here where an event has no such attribute, and a receipt gives nothing to the resource."""


def without_false_receipts(rows: Rows, proven: Sequence[int]) -> Rows:
    """The rows, of which only the proven ones have attributes with the names of a receipt; others get other names."""
    return _renamed(_renamed(rows, _ATTRIBUTES, proven), _RESOURCE, ())


def _renamed(rows: Rows, name: str, proven: Collection[int]) -> Rows:
    """The rows, in whose column only the proven ones have names of a receipt."""
    if len(proven) == rows.num_rows:
        return rows
    column: pa.MapArray = rows[name]
    having = rows_of_pairs(column, pc.indices_nonzero(pc.starts_with(column.keys, PREFIX)))
    false = sorted(having.difference(proven))
    if not false:
        return rows
    found = column.take(pa.array(false, pa.int64())).to_pylist()
    return with_rows_changed(rows, false, [{name: _with_other_names(pairs)} for pairs in found])


def _with_other_names(attributes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return with_names_once([(unproven_name(name), value) for name, value in attributes])
