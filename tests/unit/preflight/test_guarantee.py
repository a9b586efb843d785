"""The guarantee that follows from the findings of the preflight check."""

from app.preflight.findings import ok, problem, skipped, warning
from app.preflight.guarantee import guarantee


def test_without_findings_delivery_is_exactly_once() -> None:
    assert guarantee([ok("connection", "ClickHouse 26.9"), skipped("configuration", "of topic logs")]).is_exactly_once


def test_a_warning_does_not_void_the_guarantee() -> None:
    assert str(guarantee([warning("copies", "1 of each partition")])) == "exactly once"


def test_a_problem_voids_the_guarantee_and_is_listed() -> None:
    doubtful = guarantee([ok("connection", "Kafka 4.3"), problem("deadline", "constraint on_time is missing", "ALTER")])

    assert not doubtful.is_exactly_once
    assert doubtful.doubts == ("deadline: constraint on_time is missing",)
    assert "check" in str(doubtful)
