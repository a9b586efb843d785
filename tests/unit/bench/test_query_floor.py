"""Small questions: their forms, and what is shown of them."""

from __future__ import annotations

from random import Random

import pytest

from bench.query_floor import Taken, for_nothing, of_one_day, page


def test_a_question_of_one_day_is_the_same_question() -> None:
    assert of_one_day({"query": "a", "start": "now-30d", "limit": "1"}, Random(1)) == {
        "query": "a",
        "start": "now-1d",
        "limit": "1",
    }


@pytest.mark.parametrize(
    ("query", "field"), [("trace_id:aa", "trace_id:"), ("ecfeebcaf430", ""), ("service:a request", "service:")]
)
def test_nothing_is_looked_for_in_the_same_field_each_time_by_another_name(query: str, field: str) -> None:
    rng = Random(1)
    first, second = (for_nothing({"query": query}, rng)["query"] for _ in range(2))

    assert first.startswith(field)
    assert len(first) == len(field) + 12
    assert first != second


def test_medians_of_the_question_and_of_its_statement_are_shown() -> None:
    taken = Taken([1.0, 5.0, 9.0], [1.0, 4.04, 8.0]).medians()
    machine = {"processor": "p", "cores": 2, "memory_gb": 4, "system": "s"}

    lines = page({"date": "d", "command": "c", "machine": machine}, {"trace": {"as asked": taken}})

    assert "| trace | 5.0 (4.0) |" in lines
