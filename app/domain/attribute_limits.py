"""Limits of the attributes of a row: what is beyond is kept as one text, and the row is flagged. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.json_values import as_text
from app.domain.keys import unused_name
from app.domain.rows import Rows, rows_of_pairs, with_rows_changed

OVERFLOW: Final = "log.overflow"
"""The attribute that holds, as a JSON object, all that are beyond the limits."""

PROBLEM: Final = "attributes"
"""The first word of the problem of such a row."""

_LIMITED: Final = ("LogAttributes", "ResourceAttributes")

Pairs = Sequence[tuple[str, str]]


class AttributeLimits(NamedTuple):
    """The most attributes of a row, `log.overflow` not counted, and the most characters of a name."""

    most: int = 1000
    name_chars: int = 256
    depth: int = 16
    """How deep objects are looked into for attributes. It holds while events are read; the others hold for rows."""

    def kept(self, rows: Rows) -> tuple[Rows, Sequence[int]]:
        """The rows within the limits, and which of them had more."""
        beyond = sorted({row for name in _LIMITED for row in self._beyond(rows[name])})
        if not beyond:
            return rows, ()
        changed = [self._of_row(row) for row in rows.take(pa.array(beyond, pa.int64())).to_pylist()]
        return with_rows_changed(rows, beyond, changed), beyond

    def _beyond(self, column: pa.MapArray) -> set[int]:
        counts = pc.subtract(column.offsets.slice(1), column.offsets.slice(0, len(column)))
        many = pc.indices_nonzero(pc.greater(counts, self.most)).to_pylist()
        long = pc.indices_nonzero(pc.greater(pc.utf8_length(column.keys), self.name_chars))
        return rows_of_pairs(column, long).union(many)

    def _of_row(self, row: Mapping[str, object]) -> dict[str, object]:
        overflow: dict[str, str] = {}
        columns: dict[str, object] = {}
        for name in reversed(_LIMITED):
            kept: list[tuple[str, str]] = []
            pairs: Pairs = row[name]  # type: ignore[assignment]
            for key, value in pairs:
                if len(kept) < self.most and len(key) <= self.name_chars:
                    kept.append((key, value))
                else:
                    overflow[unused_name(key, overflow)] = value
            columns[name] = kept
        names = {key for key, _ in kept}
        columns["LogAttributes"] = [*kept, (unused_name(OVERFLOW, names), as_text(overflow))]
        problem = f"{PROBLEM}: more than {self.most:,}, or names of more than {self.name_chars:,} characters"
        columns["ParseError"] = "; ".join(filter(None, (str(row["ParseError"]), problem)))
        return columns


DEFAULT_LIMITS: Final = AttributeLimits()


def too_deep(depth: int) -> str:
    """The problem of a row with an object that is nested deeper, and kept as the text of one attribute."""
    return f"{PROBLEM}: nested more than {depth} deep"
