"""Estimates of how many rows a range holds, from the counts of its hours."""

from __future__ import annotations

import pytest

from app.domain.statement import Result
from app.errors import QueryTooExpensive, TryAgainLater
from app.query.hour_counts import HourCounts
from app.query.log_table import LogTable
from app.query.time_range import SECOND_NS, TimeRange
from tests.fakes import Clock, ScriptedReader

MINUTE, HOUR, DAY = 60, 3600, 86_400
TODAY = 100 * DAY
NOW = TODAY + 10 * HOUR + 30 * MINUTE
COUNTS = {TODAY + 3 * HOUR: 3600, TODAY + 4 * HOUR: 7200, TODAY + 10 * HOUR: 1800, TODAY + 20 * HOUR: 60}


def span(start_secs: int, end_secs: int) -> TimeRange:
    return TimeRange(start_secs * SECOND_NS, end_secs * SECOND_NS)


class Counted:
    """Counts of two hours of the night, of this one, of which half is over, and of one to come."""

    def __init__(self) -> None:
        self.reader = ScriptedReader(lambda _: Result(("hour", "count()"), list(COUNTS.items())))
        self.clock = Clock()
        self.counts = HourCounts(LogTable(self.reader), lambda: NOW * SECOND_NS, self.clock)


@pytest.mark.parametrize(
    ("start_secs", "end_secs", "rows"),
    [
        (TODAY, TODAY + DAY, 3600 + 7200 + 1800 + 60),
        (TODAY + 3 * HOUR, TODAY + 4 * HOUR, 3600),
        (TODAY + 3 * HOUR + 50 * MINUTE, TODAY + 4 * HOUR + 10 * MINUTE, 600 + 1200),
        (TODAY + 5 * HOUR, TODAY + 9 * HOUR, 0),
        (NOW - 10 * MINUTE, NOW, 600),
        (NOW - 10 * MINUTE, NOW + 10 * MINUTE, 600),
        (TODAY - 30 * DAY, TODAY, 0),
    ],
)
def test_a_range_holds_its_share_of_the_rows_of_its_hours(start_secs: int, end_secs: int, rows: int) -> None:
    counted = Counted()
    counted.counts.refresh()

    assert counted.counts.rows_in(span(start_secs, end_secs)) == pytest.approx(rows)


def test_a_range_that_begins_before_the_counted_hours_holds_nobody_knows_how_many() -> None:
    counted = Counted()
    counted.counts.refresh()

    assert counted.counts.rows_in(span(TODAY - 40 * DAY, TODAY)) == float("inf")


def test_hours_are_counted_once_a_minute() -> None:
    counted = Counted()
    for _ in range(10):
        counted.counts.refresh()
        counted.clock.advance(10.0)

    assert len(counted.reader.statements) == 2


@pytest.mark.parametrize("error", [TryAgainLater("away", code="unreachable"), QueryTooExpensive("time", "slow")])
def test_an_estimate_is_unknown_before_hours_are_counted_and_while_they_cannot_be(error: Exception) -> None:
    counted = Counted()
    assert counted.counts.rows_in(span(TODAY, NOW)) == float("inf")

    counted.counts.refresh()
    counted.clock.advance(60.0)
    counted.reader.errors.append(error)
    counted.counts.refresh()
    assert counted.counts.rows_in(span(TODAY, NOW)) == float("inf")

    counted.clock.advance(1800.0)
    counted.counts.refresh()
    assert counted.counts.rows_in(span(TODAY, NOW)) > 0
