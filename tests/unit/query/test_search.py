"""Searching window by window: pages, cursors, and timeouts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.statement import Cost, Result, Statement
from app.errors import QueryTooExpensive, TryAgainLater
from app.query.condition import condition_of
from app.query.errors import BadParameter
from app.query.language import parse
from app.query.log_id import LogId
from app.query.log_row import RowShape
from app.query.log_table import LogTable
from app.query.search import Cursor, Search, Searcher
from app.query.time_range import SECOND_NS, TimeRange
from app.query.windowed_scan import Scans
from app.query.windows import Expected
from tests.fakes import Clock, ScriptedReader

HOUR = TimeRange(0, 3600 * SECOND_NS)
SHAPE = RowShape(["message"])
COLUMNS = ("id_timestamp_ns", "id_topic_id", "id_partition", "id_offset", "id_item", "shown_0")


def row(second: int, offset: int = 0) -> tuple[Any, ...]:
    return (second * SECOND_NS, "t", 0, offset, 0, f"at {second}")


def answering(*rows: tuple[Any, ...]) -> Callable[[Statement], Result]:
    return lambda _: Result(COLUMNS, rows, Cost(10, 100))


class Setup:
    """A search over a scripted reader."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reader = ScriptedReader(answering())
        self.searcher = Searcher(Scans(LogTable(self.reader), lambda _span, _condition: Expected(100.0), self.clock))

    def search(self, query: str = "", *, limit: int = 100) -> Search:
        return Search(condition_of(parse(query).tree), HOUR, limit, SHAPE)


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_no_further_window_is_read_when_there_are_enough_rows(setup: Setup) -> None:
    setup.reader.answer = answering(row(3599), row(3598))

    page = setup.searcher.page(setup.search(limit=2), timeout_secs=1)

    assert len(setup.reader.statements) == 1
    assert [found.fields["message"] for found in page.rows] == ["at 3599", "at 3598"]
    assert page.is_complete
    assert page.next_cursor is not None
    assert page.next_cursor.before == LogId(3598 * SECOND_NS, "t", 0, 0, 0)


def test_all_windows_are_read_when_there_are_too_few(setup: Setup) -> None:
    page = setup.searcher.page(setup.search(limit=10), timeout_secs=1)

    assert len(setup.reader.statements) > 2
    assert (page.rows, page.next_cursor, page.is_complete) == ([], None, True)
    assert page.cost == Cost(10 * len(setup.reader.statements), 100 * len(setup.reader.statements))


@pytest.mark.parametrize(
    ("query", "is_filtered_first"),
    [
        ("", True),
        ("service:a level:>=warn", True),
        ("http.status_code:[500 TO 503] -service:a", True),
        ("duration_ms:>500", True),
        ("service:a timeout", False),
        ("level:error http.route:x", False),
        ("http.status_code:>500 OR -http.route:*", False),
        ("offset:>7", False),
        ("user_id:>7", False),
    ],
)
def test_small_columns_are_filtered_first(setup: Setup, query: str, is_filtered_first: bool) -> None:
    setup.searcher.page(setup.search(query), timeout_secs=1)

    assert all((" PREWHERE " in statement.sql) is is_filtered_first for statement in setup.reader.statements)


def test_long_windows_by_service_and_level_ask_no_indexes(setup: Setup) -> None:
    setup.searcher.page(setup.search("service:a", limit=100_000), timeout_secs=1)
    setup.searcher.page(setup.search("service:a", limit=1), timeout_secs=1)

    long, *short = [statement.sql for statement in setup.reader.statements]
    assert "use_skip_indexes = 0" in long
    assert not any("use_skip_indexes" in sql for sql in short)


def test_a_window_requests_only_missing_rows_in_the_remaining_time(setup: Setup) -> None:
    def answer(_: Statement) -> Result:
        setup.clock.advance(0.25)
        return Result(COLUMNS, [row(3600 - len(setup.reader.statements))])

    setup.reader.answer = answer
    setup.searcher.page(setup.search(limit=3), timeout_secs=1)

    limits = [re.findall(r"LIMIT (\d+)", statement.sql) for statement in setup.reader.statements]
    assert limits == [["3"], ["2"], ["1"]]
    assert setup.reader.timeouts_secs == [1.0, 0.75, 0.5]


