"""Summaries of timed queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.api_client import Sample
from bench.query_report import Size, Timing, report_sizes, timing

ABOUT: Mapping[str, Any] = {
    "date": "2026-11-25",
    "command": "python -m bench.query_latency",
    "machine": {"processor": "p", "cores": 2, "memory_gb": 8, "system": "Linux"},
    "service": {"python": "3.13", "packages": {}},
    "clickhouse": "26.9",
    "events_per_sec_stored_meanwhile": 5000,
}


def taking(*millis: float) -> Timing:
    return timing([Sample(each, 10, 20, 1) for each in millis], [])


def size(rows: int, **timings: Timing) -> Size:
    return Size(rows, timings, {"everything": 90.0, "columns": 50.0})


def test_percentiles_are_of_samples_and_not_between_them() -> None:
    found = taking(*range(1, 201))

    assert (found.p50, found.p95, found.p99, found.most) == (100, 190, 198, 200)
    assert (found.rows_read, found.bytes_read, found.cold_p50) == (10, 20, None)


@pytest.mark.parametrize(("p99", "code"), [(400, 0), (401, 1)])
def test_a_kind_that_takes_too_long_on_the_largest_table_is_missed(tmp_path: Path, p99: float, code: int) -> None:
    sizes = [size(10, newest=taking(900)), size(100, newest=taking(p99))]

    assert report_sizes(tmp_path, "query_latency", ABOUT, sizes, is_stored=True) == code


def test_the_page_has_a_table_for_each_size_and_how_they_grew(tmp_path: Path) -> None:
    report_sizes(
        tmp_path, "query_latency", ABOUT, [size(10, newest=taking(40)), size(100, newest=taking(60))], is_stored=True
    )

    page = (tmp_path / "query_latency.md").read_text()
    assert "| newest | 40 | 40 | 40 | 40 |" in page
    assert "| newest | 1.50 | 1.50 |" in page
    assert json.loads((tmp_path / "query_latency.json").read_text())["sizes"][1]["timings"]["newest"]["p99"] == 60


def test_the_page_says_how_often_a_day_was_merged_meanwhile(tmp_path: Path) -> None:
    found = replace(size(10, newest=taking(40)), merges_of_a_day=3)
    for name, measured in (("alone", size(10, newest=taking(40))), ("merging", found)):
        report_sizes(tmp_path, name, ABOUT, [measured], is_stored=True)

    assert "Meanwhile its largest day was merged 3 times." in (tmp_path / "merging.md").read_text()
    assert "Meanwhile" not in (tmp_path / "alone.md").read_text()


def test_nothing_is_stored_of_a_quick_run(tmp_path: Path) -> None:
    report_sizes(tmp_path, "query_latency", ABOUT, [size(10, newest=taking(40))], is_stored=False)

    assert not list(tmp_path.iterdir())
