"""What the doctor's findings are worth as a promise."""

from app.preflight.findings import ok, problem, skipped, warning
from app.preflight.guarantee import guarantee


def test_nothing_found_is_exactly_once() -> None:
    assert guarantee([ok("reached", "ClickHouse 26.9"), skipped("configuration", "of topic logs")]).is_exactly_once


def test_a_warning_does_not_take_it_away() -> None:
    assert str(guarantee([warning("copies", "1 of each partition")])) == "exactly once"


def test_a_problem_takes_it_away_and_is_named() -> None:
    doubtful = guarantee([ok("reached", "Kafka 4.3"), problem("deadline", "constraint on_time is missing", "ALTER")])

    assert not doubtful.is_exactly_once
    assert doubtful.doubts == ("deadline: constraint on_time is missing",)
    assert "check" in str(doubtful)
