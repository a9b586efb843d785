"""Tests of results that are collected over hours."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.report import page
from tests.faults.results import Results
from tests.faults.run import Outcome, stacks

F2, F13 = "kill -9 of the service", "reply lost"


def outcome(number: str, what: str, **fields: object) -> Outcome:
    return Outcome(number, what, **fields)  # type: ignore[arg-type]  # whatever a test is about


def test_results_of_several_stacks_are_summed(tmp_path: Path) -> None:
    results = Results(tmp_path / "new" / "results.jsonl")
    results.add(outcome("F2", F2, runs=20, events=900, recoveries=[8.5], days=["2026-11-24"]))
    results.add(outcome("F13", F13, runs=5, events=70, found_stored=12))
    results.add(
        outcome(
            "F2", F2, runs=3, events=100, recoveries=[9.5], problems=Counter(lost=2), notes=["x"], days=["2026-11-25"]
        )
    )

    kills, replies = Results(tmp_path / "new" / "results.jsonl").merged()

    assert (kills.name, kills.runs, kills.events, kills.recoveries) == (f"F2 {F2}", 23, 1000, [8.5, 9.5])
    assert (kills.problems, kills.is_clean, kills.days) == (Counter(lost=2), False, ["2026-11-24", "2026-11-25"])
    assert (replies.runs, replies.found_stored, replies.is_clean) == (5, 12, True)


def test_results_that_are_cleared_are_empty(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    results.add(outcome("F2", F2, runs=1))

    results.clear()

    assert results.merged() == []


def test_failures_are_on_the_page(tmp_path: Path) -> None:
    lost = outcome("F2", F2, runs=1, problems=Counter(lost=3), notes=["3 events lost; seed 7"], days=["2026-11-24"])

    text = page([lost], [])

    assert "| F2 kill -9 of the service | 1 | 0 | 3 | 0 | 0 | 0 |" in text
    assert "- F2 kill -9 of the service: 3 events lost; seed 7" in text
    assert "- Run: 2026-11-24\n" in text


def test_blows_are_spread_over_as_many_stacks_as_they_need() -> None:
    fault = Fault("F2", F2, lambda _world, _number: 0.0, blows_per_world=20)

    assert list(stacks(fault, 45)) == [range(20), range(20, 40), range(40, 45)]
    assert list(stacks(fault, -5)) == []
