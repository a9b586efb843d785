"""The comparison with other programs: questions in both languages, and what the report makes of measurements."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench.peer_questions import Question, condition, questions
from bench.peer_report import PAGE, Part, merged, read_parts, write_report
from bench.query_kinds import SearchValues

VALUES = SearchValues(["1-2-3-0-history"], ["0af7"], ["deadbeef0123"])
ABOUT: dict[str, Any] = {
    "date": "2026-11-30",
    "command": "python -m bench.compare_peers",
    "machine": {"processor": "p", "cores": 2, "memory_gb": 8, "system": "Linux"},
    "service": {"python": "3.13", "packages": {}},
    "clickhouse": "26.9",
    "reservations": ["others worked on the machine"],
}


def queries(rows: int = 1000, *, p50_ms: float = 10.0) -> Part:
    times = {f"{name}_{share}_ms": 10.0 for name in ("service", "victoria_logs") for share in ("p50", "p99")}
    kind = times | {"service_p50_ms": p50_ms, "ratio_p50": 1.0, "ratio_p99": 1.0, "samples": 60.0}
    names = (
        *("service_bytes_per_row_everything", "service_bytes_per_row_columns", "victoria_logs_bytes_per_row"),
        *("service_peak_memory_mb", "engine_peak_memory_mb", "victoria_logs_peak_memory_mb"),
        "victoria_logs_insert_cpu_secs_per_million_merged",
    )
    return {"sizes": [dict.fromkeys(names, 60.0) | {"about": ABOUT, "rows": rows, "kinds": {"trace": [kind]}}]}


@pytest.mark.parametrize(
    ("query", "logsql"),
    [
        ("", "*"),
        ("payment", "i(payment)"),
        ('"connection reset"', 'i("connection reset")'),
        ("service:service-03 level:warn", '{service="service-03"} "level":="warn"'),
        ("level:>=error", "level:in(error,fatal)"),
        ('http.route:"/api/v1"', '"http.route":="/api/v1"'),
        ("http.status_code:[500 TO 503]", '"http.status_code":range[500,503]'),
    ],
)
def test_a_query_in_the_language_of_victoria_logs(query: str, logsql: str) -> None:
    assert condition(query, is_sensitive=False) == logsql


def test_words_as_they_are_written_are_asked_without_a_function() -> None:
    assert condition('service:a "card issuer"', is_sensitive=True) == '{service="a"} "card issuer"'


def test_both_are_asked_for_the_same_values() -> None:
    (question,) = (found for found in questions() if found.name == "trace")

    mine, theirs = question.requests(Random(1), VALUES)

    assert mine == ("/logs", {"query": "trace_id:0af7", "start": "now-30d", "limit": "100"})
    assert theirs == ("/select/logsql/query", {"query": '_time:30d "trace_id":="0af7"', "limit": "100"})


def test_every_question_has_a_translation() -> None:
    def asked(question: Question) -> str:
        return question.requests(Random(1), VALUES)[1][1]["query"]

    found = {question.name: asked(question) for question in questions()}

    assert len(found) >= 25
    assert all(query.startswith("_time:") for query in found.values())
    assert 'stats by ("service") quantile(0.99, response_time_ms) p99' in found["p99 by service 24 h"]
    assert "i(" in found["service and word"]
    assert "i(" not in found["service and word, case-sensitive there"]


def test_the_page_shows_all_parts_with_their_commands_and_charts(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "performance.md"
    ingestion: Part = {"about": ABOUT, "runs": {"service, full table": [{"rows_per_sec": 1000.0}]}}
    part = {"insert": 1.5, "merge": 0.5}
    costs: Part = {"about": ABOUT, "costs": {"service": {"decoding": 2.0}, "engine": {"columns alone": part}}}

    write_report(tmp_path / "results", page, {"ingestion": ingestion, "costs": costs, "queries": queries()})

    text = page.read_text()
    assert text.count("Provisional") == 3
    assert text.count(".venv/bin/python -m bench.compare_peers") == 3
    assert "| engine, columns alone |  | 1.50 | 0.50 |" in text
    images = re.findall(r"\((images/[^)]+)\)", text)
    assert len(images) == 2
    assert all((page.parent / image).read_text().startswith("<svg") for image in images)


def test_a_part_that_was_not_measured_again_is_kept(tmp_path: Path) -> None:
    write_report(tmp_path, tmp_path / "page.md", {"queries": queries()})

    assert merged(read_parts(tmp_path), {})["queries"]["sizes"] == queries()["sizes"]


def test_a_table_of_a_size_that_was_not_asked_again_is_kept() -> None:
    before = merged({"queries": queries(1000)}, {"queries": queries(10)})

    found = merged(before, {"queries": queries(1000, p50_ms=7.0)})["queries"]["sizes"]

    assert [(size["rows"], size["kinds"]["trace"][0]["service_p50_ms"]) for size in found] == [(10, 10.0), (1000, 7.0)]


def test_the_page_is_that_of_the_results(tmp_path: Path) -> None:
    results = PAGE.parents[1] / "bench" / "results"

    write_report(tmp_path / "results", tmp_path / "page.md", read_parts(results))

    assert (tmp_path / "page.md").read_text() == PAGE.read_text()
