"""Queries of two commits: the same questions, and what is shown of them."""

from __future__ import annotations

from bench.query_pairs import Asked, page, until

DAY_NS = 86_400 * 10**9


def test_a_range_ends_with_the_last_row_however_old_the_table_is() -> None:
    end_ns = 2 * DAY_NS

    assert until(end_ns, {"query": "a", "start": "now-24h"}) == {
        "query": "a",
        "start": str(DAY_NS),
        "end": str(end_ns),
    }
    assert until(end_ns, {"id": "1"}) == {"id": "1"}


def test_medians_are_shown_side_by_side() -> None:
    old, new = Asked([1.0, 5.0, 9.0], [8.0, 8.0, 99.0], [2, 2, 3]), Asked([2.0, 3.0, 4.0], [4.0, 4.0, 4.0], [1, 1, 1])
    about = {"date": "d", "command": "c", "old": "a", "new": "b"}
    machine = {"processor": "p", "cores": 2, "memory_gb": 4, "system": "s"}

    [line] = [
        line
        for line in page({**about, "machine": machine}, {"k": {"old": old.numbers(), "new": new.numbers()}})
        if line.startswith("| k ")
    ]

    assert line == "| k | 2.3 / 1 | 8 / 4 | 0.50 | 1 / 2 | 5 / 3 | 9 / 4 |"