@pytest.mark.parametrize("is_reported_by_clickhouse", [True, False])
def test_a_timeout_returns_the_rows_found_and_a_cursor(setup: Setup, is_reported_by_clickhouse: bool) -> None:
    def answer(_: Statement) -> Result:
        if len(setup.reader.statements) == 3 and is_reported_by_clickhouse:
            raise QueryTooExpensive("time", "too slow")
        if len(setup.reader.statements) == 2 and not is_reported_by_clickhouse:
            setup.clock.advance(1.0)
        return Result(COLUMNS, [row(3600 - len(setup.reader.statements))])

    setup.reader.answer = answer
    page = setup.searcher.page(setup.search(limit=50), timeout_secs=1)

    assert [found.fields["message"] for found in page.rows] == ["at 3599", "at 3598"]
    assert not page.is_complete
    assert page.next_cursor is not None
    assert 0 < int(str(page.next_cursor.before)) < HOUR.end_ns


def test_the_next_page_continues_where_the_time_was_up(setup: Setup) -> None:
    search = setup.search(limit=50)
    setup.reader.errors.extend([QueryTooExpensive("time", "too slow")])
    middle = Cursor(0, 1000 * SECOND_NS, search.crc)
    setup.reader.errors.clear()

    setup.searcher.page(search.after(middle), timeout_secs=1)

    assert f"Timestamp < fromUnixTimestamp64Nano({1000 * SECOND_NS}, 'UTC')" in setup.reader.statements[0].sql
    assert "id_ns" not in setup.reader.statements[0].parameters


def test_a_timeout_in_the_first_window_is_an_error(setup: Setup) -> None:
    setup.reader.errors.append(QueryTooExpensive("time", "too slow"))
    with pytest.raises(QueryTooExpensive):
        setup.searcher.page(setup.search(), timeout_secs=1)


def test_an_unavailable_clickhouse_is_not_taken_for_a_timeout(setup: Setup) -> None:
    setup.reader.errors.append(TryAgainLater("away", code="unreachable"))
    with pytest.raises(TryAgainLater):
        setup.searcher.page(setup.search(), timeout_secs=1)


def test_a_cursor_keeps_the_start_of_the_first_page(setup: Setup) -> None:
    search = setup.search()
    later = Search(search.condition, TimeRange(500 * SECOND_NS, HOUR.end_ns), 100, SHAPE)

    setup.searcher.page(later.after(Cursor(7, LogId(9 * SECOND_NS, "t", 0, 1, 0), search.crc)), timeout_secs=1)

    assert "fromUnixTimestamp64Nano(7, 'UTC')" in setup.reader.statements[-1].sql


def test_a_cursor_is_valid_only_for_its_query(setup: Setup) -> None:
    search, other = setup.search("level:error"), setup.search("level:warn")
    for before in (123, LogId(5, "topic-id_1", 2, 3, 4)):
        cursor = Cursor(1, before, search.crc)
        assert Cursor.read(str(cursor), search.crc) == cursor
        with pytest.raises(BadParameter, match="belongs to another query"):
            Cursor.read(str(cursor), other.crc)


@pytest.mark.parametrize("text", ["", "x", "1~2", "1~x~5", "1~2~zz", "1~2~5~6", "~~"])
def test_an_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="is not the next_cursor of a response"):
        Cursor.read(text, 5)


def test_a_user_is_looked_for_where_the_rollup_has_him(setup: Setup) -> None:
    def answer(asked: Statement) -> Result:
        if "LIMIT 10000" in asked.sql:
            return Result(("bucket_start", "rows"), [(3300, 1), (900, 1)], Cost(1, 10))
        return Result(COLUMNS, [row(3400), row(1000)], Cost(10, 100))

    setup.reader.answer = answer
    page = setup.searcher.page(setup.search("user_id:7", limit=3), timeout_secs=1)

    assert len(setup.reader.statements) == 2
    assert "IN (3300, 900)" in setup.reader.statements[1].sql
    assert [found.fields["message"] for found in page.rows] == ["at 3400", "at 1000"]
    assert (page.next_cursor, page.is_complete, page.cost) == (None, True, Cost(11, 110))


def test_when_the_time_is_up_between_two_stretches_the_next_page_goes_on_there(setup: Setup) -> None:
    def answer(asked: Statement) -> Result:
        if "LIMIT 10000" in asked.sql:
            return Result(("bucket_start", "rows"), [(3300, 5), (900, 5)])
        setup.clock.advance(1.0)
        return Result(COLUMNS, [row(3400)])

    setup.reader.answer = answer
    page = setup.searcher.page(setup.search("user_id:7 timeout", limit=3), timeout_secs=1)

    assert [found.fields["message"] for found in page.rows] == ["at 3400"]
    assert page.next_cursor is not None
    assert (page.next_cursor.before, page.is_complete) == (3300 * SECOND_NS, False)


def test_a_timeout_in_the_rollup_is_an_error(setup: Setup) -> None:
    setup.reader.errors.append(QueryTooExpensive("time", "too slow"))
    with pytest.raises(QueryTooExpensive):
        setup.searcher.page(setup.search("user_id:7"), timeout_secs=1)
