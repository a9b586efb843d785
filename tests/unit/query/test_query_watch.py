"""Whether queries can be answered, found out by a statement that costs next to nothing."""

from __future__ import annotations

import logging

import pytest

from app.errors import QueryTooExpensive, Refused, TableMissing, TryAgainLater
from app.health import Health
from app.query.log_table import LogTable
from app.query.watch import QueryWatch
from app.telemetry.query import PART, QueryTelemetry
from tests.fakes import Clock, ScriptedReader

AWAY = TryAgainLater("nobody answers", code="unreachable")


class Watched:
    """A reader that is looked at, and what is said of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reader = ScriptedReader()
        self.health = Health(self.clock, problems={PART: "not reached yet"})
        self._watch = QueryWatch(LogTable(self.reader), QueryTelemetry(self.health, clock=self.clock))

    def look(self) -> float:
        """Look once, and wait until the next look is due."""
        wait_secs = self._watch.look()
        self.clock.turn(wait_secs)
        return wait_secs


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_instance_is_ready_when_clickhouse_has_answered(watched: Watched) -> None:
    assert watched.health.problems() == {PART: "not reached yet"}

    for _ in range(10):
        watched.look()
        assert watched.health.problems() == {}


def test_a_look_reads_no_row_and_has_little_time(watched: Watched) -> None:
    watched.look()

    [statement] = watched.reader.asked
    assert statement.sql.endswith("{table} LIMIT 0")
    assert watched.reader.timeouts_secs[0] <= 5


@pytest.mark.parametrize("error", [AWAY, Refused("no", code="1"), QueryTooExpensive("memory", "too much")])
def test_a_look_that_fails_is_repeated_soon_and_says_why_the_instance_is_not_ready(
    watched: Watched, error: Exception
) -> None:
    usual_secs = watched.look()
    watched.reader.errors.append(error)

    assert watched.look() < usual_secs
    assert watched.health.problems() == {PART: str(error)}
    watched.look()
    assert watched.health.problems() == {}


def test_a_look_that_does_not_come_back_is_a_problem_too(watched: Watched) -> None:
    watched.look()

    watched.clock.turn(30)

    assert watched.health.problems() == {PART: "has not answered for 30 s"}


def test_trouble_is_logged_now_and_then_but_not_a_table_that_is_still_to_be_made(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.reader.errors.append(TableMissing("no such table", code="60"))
    watched.look()
    assert watched.health.problems() == {PART: "no such table"}
    assert caplog.messages == []

    watched.reader.errors.extend([AWAY] * 5)
    with caplog.at_level(logging.INFO, logger="app"):
        for _ in range(6):
            watched.look()

    assert caplog.messages == [
        "ClickHouse reader: nobody answers; trying again",
        "ClickHouse reader has recovered",
    ]
