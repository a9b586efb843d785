"""The rate of a partition, and the age of what waits in it, from samples of its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scaling.arrivals import Arrivals


def sampled(*ends: int, every_secs: float = 5.0) -> Arrivals:
    """Samples of these ends, the first one at 0 s."""
    arrivals = Arrivals()
    for number, end in enumerate(ends):
        arrivals.add(end, number * every_secs)
    return arrivals


def test_a_rate_needs_two_samples() -> None:
    assert Arrivals().per_sec() == 0
    assert sampled(100).per_sec() == 0
    assert sampled(100, 150).per_sec() == 10


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    assert sampled(*range(0, 100_000, 5000), *range(100_000, 100_070, 10)).per_sec() == 2


def test_nothing_that_waits_has_no_age() -> None:
    assert Arrivals().waiting_secs(5, 100) == 0
    assert sampled(100, 150).waiting_secs(150, 5) == 0


def test_the_oldest_record_that_waits_arrived_between_two_samples() -> None:
    arrivals = sampled(100, 150, 200)

    assert arrivals.waiting_secs(175, 10) == pytest.approx(2.4)
    assert arrivals.waiting_secs(124, 10) == pytest.approx(7.5)
    assert arrivals.waiting_secs(124, 60) == pytest.approx(57.5)


def test_a_rare_record_that_has_just_arrived_is_not_as_old_as_the_one_before_it() -> None:
    assert sampled(*[100] * 20, 101).waiting_secs(100, 100) == 0


def test_the_age_of_a_record_from_before_the_first_sample_is_not_known() -> None:
    arrivals = sampled(100, 150)

    assert arrivals.waiting_secs(99, 5) is None
    assert arrivals.seen_secs(5) == 5


def test_an_end_that_goes_back_is_that_of_another_topic() -> None:
    arrivals = sampled(100, 1000, 10)

    assert arrivals.per_sec() == 0
    assert arrivals.waiting_secs(5, 20) is None
    assert arrivals.waiting_secs(10, 20) == 0


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=50), st.data())
def test_the_age_is_right_to_within_two_samples(steps: list[int], data: st.DataObject) -> None:
    ends = [sum(steps[: number + 1]) for number in range(len(steps))]
    waiting = data.draw(st.integers(ends[0], ends[-1] - 1)) if ends[-1] > ends[0] else None
    if waiting is None:
        return
    now = 5.0 * (len(ends) - 1)

    age = sampled(*ends).waiting_secs(waiting, now)

    arrived_by = next(5.0 * number for number, end in enumerate(ends) if end > waiting)
    assert age is not None
    assert now - arrived_by <= age + 1e-6
    assert age <= now - arrived_by + 5.0


def test_memory_is_bounded() -> None:
    assert sampled(*range(0, 10_000, 10)).waiting_secs(10, 5000) is None
