"""Delays between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pipeline.backoff import Backoff

BACKOFF = Backoff(first_secs=0.5, max_secs=8)


@pytest.mark.parametrize(("attempt", "secs"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 8), (10**9, 8)])
def test_delays_double_up_to_the_limit(attempt: int, secs: float) -> None:
    assert BACKOFF.delay_secs(attempt, chance=1) == secs


def test_chance_takes_up_to_half() -> None:
    assert BACKOFF.delay_secs(3, chance=0) == 1


@given(st.integers(1, 100))
def test_the_delay_is_always_between_half_and_whole(attempt: int) -> None:
    whole = BACKOFF.delay_secs(attempt, chance=1)

    assert whole / 2 <= BACKOFF.delay_secs(attempt) <= whole


def test_two_instances_do_not_wait_equally_long() -> None:
    assert len({BACKOFF.delay_secs(5) for _ in range(50)}) > 1
