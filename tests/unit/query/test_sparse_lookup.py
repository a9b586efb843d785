"""Finding the logs of a user or a trace. e2e tests the projections on the real engine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.domain.statement import Cost, Result, Statement
from app.query.condition import Condition, condition_of
from app.query.language import parse
from app.query.log_table import LogTable, Select
from app.query.scope import Scope
from app.query.sparse_lookup import has_sparse_lookup, sparse_pieces
from app.query.time_range import SECOND_NS, TimeRange
from app.query.windowed_scan import Deadline, Piece
from tests.fakes import Clock, ScriptedReader

DAY = TimeRange(1000 * SECOND_NS, 86_400 * SECOND_NS)


def condition(query: str) -> Condition:
    return condition_of(parse(query).tree)


def reader_of(*known: tuple[int, int]) -> ScriptedReader:
    """A reader that returns five-minute buckets with start and number of rows."""
    return ScriptedReader(lambda _: Result(("bucket_start", "rows"), known, Cost(10, 100)))


def pieces_of(
    reader: ScriptedReader,
    query: str = "user_id:7",
    *,
    span: TimeRange = DAY,
    rows: float = 1e9,
    is_first_page: bool = True,
) -> list[Piece]:
    deadline = Deadline(Clock(), 1.0)
    return list(
        sparse_pieces(
            LogTable(reader),
            condition(query),
            span,
            wanted_rows=10,
            deadline=deadline,
            rows=rows,
            is_first_page=is_first_page,
        )
    )


def starts_in(piece: Piece) -> Sequence[int]:
    assert isinstance(piece.condition, str)
    return [int(start) for start in piece.condition.partition(" IN (")[2].rstrip(")").split(", ")]


@pytest.mark.parametrize(
    ("query", "is_known"),
    [("user_id:7", True), ("trace_id:a level:error", True), ("service:a", False), ("user_id:7 OR timeout", False)],
)
def test_they_are_known_where_every_row_is_of_one_user_or_trace(query: str, is_known: bool) -> None:
    assert has_sparse_lookup(LogTable(ScriptedReader()), condition(query)) == is_known


def test_the_first_piece_holds_as_many_rows_as_are_wanted_and_the_next_ones_more() -> None:
    newest_first = [(86_100 - 300 * n, 4) for n in range(100)]

    pieces = pieces_of(reader_of(*newest_first))

    assert [len(starts_in(piece)) for piece in pieces] == [3, 20, 77]
    assert [start for piece in pieces for start in starts_in(piece)] == [start for start, _ in newest_first]


def test_a_piece_covers_its_buckets_as_far_as_they_are_within_the_range() -> None:
    pieces = pieces_of(reader_of((86_200, 10), (6000, 50), (3000, 50), (900, 50)))

    assert [piece.span for piece in pieces] == [
        TimeRange(86_200 * SECOND_NS, DAY.end_ns),
        TimeRange(3000 * SECOND_NS, 6300 * SECOND_NS),
        TimeRange(1000 * SECOND_NS, 1200 * SECOND_NS),
    ]


def test_the_cost_of_the_lookup_is_counted_once() -> None:
    pieces = pieces_of(reader_of((6000, 50), (3000, 50)))

    assert [piece.cost for piece in pieces] == [Cost(10, 100), Cost()]


def test_without_logs_there_is_no_piece() -> None:
    assert pieces_of(reader_of()) == []


def test_whole_buckets_are_queried_in_the_remaining_time() -> None:
    reader = reader_of()

    pieces_of(reader)

    assert ">= toDateTime(900, 'UTC')" in reader.statements[0].sql
    assert "< toDateTime(86400, 'UTC')" in reader.statements[0].sql
    assert reader.statements[0].sql.endswith("max_threads = 1")
    assert reader.timeouts_secs == [1.0]


def test_beyond_those_that_fit_into_an_answer_the_next_are_asked_for() -> None:
    def answer(asked: Statement) -> Result:
        if "< toDateTime(86400, 'UTC')" not in asked.sql:
            return Result(("bucket_start", "rows"), [(900, 1)])
        return Result(("bucket_start", "rows"), [(86_399 - n, 1) for n in range(10_000)])  # closer than they can be

    reader = ScriptedReader(answer)
    pieces = pieces_of(reader)

    assert len(reader.statements) == 2
    assert starts_in(pieces[-1]) == [900]
    assert f"< toDateTime({86_399 - 9_999}, 'UTC')" in reader.statements[1].sql


def test_only_the_part_before_2106_is_queried() -> None:
    reader = reader_of()

    pieces_of(reader, "trace_id:a", span=TimeRange(0, 2**62))

    assert f"< toDateTime({2**32 - 1}, 'UTC')" in reader.statements[0].sql


def test_the_buckets_of_a_trace_are_first_tried_all_at_once_by_one_statement() -> None:
    reader = reader_of((6000, 1))

    tried, found = pieces_of(reader, "trace_id:a")

    assert tried.span == DAY
    assert tried.most_rows > 0
    assert len(reader.statements) == 1  # which found the other
    assert starts_in(found) == [6000]
    select = Select("1", [tried.condition], parameters={"query_0": "a"}, most_rows=tried.most_rows)
    statement = LogTable(reader, Scope(parse("trace_id:b").tree)).statement(select)
    assert statement.sql.count("{table} WHERE (TraceId = {scope_0:String}) AND ") == 2  # in the select within it too
    assert "toStartOfFiveMinutes(Timestamp) GLOBAL IN (SELECT toStartOfFiveMinutes(Timestamp) FROM" in statement.sql
    assert "GROUP BY toStartOfFiveMinutes(Timestamp) SETTINGS" in statement.sql
    # It says for the select within it that it may read the projection.
    assert (
        ") SETTINGS preferred_optimize_projection_name = 'per_trace', use_skip_indexes_on_data_read = 0"
        in statement.sql
    )


def test_a_trace_among_few_rows_is_first_tried_by_the_index_alone() -> None:
    tried, found = pieces_of(reader_of((6000, 1)), "trace_id:a", rows=1e7)

    assert tried == Piece(DAY, most_rows=tried.most_rows)
    assert tried.most_rows > 0
    assert starts_in(found) == [6000]


@pytest.mark.parametrize(("query", "is_first_page"), [("user_id:7", True), ("trace_id:a", False)])
def test_those_of_a_user_may_be_many_and_so_may_those_of_a_trace_with_a_second_page(
    query: str, is_first_page: bool
) -> None:
    pieces = pieces_of(reader_of((6000, 1)), query, is_first_page=is_first_page)

    assert [piece.most_rows for piece in pieces] == [0]
