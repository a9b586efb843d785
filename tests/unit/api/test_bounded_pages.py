"""Pages that end before they need too much memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.api.bounded_pages import read_page
from app.domain.statement import Cost
from app.errors import QueryTooExpensive
from app.query.condition import condition_of
from app.query.language import parse
from app.query.log_id import LogId
from app.query.log_row import LogRow, RowShape
from app.query.search import Cursor, Page, Search
from app.query.time_range import TimeRange


class Table:
    """Rows of one length, the newest first; `reads` are the limits that were asked for."""

    def __init__(self, rows: int, row_bytes: int, *, fails_after: int = 1_000) -> None:
        self.reads: list[int] = []
        self._rows = rows
        self._message = "x" * row_bytes
        self._fails_after = fails_after

    def read(self, search: Search) -> Page:
        if len(self.reads) >= self._fails_after:
            raise QueryTooExpensive("time", "")
        self.reads.append(search.limit)
        before = search.cursor.before if search.cursor else None
        end = before.offset if isinstance(before, LogId) else self._rows
        offsets = range(end - 1, max(-1, end - 1 - search.limit), -1)
        rows = [LogRow(LogId(0, "t", 0, offset, 0), {"message": self._message}) for offset in offsets]
        cursor = Cursor(0, rows[-1].id, 0) if len(rows) == search.limit else None
        return Page(rows, cursor, is_complete=True, cost=Cost(len(rows), 1))

    def page(self, limit: int, *, after: Page | None = None, most_rows: int = 100_000) -> Page:
        """A page, of which no more rows are taken after `most_rows`."""
        search = Search(condition_of(parse("").tree), TimeRange(0, 1), limit, RowShape(["message"]))
        search = search.after(after.next_cursor) if after and after.next_cursor else search
        rows: list[LogRow] = []

        def take(part: Sequence[LogRow]) -> bool:
            rows.extend(part)
            return len(rows) < most_rows

        end = read_page(self.read, search, take, max_bytes=8_000_000)
        return Page(rows, end.next_cursor, end.is_complete, end.cost)


def offsets_of(page: Page) -> list[int]:
    return [row.id.offset for row in page.rows]


def test_short_rows_are_read_in_few_parts() -> None:
    table = Table(20_000, 500)

    page = table.page(10_000)

    assert offsets_of(page) == list(range(19_999, 9_999, -1))
    assert (page.is_complete, page.cost.rows_read) == (True, 10_000)
    assert len(table.reads) < 6


def test_a_small_page_is_one_part() -> None:
    table = Table(1_000, 500)

    assert len(table.page(100).rows) == 100
    assert table.reads == [100]


def test_long_rows_end_a_page_early_and_the_cursor_goes_on_without_a_gap() -> None:
    table = Table(4_000, 5_000)

    first = table.page(10_000)
    second = table.page(10_000, after=first)

    assert not first.is_complete
    assert len(first.rows) < 2_500
    assert max(table.reads) < 1_000, "no part is much larger than two megabytes"
    assert offsets_of(first) + offsets_of(second) == list(range(3_999, 3_999 - len(first.rows) - len(second.rows), -1))


def test_a_page_for_which_there_is_no_room_ends_early_and_the_cursor_goes_on_without_a_gap() -> None:
    table = Table(2_000, 500)

    first = table.page(1_500, most_rows=100)
    second = table.page(1_500, after=first)

    assert (len(first.rows), first.is_complete) == (500, False)
    assert offsets_of(first) + offsets_of(second) == list(range(1_999, -1, -1))


def test_the_last_page_has_no_cursor() -> None:
    page = Table(700, 500).page(1_000)

    assert (len(page.rows), page.next_cursor, page.is_complete) == (700, None, True)


def test_a_page_that_times_out_half_way_has_the_rows_until_then_and_a_cursor() -> None:
    page = Table(2_000, 500, fails_after=1).page(1_000)

    assert (len(page.rows), page.is_complete) == (500, False)
    assert page.next_cursor is not None
    assert page.next_cursor.before == page.rows[-1].id


def test_a_page_that_times_out_at_once_is_an_error() -> None:
    with pytest.raises(QueryTooExpensive):
        Table(2_000, 500, fails_after=0).page(1_000)
