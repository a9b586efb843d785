"""Searching for an id: the whole range at once where few logs have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.statement import Result, Statement
from app.errors import QueryTooExpensive
from app.query.condition import condition_of
from app.query.language import parse
from app.query.log_row import RowShape
from app.query.log_table import LogTable
from app.query.search import Cursor, Page, Search, Searcher
from app.query.time_range import SECOND_NS, TimeRange
from app.query.windowed_scan import Scans
from app.query.windows import Expected
from tests.fakes import Clock, ScriptedReader

MONTH = TimeRange(0, 30 * 86_400 * SECOND_NS)
SHAPE = RowShape(["message"])
COLUMNS = ("id_timestamp_ns", "id_topic_id", "id_partition", "id_offset", "id_item", "shown_0")
ID = "4bf92f3577b3"
TOO_MANY = QueryTooExpensive("rows", "too many rows")


def rows(*seconds: int) -> list[tuple[Any, ...]]:
    return [(second * SECOND_NS, "t", 0, 0, 0, f"at {second}") for second in seconds]


def searched(
    answer: Callable[[Statement], Result], query: str, *, span: TimeRange = MONTH, is_next_page: bool = False
) -> tuple[ScriptedReader, Page]:
    """The reader and a page of a search in a range, of whose logs a hundred a second are expected to match."""
    reader = ScriptedReader(answer)
    searcher = Searcher(Scans(LogTable(reader), lambda _span, _condition: Expected(100.0), Clock()))
    search = Search(condition_of(parse(query).tree), span, 100, SHAPE)
    if is_next_page:
        search = search.after(Cursor(span.start_ns, span.end_ns, search.crc))
    return reader, searcher.page(search, timeout_secs=8)


def found(*seconds: int) -> Callable[[Statement], Result]:
    return lambda _: Result(COLUMNS, rows(*seconds))


def tries(reader: ScriptedReader) -> list[bool]:
    """For each statement, whether it is a try that may read few rows only."""
    return [statement.most_rows > 0 for statement in reader.statements]


@pytest.mark.parametrize("query", [ID, "20261130184512", f"level:error {ID} declined", f'"request {ID} failed"'])
def test_what_looks_like_an_id_is_searched_for_in_the_whole_range_at_once(query: str) -> None:
    reader, page = searched(found(5000, 4000), query)

    assert tries(reader) == [True]
    assert MONTH.condition in reader.statements[0].sql
    assert ([row.fields["message"] for row in page.rows], page.next_cursor) == (["at 5000", "at 4000"], None)
    assert page.is_complete


def test_the_indexes_are_read_before_the_rows_are_counted() -> None:
    reader, _ = searched(found(), ID)

    assert reader.statements[0].sql.endswith(
        "SETTINGS optimize_use_projections = 0, use_skip_indexes_on_data_read = 0,"
        " ignore_data_skipping_indices = 'timestamp_range', use_primary_key = 0"
    )


def test_the_primary_key_is_asked_in_a_range_of_less_than_a_day() -> None:
    reader, _ = searched(found(), ID, span=TimeRange(0, 3600 * SECOND_NS))

    assert tries(reader) == [True]
    assert "use_primary_key" not in reader.statements[0].sql


def test_the_primary_key_is_asked_where_it_tells_of_a_service() -> None:
    reader, _ = searched(found(), f"service:a {ID}")

    assert tries(reader) == [True]
    assert "use_primary_key" not in reader.statements[0].sql


@pytest.mark.parametrize("limit", [TOO_MANY, QueryTooExpensive("time", "too slow")])
def test_where_many_logs_have_it_they_are_read_window_by_window(limit: QueryTooExpensive) -> None:
    def answer(statement: Statement) -> Result:
        if statement.most_rows:
            raise limit
        return Result(COLUMNS, rows(*range(100)))

    reader, page = searched(answer, ID)

    assert tries(reader) == [True, False]
    assert len(page.rows) == 100
    assert page.is_complete


def test_the_try_leaves_time_for_the_windows() -> None:
    reader, _ = searched(found(), ID)

    assert reader.timeouts_secs == [2.0]  # of eight


@pytest.mark.parametrize("word", ["refused", "authentication", "7d9f8b6c5d", "10023477"])
def test_another_word_is_searched_for_window_by_window(word: str) -> None:
    reader, _ = searched(found(), word)

    assert len(reader.statements) > 2
    assert not any(tries(reader))


def test_a_next_page_is_read_window_by_window_since_the_logs_of_the_first_were_not_few() -> None:
    reader, _ = searched(found(), ID, is_next_page=True)

    assert not any(tries(reader))


@pytest.mark.parametrize("query", [f"-{ID}", f"{ID} OR level:error", f"{ID}*", "level:error"])
def test_where_no_whole_word_must_be_there_windows_are_read(query: str) -> None:
    reader, _ = searched(found(), query)

    assert not any(tries(reader))
