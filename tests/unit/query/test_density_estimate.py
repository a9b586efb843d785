"""How dense logs are: asked now and then, and remembered."""

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
    """Of all logs, asked for the first time."""
    return Density(lambda: NOW_NS, Clock()).rows_per_sec(LogTable(reader), span, EVERY_LOG)


def test_it_is_the_mean_of_the_minutes_before_the_end_of_a_range() -> None:
    reader = ScriptedReader(lambda _: Result(("count()",), [(6000,)]))

    assert rows_per_sec(reader, LAST_HOUR) == 10.0


def test_it_is_asked_again_only_after_a_while() -> None:
    clock, reader = Clock(), ScriptedReader(lambda _: Result(("count()",), [(6000,)]))
    table, density = LogTable(reader), Density(lambda: NOW_NS, clock)

    density.rows_per_sec(table, LAST_HOUR, EVERY_LOG)
    density.rows_per_sec(table, LAST_HOUR, EVERY_LOG)
    clock.turn(31)
    density.rows_per_sec(table, LAST_HOUR, EVERY_LOG)

    assert len(reader.asked) == 2


def test_of_a_range_that_ends_in_the_future_the_last_minutes_up_to_now_count() -> None:
    reader = ScriptedReader(lambda _: Result(("count()",), [(0,)]))

    rows_per_sec(reader, TimeRange(LAST_HOUR.start_ns, NOW_NS + 86_400 * SECOND_NS))

    assert f"< toDateTime({NOW_NS // SECOND_NS}, 'UTC')" in reader.asked[0].sql


def test_of_services_and_levels_those_logs_count_that_match() -> None:
    reader = ScriptedReader(lambda asked: Result(("count()",), [(60 if asked.parameters else 6000,)]))
    table, density = LogTable(reader), Density(lambda: NOW_NS, Clock())

    assert density.rows_per_sec(table, LAST_HOUR, table.condition(parse("service:a level:error").tree)) == 0.1
    assert density.rows_per_sec(table, LAST_HOUR, table.condition(parse("timeout").tree)) == 10.0 / 16
    assert density.rows_per_sec(table, LAST_HOUR, table.condition(parse("service:b level:error").tree)) == 0.1
    assert len(reader.asked) == 3


def test_what_is_not_there_in_the_last_minutes_is_looked_for_in_the_last_day() -> None:
    reader = ScriptedReader(lambda asked: Result(("count()",), [(864 if "toStartOfHour" in asked.sql else 0,)]))

    assert rows_per_sec(reader, LAST_HOUR) == 0.01


def test_it_is_not_known_where_even_that_takes_too_long() -> None:
    reader = ScriptedReader()
    reader.errors.append(QueryTooExpensive("time", "too slow"))

    assert rows_per_sec(reader, LAST_HOUR) == 0.0
