"""Pages bounded by bytes: rows are read in parts of about two megabytes, sized by the length of those before.

Rows may have any length, and ClickHouse's own limit of a result is too high for many results at the same time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from app.domain.statement import Cost
from app.errors import QueryTooExpensive
from app.query.log_row import LogRow
from app.query.search import Page, Search

_FIRST_ROWS: Final = 500  # of unknown length
_MOST_ROWS: Final = 5_000
_PART_BYTES: Final = 2_000_000
_OVERHEAD_BYTES: Final = 20  # of a field: its name, quotes and separators
MAX_JSON_BYTES: Final = 16_000_000
"""Bytes after which a page of JSON, which is made as a whole, ends early with a cursor."""

Read = Callable[[Search], Page]
"""Reads the next page of a search."""


class PartSize:
    """How many rows to read next, by the length of those before."""

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS
        self.total_bytes = 0

    def add(self, rows: Sequence[LogRow]) -> None:
        """Take note of rows that were read."""
        if rows:
            added_bytes = sum(map(_approximate_bytes, rows))
            self.total_bytes += added_bytes
            self.rows = min(_MOST_ROWS, max(1, _PART_BYTES * len(rows) // max(1, added_bytes)))


def read_page(read: Read, search: Search, *, max_bytes: int = MAX_JSON_BYTES) -> Page:
    """A page of at most `search.limit` rows and about `max_bytes`; one that ends early has a cursor and is incomplete.

    Raises:
        QueryTooExpensive: there is no time for even the first part.
        Abandoned, TryAgainLater, Refused: see `LogTable.run`.
    """
    limit, rows, cost, size = search.limit, list[LogRow](), Cost(), PartSize()
    while True:
        try:
            page = read(replace(search, limit=min(limit - len(rows), size.rows)))
        except QueryTooExpensive:
            if search.cursor is None or not rows:
                raise
            return Page(rows, search.cursor, is_complete=False, cost=cost)
        rows += page.rows
        cost += page.cost
        size.add(page.rows)
        if page.next_cursor is None or not page.is_complete or len(rows) >= limit:
            return replace(page, rows=rows, cost=cost)
        if size.total_bytes >= max_bytes:
            return Page(rows, page.next_cursor, is_complete=False, cost=cost)
        search = search.after(page.next_cursor)


def _approximate_bytes(row: LogRow) -> int:
    return sum(_OVERHEAD_BYTES + _length(value) for value in row.fields.values())


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_OVERHEAD_BYTES + len(key) + len(text) for key, text in value.items())
    return 8
