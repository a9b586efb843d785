"""Counts over time as one array for each group."""

from __future__ import annotations

import pytest

from app.query.step_counts import Steps
from app.query.time_range import SECOND_NS, TimeRange


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "expected"),
    [
        (0, 1, Steps(0, 60, 60)),
        (60 * SECOND_NS, 120 * SECOND_NS, Steps(60, 120, 60)),
        (60 * SECOND_NS - 1, 120 * SECOND_NS + 1, Steps(0, 180, 60)),
        (90 * SECOND_NS, 100 * SECOND_NS, Steps(60, 120, 60)),
    ],
)
def test_steps_are_those_that_a_range_touches(start_ns: int, end_ns: int, expected: Steps) -> None:
    assert Steps.of(TimeRange(start_ns, end_ns), 60) == expected


def test_there_is_one_result_for_each_step() -> None:
    steps = Steps.of(TimeRange(0, 3600 * SECOND_NS), 900)

    assert len(steps) == 4
    assert steps.resampled("count") == "countResample(0, 3600, 900)"


def test_counts_become_rows_with_the_newest_step_first_and_without_those_of_no_logs() -> None:
    steps = Steps(600, 780, 60)

    rows = steps.rows([("WARN", [1, 0, 2]), ("ERROR", [0, 0, 3]), ("", [4, 0, 0])])

    assert rows == [(720, "ERROR", 3), (720, "WARN", 2), (600, "", 4), (600, "WARN", 1)]


def test_no_groups_make_no_rows() -> None:
    assert Steps(0, 60, 60).rows([]) == []
