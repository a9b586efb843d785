"""The density estimate: counts for every service and level, queried at intervals, and cached."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest

from app.domain.statement import Result, Statement
from app.errors import QueryTooExpensive
from app.query.condition import Condition
from app.query.density_estimate import Density
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.time_range import SECOND_NS, TimeRange
from app.query.windows import Expected
from tests.fakes import Clock, ScriptedReader

NOW_SECS = 1_764_000_000  # a whole hour
NOW_NS = NOW_SECS * SECOND_NS
LAST_HOUR = TimeRange(NOW_NS - 3600 * SECOND_NS, NOW_NS)

counted = partial(Expected, is_counted=True)


def counts(*, minutes: int, hours: int = 0) -> Callable[[Statement], Result]:
    """The answer with so many logs of service a in the last minutes and the last day; those of b are ten times less."""

    def answer(statement: Statement) -> Result:
        count, step_secs = (hours, 3600) if "toStartOfHour" in statement.sql else (minutes, 60)
        rows = [("a", "ERROR", 17, count), ("b", "INFO", 9, count // 10)]
        return Result((), [(*row, NOW_SECS - step_secs) for row in rows if row[3]])

    return answer


class Logged:
    """The answer for a table where service a has had a log each second until `stopped_secs` ago, and b always has."""

    def __init__(self, stopped_secs: int) -> None:
        self._until = {"a": NOW_SECS - stopped_secs, "b": NOW_SECS}

    def __call__(self, statement: Statement) -> Result:
        start, end = map(int, re.findall(r"toDateTime\((\d+)", statement.sql))
        step_secs = 3600 if "toStartOfHour" in statement.sql else 60
        rows = []
        for service, until in self._until.items():
            count = min(until, end) - start
            if count > 0:
                last = (min(until, end) - 1) // step_secs * step_secs
                rows.append((service, "INFO", 9, count, last))
        return Result((), rows)


class Setup:
    """An estimate over a scripted reader."""

    def __init__(self, answer: Callable[[Statement], Result], scope: str = "") -> None:
        self.clock, self.reader = Clock(), ScriptedReader(answer)
        self.table = LogTable(self.reader).within(Scope(parse(scope).tree))
        self._density = Density(lambda: NOW_NS, self.clock)

    def of(self, query: str = "", span: TimeRange = LAST_HOUR) -> float:
        """The estimated rows per second."""
        return self.expected(query, span).rows_per_sec

    def expected(self, query: str, span: TimeRange = LAST_HOUR) -> Expected:
        return self._density.expected(self.table, span, self.condition(query))

    def condition(self, query: str) -> Condition:
        return self.table.condition(parse(query).tree)


def test_it_is_the_mean_of_the_minutes_before_the_end_of_a_range() -> None:
    assert Setup(counts(minutes=6000)).of("service:a") == 10.0


def test_one_statement_counts_for_every_service_and_level() -> None:
    setup = Setup(counts(minutes=6000))

    assert [setup.of("service:a level:error"), setup.of("service:b"), setup.of()] == [10.0, 1.0, 11.0]
    assert setup.of("timeout") == 11.0 / 16
    assert len(setup.reader.statements) == 1
    assert "preferred_optimize_projection_name = 'per_minute'" in setup.reader.statements[0].sql


def test_a_word_of_a_service_is_estimated_from_its_logs() -> None:
    setup = Setup(counts(minutes=6000))

    assert [setup.of("service:a timeout"), setup.of("service:b timeout")] == [10.0 / 16, 1.0 / 16]


@pytest.mark.parametrize("query", ["service:b timeout", "service:c timeout"])
def test_where_a_word_of_a_rare_service_is_estimated_the_window_is_not_longer_than_reading_allows(query: str) -> None:
    last = NOW_SECS - 60
    setup = Setup(lambda _: Result((), [("a", "ERROR", 17, 600_000, last), ("b", "INFO", 9, 160, last)]))

    assert setup.of(query) == pytest.approx(1000 / 16 / 32, rel=0.001)


def test_it_is_queried_again_only_after_a_while() -> None:
    setup = Setup(counts(minutes=6000))

    setup.of()
    setup.clock.advance(59)
    setup.of()
    assert len(setup.reader.statements) == 1
    setup.clock.advance(2)
    setup.of()
    assert len(setup.reader.statements) == 2


def test_each_scope_has_its_own() -> None:
    everything, of_one = Setup(counts(minutes=6000)), Setup(counts(minutes=6000), scope="service:a")

    everything.of("service:a")
    of_one.of("service:a")

    assert "ServiceName = " not in everything.reader.statements[0].sql
    assert "ServiceName = " in of_one.reader.statements[0].sql


def test_it_is_not_known_in_a_scope_of_which_there_are_no_counts() -> None:
    setup = Setup(counts(minutes=6000), scope="timeout")

    assert (setup.of("service:a"), setup.reader.statements) == (0.0, [])


def test_a_range_that_ends_in_the_future_uses_the_minutes_before_now() -> None:
    setup = Setup(counts(minutes=0))

    setup.of(span=TimeRange(LAST_HOUR.start_ns, NOW_NS + 86_400 * SECOND_NS))

    assert f"< toDateTime({NOW_NS // SECOND_NS}, 'UTC')" in setup.reader.statements[0].sql


def test_of_logs_that_are_rare_in_the_last_minutes_those_of_the_last_day_are_counted() -> None:
    setup = Setup(counts(minutes=90, hours=8640))

    assert setup.of("service:a") == 0.15
    assert setup.of("service:b") == 0.01
    assert len(setup.reader.statements) == 2


def test_it_is_not_known_where_that_takes_too_long_and_not_tried_again_at_once() -> None:
    setup = Setup(counts(minutes=6000))
    setup.reader.errors += [QueryTooExpensive("time", "too slow"), QueryTooExpensive("time", "too slow")]

    assert [setup.of(), setup.of()] == [0.0, 0.0]
    assert len(setup.reader.statements) == 2


@pytest.mark.parametrize("stopped_secs", [0, 30, 59])
def test_logs_that_go_on_are_not_taken_to_have_stopped(stopped_secs: int) -> None:
    setup = Setup(Logged(stopped_secs))

    assert setup.expected("service:a") == counted((600 - stopped_secs) / 600)
    assert setup.expected("") == counted((1200 - stopped_secs) / 600)


@pytest.mark.parametrize(("stopped_secs", "statements"), [(180, 1), (1800, 3), (3 * 3600 + 1800, 3), (12 * 3600, 3)])
def test_of_logs_that_have_stopped_it_is_told_how_long_ago_and_their_density_until_then(
    stopped_secs: int, statements: int
) -> None:
    setup = Setup(Logged(stopped_secs))

    # A minute more: it reaches the beginning of the last minute with logs.
    assert setup.expected("service:a") == counted(1.0, stopped_secs + 60)
    assert setup.expected("service:a timeout") == Expected(1 / 16, stopped_secs + 60)
    assert setup.expected("service:b") == counted(1.0)
    assert len(setup.reader.statements) == statements


def test_few_counted_logs_and_those_of_a_whole_day_are_a_guess() -> None:
    assert Setup(counts(minutes=40)).expected("service:a").is_counted
    assert not Setup(counts(minutes=39)).expected("service:a").is_counted
    assert not Setup(counts(minutes=6000)).expected("service:a timeout").is_counted
    assert not Setup(counts(minutes=0, hours=86_400)).expected("service:a").is_counted


@pytest.mark.parametrize("scope", ["", "host:x"])
def test_there_are_no_logs_in_the_future(scope: str) -> None:
    setup = Setup(Logged(0), scope)
    tomorrow = TimeRange(LAST_HOUR.start_ns, NOW_NS + 86_400 * SECOND_NS)

    assert setup.expected("", tomorrow).quiet_secs == 86_400
    assert setup.expected("timeout", tomorrow).quiet_secs == 86_400
    assert setup.expected("").quiet_secs == 0


def test_the_time_without_logs_ends_where_the_range_does() -> None:
    setup = Setup(Logged(180))

    setup.expected("service:a")

    assert setup.expected("service:a", TimeRange(0, NOW_NS + 600 * SECOND_NS)).quiet_secs == 240 + 600
    assert setup.expected("service:a", TimeRange(0, NOW_NS - 120 * SECOND_NS)).quiet_secs == 240 - 120
    assert setup.expected("service:a", TimeRange(0, NOW_NS - 300 * SECOND_NS)).quiet_secs == 0


def test_of_rare_logs_that_have_stopped_the_hour_is_enough() -> None:
    rare = [("a", "INFO", 9, 48, NOW_SECS - 5 * 3600)]
    setup = Setup(lambda statement: Result((), rare if "toStartOfHour" in statement.sql else []))

    assert setup.expected("service:a") == Expected(48 / (20 * 3600), 5 * 3600)
    assert len(setup.reader.statements) == 2
