"""Records are spread over time."""

import pytest

from sending.pacer import Pacer


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, secs: float) -> None:
        self.sleeps.append(secs)
        self.now += secs


def test_records_are_spread_evenly_over_time() -> None:
    clock = Clock()
    pacer = Pacer(2, clock, clock.sleep)

    due = []
    for _ in range(21):
        pacer.wait()
        due.append(clock.now)

    assert due == pytest.approx([100 + n / 2 for n in range(21)])


def test_a_few_records_go_together_and_the_rate_is_kept() -> None:
    clock = Clock()
    pacer = Pacer(20, clock, clock.sleep)

    for _ in range(201):
        pacer.wait()

    assert clock.now - 100 == pytest.approx(10.0, abs=0.2)
    assert len(clock.sleeps) <= 50
    assert max(clock.sleeps) == pytest.approx(0.25)


def test_at_a_high_rate_records_share_sleeps_and_the_rate_is_kept() -> None:
    clock = Clock()
    pacer = Pacer(20_000, clock, clock.sleep)

    for _ in range(20_001):
        pacer.wait()

    assert clock.now - 100 == pytest.approx(1.0, abs=0.005)
    assert len(clock.sleeps) < 1_000


def test_after_a_hold_up_at_most_a_second_is_made_up_for() -> None:
    clock = Clock()
    pacer = Pacer(2, clock, clock.sleep)
    pacer.wait()
    clock.now += 60

    for _ in range(3):
        pacer.wait()
    assert clock.sleeps == []
    pacer.wait()
    assert clock.sleeps == [pytest.approx(0.5)]


def test_without_a_rate_nothing_waits() -> None:
    clock = Clock()
    pacer = Pacer(0, clock, clock.sleep)

    for _ in range(100):
        pacer.wait()

    assert clock.sleeps == []
