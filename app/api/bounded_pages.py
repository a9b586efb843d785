"""Pages bounded by bytes: rows are read in parts of about two megabytes, sized by the length of those before.

Rows may have any length, and ClickHouse's own limit of a result is too high for many results at the same time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from app.domain.statement import Cost
from app.errors import QueryTooExpensive
from app.query.log_row import LogRow
from app.query.search import Cursor, Page, Search

_FIRST_ROWS: Final = 500  # of unknown length
_MOST_ROWS: Final = 5_000
_PART_BYTES: Final = 2_000_000
_OVERHEAD_BYTES: Final = 20  # of a field: its name, quotes and separators
MAX_JSON_BYTES: Final = 8_000_000  # 10,000 usual logs are less
"""Bytes after which a page of JSON, whose text is in memory as a whole, ends early with a cursor."""

Read = Callable[[Search], Page]
"""Reads the next page of a search."""

Take = Callable[[Sequence[LogRow]], bool]
"""Takes rows; returns whether there is room for more."""


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


class PageEnd(Struct, frozen=True):
    """How a page ended: `next_cursor` and `is_complete` are those of `Page`."""

    next_cursor: Cursor | None
    is_complete: bool
    cost: Cost


def read_page(read: Read, search: Search, take: Take, *, max_bytes: int = MAX_JSON_BYTES) -> PageEnd:
    """Read a page of at most `search.limit` rows and about `max_bytes`, each part of which `take` gets.

    One that ends early, also because `take` has no room for more, has a cursor and is incomplete.

    Raises:
        QueryTooExpensive: there is no time for even the first part.
        Abandoned, TryAgainLater, Refused: see `LogTable.run`.
    """
    left, cost, size = search.limit, Cost(), PartSize()
    while True:
        try:
            page = read(replace(search, limit=min(left, size.rows)))
        except QueryTooExpensive:
            if search.cursor is None or left == search.limit:
                raise
            return PageEnd(search.cursor, is_complete=False, cost=cost)
        left -= len(page.rows)
        cost += page.cost
        has_room = take(page.rows)
        if page.next_cursor is None or not page.is_complete or left <= 0:
            return PageEnd(page.next_cursor, page.is_complete, cost)
        size.add(page.rows)
        if not has_room or size.total_bytes >= max_bytes:
            return PageEnd(page.next_cursor, is_complete=False, cost=cost)
        search = search.after(page.next_cursor)


def _approximate_bytes(row: LogRow) -> int:
    return sum(_OVERHEAD_BYTES + _length(value) for value in row.fields.values())


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_OVERHEAD_BYTES + len(key) + len(text) for key, text in value.items())
    return 8
