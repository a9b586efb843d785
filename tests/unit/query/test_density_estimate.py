"""The density estimate: counts for every service and level, queried at intervals, and cached."""

from __future__ import annotations

from collections.abc import Callable

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

NOW_NS = 1_764_000_000 * SECOND_NS
LAST_HOUR = TimeRange(NOW_NS - 3600 * SECOND_NS, NOW_NS)


def counts(*, minutes: int, hours: int = 0, ages_secs: tuple[int, int] = (0, 0)) -> Callable[[Statement], Result]:
    """The answer with so many logs of service a in the last minutes and the last day; those of b are ten times less.

    The newest minute or hour of each began so long ago.
    """

    def answer(statement: Statement) -> Result:
        count = hours if "toStartOfHour" in statement.sql else minutes
        newest_a, newest_b = (NOW_NS // SECOND_NS - age_secs for age_secs in ages_secs)
        rows = [("a", "ERROR", 17, count, newest_a), ("b", "INFO", 9, count // 10, newest_b)]
        return Result((), [row for row in rows if row[3]])

    return answer


class Setup:
    """An estimate over a scripted reader."""

    def __init__(self, answer: Callable[[Statement], Result], scope: str = "") -> None:
        self.clock, self.reader = Clock(), ScriptedReader(answer)
        self.table = LogTable(self.reader).within(Scope(parse(scope).tree))
        self._density = Density(lambda: NOW_NS, self.clock)

    def of(self, query: str = "", span: TimeRange = LAST_HOUR) -> float:
        """The estimated rows per second."""
        return self.expected(query, span).rows_per_sec

    def expected(self, query: str = "", span: TimeRange = LAST_HOUR) -> Expected:
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
    minute = NOW_NS // SECOND_NS - 60
    setup = Setup(lambda _: Result((), [("a", "ERROR", 17, 600_000, minute), ("b", "INFO", 9, 160, minute)]))

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


def test_where_logs_have_stopped_their_density_is_that_before_and_how_long_they_are_missing_is_known() -> None:
    stopped_secs = 14_400
    setup = Setup(counts(minutes=0, hours=7200, ages_secs=(stopped_secs, 2 * stopped_secs)))

    assert setup.expected("service:a") == Expected(0.1, stopped_secs)
    assert setup.expected("service:b").idle_secs == 2 * stopped_secs
    assert setup.expected("service:a OR service:b").idle_secs == stopped_secs
    assert setup.expected("timeout").idle_secs == stopped_secs


@pytest.mark.parametrize(("age_secs", "idle_secs"), [(61, 0), (180, 0), (181, 181)])
def test_logs_that_may_not_be_stored_yet_are_not_missing(age_secs: int, idle_secs: int) -> None:
    setup = Setup(counts(minutes=6000, ages_secs=(age_secs, age_secs)))

    assert setup.expected("service:a") == Expected(6000 / (600 - idle_secs), idle_secs)
    setup.clock.advance(59)
    assert setup.expected("service:a").idle_secs == idle_secs


def test_it_is_not_known_where_that_takes_too_long_and_not_tried_again_at_once() -> None:
    setup = Setup(counts(minutes=6000))
    setup.reader.errors += [QueryTooExpensive("time", "too slow"), QueryTooExpensive("time", "too slow")]

    assert [setup.of(), setup.of()] == [0.0, 0.0]
    assert len(setup.reader.statements) == 2
