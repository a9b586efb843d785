"""The summary of many records stays small, whatever they are."""

from __future__ import annotations

from app.domain.notes import Note
from app.explain.explained import Explained, TimeFrom
from app.explain.summary import Summary


def row_of(form: str, *, level: str = "", number: int = 0, problem: str = "") -> Explained:
    row = {
        **{"timestamp": "2026-11-29T10:15:01Z", "level": level, "severity_number": number, "parse_error": problem},
        **{"attributes": {}, "message": ""},
    }
    return Explained(row, (form,), {"timestamp": Note("the record")}, TimeFrom.RECORD, {})


def test_shapes_levels_and_problems_without_end_are_counted_together() -> None:
    summary = Summary()
    for number in range(3_000):
        summary.add(number, row_of(f"form {number}", level=f"l{number}", number=9, problem=f"p: {number}"), "x", 0)

    assert summary.rows == 3_000
    for counts in (summary.shapes, summary.levels, summary.problems):
        assert sum(counts.values()) == 3_000
        assert len(counts) <= 1_001
    assert len(summary.examples) == len(summary.shapes)


def test_a_level_that_is_none_is_not_counted_as_one() -> None:
    summary = Summary()
    summary.add(1, row_of("JSON", level="7"), "x", 0)
    summary.add(2, row_of("JSON", level="WARN", number=13), "x", 0)

    assert dict(summary.levels) == {"none": 1, "WARN": 1}


def test_an_example_is_the_first_record_of_its_shape_in_one_line() -> None:
    summary = Summary()
    summary.add(4, row_of("JSON"), "a\n b", 0)
    summary.add(5, row_of("JSON"), "c", 0)

    assert "             record 4: a b" in list(summary.lines())
