"""The summary of the records."""

from app.errors import TryAgainLater
from sending.tally import Tally, summary
from tests.fakes import Clock


def test_the_summary_names_the_first_ten_failures() -> None:
    tally = Tally()
    for number in range(1, 31):
        tally.send()
        tally.complete(number, 10, TryAgainLater("late", code="late"))

    assert "30 failed (number 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...): late" in summary(tally, where="topic logs")


def test_the_rate_in_the_summary_ends_with_the_last_acknowledgement() -> None:
    clock = Clock()
    tally = Tally(clock)
    for number in range(1, 101):
        tally.send()
        clock.now += 0.02
        tally.complete(number, 50_000, None)
    clock.now += 1_000

    assert "5.0 MB in 2.0 s to topic logs: 50 records/s" in summary(tally, where="topic logs")
