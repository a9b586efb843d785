"""The probe of ClickHouse: a statement that costs almost nothing."""

from __future__ import annotations

import logging

import pytest

from app.errors import QueryTooExpensive, Refused, TableMissing, TryAgainLater
from app.health import Health
from app.query.hour_counts import HourCounts
from app.query.log_table import LogTable
from app.query.watch import QueryWatch
from app.telemetry.query import PART, QueryTelemetry
from tests.fakes import Clock, ScriptedReader

AWAY = TryAgainLater("nobody answers", code="unreachable")


class Watched:
    """A watched reader, and its health."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reader = ScriptedReader()
        self.health = Health(self.clock, problems={PART: "not connected yet"})
        table = LogTable(self.reader)
        hour_counts = HourCounts(table, lambda: 0, self.clock)
        self._watch = QueryWatch(table, QueryTelemetry(self.health, clock=self.clock), hour_counts)

    def look(self) -> float:
        """Probe once, and wait until the next probe is due."""
        wait_secs = self._watch.check()
        self.clock.advance(wait_secs)
        return wait_secs


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_instance_is_ready_after_a_response_of_clickhouse(watched: Watched) -> None:
    assert watched.health.problems() == {PART: "not connected yet"}

    for _ in range(10):
        watched.look()
        assert watched.health.problems() == {}


def test_a_probe_reads_no_row_and_has_a_short_timeout(watched: Watched) -> None:
    watched.look()

    statement, _ = watched.reader.statements
    assert statement.sql.endswith("{table} LIMIT 0")
    assert watched.reader.timeouts_secs[0] <= 5


@pytest.mark.parametrize("error", [AWAY, Refused("no", code="1"), QueryTooExpensive("memory", "too much")])
def test_a_failed_probe_is_repeated_soon_and_explains_why_the_instance_is_not_ready(
    watched: Watched, error: Exception
) -> None:
    usual_secs = watched.look()
    watched.reader.errors.append(error)

    assert watched.look() < usual_secs
    assert watched.health.problems() == {PART: str(error)}
    watched.look()
    assert watched.health.problems() == {}


def test_a_hanging_probe_is_a_problem_too(watched: Watched) -> None:
    watched.look()

    watched.clock.advance(30)

    assert watched.health.problems() == {PART: "has not answered for 30 s"}


def test_failures_are_logged_at_intervals_but_not_a_missing_table(
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
        "ClickHouse reader: nobody answers; retrying",
        "ClickHouse reader has recovered",
    ]
