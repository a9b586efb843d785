"""The density estimate: queried at intervals, and cached."""

from __future__ import annotations

from app.domain.statement import Result
from app.errors import QueryTooExpensive
from app.query.condition import condition_of
from app.query.density_estimate import Density
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything
from tests.fakes import Clock, ScriptedReader

NOW_NS = 1_764_000_000 * SECOND_NS
LAST_HOUR = TimeRange(NOW_NS - 3600 * SECOND_NS, NOW_NS)
EVERY_LOG = condition_of(Everything())


def rows_per_sec(reader: ScriptedReader, span: TimeRange) -> float:
    """The density of all logs, without cache."""
    return Density(lambda: NOW_NS, Clock()).rows_per_sec(LogTable(reader), span, EVERY_LOG)


def test_it_is_the_mean_of_the_minutes_before_the_end_of_a_range() -> None:
    reader = ScriptedReader(lambda _: Result(("count()",), [(6000,)]))

    assert rows_per_sec(reader, LAST_HOUR) == 10.0


def test_it_is_queried_again_only_after_a_while() -> None:
    clock, reader = Clock(), ScriptedReader(lambda _: Result(("count()",), [(6000,)]))
    table, density = LogTable(reader), Density(lambda: NOW_NS, clock)

    density.rows_per_sec(table, LAST_HOUR, EVERY_LOG)
    density.rows_per_sec(table, LAST_HOUR, EVERY_LOG)
    clock.advance(31)
    density.rows_per_sec(table, LAST_HOUR, EVERY_LOG)

    assert len(reader.statements) == 2


def test_a_range_that_ends_in_the_future_uses_the_minutes_before_now() -> None:
    reader = ScriptedReader(lambda _: Result(("count()",), [(0,)]))

    rows_per_sec(reader, TimeRange(LAST_HOUR.start_ns, NOW_NS + 86_400 * SECOND_NS))

    assert f"< toDateTime({NOW_NS // SECOND_NS}, 'UTC')" in reader.statements[0].sql


def test_conditions_on_service_and_level_count_matching_logs() -> None:
    reader = ScriptedReader(lambda statement: Result(("count()",), [(60 if statement.parameters else 6000,)]))
    table, density = LogTable(reader), Density(lambda: NOW_NS, Clock())

    assert density.rows_per_sec(table, LAST_HOUR, table.condition(parse("service:a level:error").tree)) == 0.1
    assert density.rows_per_sec(table, LAST_HOUR, table.condition(parse("timeout").tree)) == 10.0 / 16
    assert density.rows_per_sec(table, LAST_HOUR, table.condition(parse("service:b level:error").tree)) == 0.1
    assert len(reader.statements) == 3


def test_logs_missing_in_the_last_minutes_are_searched_in_the_last_day() -> None:
    reader = ScriptedReader(lambda statement: Result(("count()",), [(864 if "toStartOfHour" in statement.sql else 0,)]))

    assert rows_per_sec(reader, LAST_HOUR) == 0.01


def test_it_is_not_known_where_even_that_takes_too_long() -> None:
    reader = ScriptedReader()
    reader.errors.append(QueryTooExpensive("time", "too slow"))

    assert rows_per_sec(reader, LAST_HOUR) == 0.0
