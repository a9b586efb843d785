"""Small questions: their forms, and what is shown of them."""

from __future__ import annotations

from bench.query_floor import Taken, of_one_day, page


def test_a_question_of_one_day_is_the_same_question() -> None:
    assert of_one_day({"query": "a", "start": "now-30d", "limit": "1"}) == {
        "query": "a",
        "start": "now-1d",
        "limit": "1",
    }


def test_medians_of_the_question_and_of_its_statement_are_shown() -> None:
    taken = Taken([1.0, 5.0, 9.0], [1.0, 4.04, 8.0]).medians()
    machine = {"processor": "p", "cores": 2, "memory_gb": 4, "system": "s"}

    lines = page({"date": "d", "command": "c", "machine": machine}, {"trace": {"as asked": taken}})

    assert "| trace | 5.0 (4.0) |" in lines
