"""Results with a line for each case, and the page that shows them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from bench.cases import CaseReport, conclude_cases
from bench.loads_page import write_page
from bench.report import Measure, Measurements

ABOUT: dict[str, Any] = {
    "date": "2026-11-30",
    "command": "python -m bench.workers",
    "machine": {"processor": "p", "cores": 2, "memory_gb": 8, "system": "Linux"},
    "provisional": "",
}
REPORT = CaseReport(
    "workers",
    "Workers",
    "Instances",
    [Measure("events_per_sec", "Rows/s", 0), Measure("rows_twice", "Twice", 0, limit=0, is_exact=True)],
)


def concluded(directory: Path, *, is_quick: bool = False, **cases: list[Measurements]) -> int:
    options = argparse.Namespace(results=directory, quick=is_quick)
    return conclude_cases(REPORT, options, {"Date": "2026-11-30"}, ABOUT, cases)


def run_of(rows: float, twice: float = 0) -> Measurements:
    return {"events_per_sec": rows, "rows_twice": twice}


def test_a_case_is_shown_by_its_medians(tmp_path: Path) -> None:
    code = concluded(tmp_path, one=[run_of(1000), run_of(3000), run_of(2000)])

    assert code == 0
    assert "| one | 2,000 | 0 |" in (tmp_path / "workers.md").read_text()
    assert json.loads((tmp_path / "workers.json").read_text())["median"]["one"]["events_per_sec"] == 2000


def test_a_single_run_that_is_not_exact_is_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = concluded(tmp_path, one=[run_of(1000), run_of(1000, twice=1), run_of(1000)])

    assert code == 1
    assert "Missed: one: Twice" in capsys.readouterr().err


def test_a_quick_run_stores_nothing(tmp_path: Path) -> None:
    concluded(tmp_path, is_quick=True, one=[run_of(1000)])

    assert list(tmp_path.iterdir()) == []


def test_the_page_shows_the_results_that_there_are(tmp_path: Path) -> None:
    concluded(tmp_path, one=[run_of(1000)], two=[run_of(1500)])

    page, chart = write_page(tmp_path, tmp_path / "loads.md")

    assert "| two | 1,500 | 0 |" in page.read_text()
    assert "## Idle" not in page.read_text()
    assert "1,500" in chart.read_text()
