"""However many requests are refused, they write a bounded number of lines, and nothing is left out unseen."""

from __future__ import annotations

from app.http.line_budget import LineBudget
from tests.fakes import Clock


def test_one_address_gets_its_lines_and_leaves_others_theirs() -> None:
    budget = LineBudget(Clock(), most=5, most_per_address=2)

    assert [budget.grants(address) for address in "aaabbcdd"] == [True, True, False, True, True, True, False, False]


def test_what_was_left_out_is_counted_once_when_the_minute_is_over() -> None:
    clock = Clock()
    budget = LineBudget(clock, most=5, most_per_address=1)
    for _ in range(4):
        budget.grants("a")

    assert budget.left_out() == 0
    clock.advance(60)
    assert budget.grants("a")
    assert [budget.left_out(), budget.left_out()] == [3, 0]


def test_minutes_in_which_nobody_asks_lose_no_count() -> None:
    clock = Clock()
    budget = LineBudget(clock, most=1)
    for _ in range(3):
        for _ in range(4):
            budget.grants("a")
        clock.advance(61)

    assert budget.left_out() == 9
