"""Metrics and logs of a running service: for Prometheus, as text and as JSON."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from local.paths import ROOT
from local.service import ServiceProcess
from tests.e2e.pipeline import PARTITIONS, PATIENCE_SECS, Pipeline
from tests.support.programs import find_program

pytestmark = pytest.mark.stack

RECORDS = 2_000
REFERENCE = ROOT / "docs" / "reference.md"

# Log lines from the start to the last row of a short stream, with a margin for retries.
MOST_LOG_LINES = 15


@pytest.fixture(scope="module")
def service(shared_pipeline: Pipeline) -> ServiceProcess:
    """An instance that has stored a short stream, one record of which it could not parse."""
    service = shared_pipeline.start_service()
    shared_pipeline.send([*(f"INFO line {number}" for number in range(RECORDS - 1)), "{not JSON"])
    service.wait_until(lambda scrape: scrape.total("committed_offset") == RECORDS, PATIENCE_SECS)
    return service


def test_promtool_reports_no_problems(service: ServiceProcess) -> None:
    promtool = find_program("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")

    done = subprocess.run(
        [promtool, "check", "metrics"], input=service.metrics(), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_series_of_the_reference_is_there_as_described(service: ServiceProcess) -> None:
    described = set(re.findall(r"^\| `(log_ingest_\w+)` \| (\w+) \|", REFERENCE.read_text(), re.MULTILINE))
    exposed = {
        (f"{family.name}_total" if family.type == "counter" else family.name, family.type)
        for family in text_string_to_metric_families(service.metrics())
        if family.name.startswith("log_ingest_")
    }

    assert len(described) > 20
    assert exposed == described


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("messages_consumed_total", RECORDS),
        ("rows_inserted_total", RECORDS),
        ("batch_rows_sum", RECORDS),
        ("end_to_end_latency_seconds_count", RECORDS),
        ("committed_offset", RECORDS),
        ("parse_errors_total", 1),
        ("assigned_partitions", PARTITIONS),
        ("build_info", 1),
        ("buffer_rows", 0),
        ("buffer_bytes", 0),
        ("paused", 0),
        ("halted_partitions", 0),
        ("lost_to_retention_total", 0),
        ("rows_already_stored_total", 0),
    ],
)
def test_a_series_has_the_expected_value(service: ServiceProcess, name: str, expected: int) -> None:
    assert service.scrape().total(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "bytes_consumed_total",
        "rebalances_total",
        "inserts_total",
        "batch_rows_count",
        "batch_bytes_sum",
        "insert_duration_seconds_sum",
        "end_to_end_latency_seconds_sum",
        "last_insert_timestamp_seconds",
    ],
)
def test_a_series_has_moved(service: ServiceProcess, name: str) -> None:
    assert service.scrape().total(name) > 0


def test_lag_is_reported_for_every_partition_and_drains(service: ServiceProcess) -> None:
    def has_drained() -> bool:
        lag = re.findall(r"^log_ingest_consumer_lag\{.*\} (\S+)$", service.metrics(), re.MULTILINE)
        return [float(records) for records in lag] == [0.0] * PARTITIONS

    service.wait_until(lambda _: has_drained(), PATIENCE_SECS)


def test_the_log_is_readable_and_does_not_mention_single_records(service: ServiceProcess) -> None:
    lines = service.log.splitlines()

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR) +\S.*", line) for line in lines)
    assert any("Consuming" in line for line in lines)
    assert any(re.search(r"Stored [\d,]+ rows", line) for line in lines)
    assert len(lines) <= MOST_LOG_LINES, service.log


def test_on_cloud_run_every_line_of_the_log_is_json_with_a_severity(shared_pipeline: Pipeline) -> None:
    service = shared_pipeline.new_service(K_SERVICE="log-ingest")
    service.start()
    service.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
    service.stop()

    entries = [json.loads(line) for line in service.log.splitlines()]
    assert {entry["severity"] for entry in entries} <= {"INFO", "WARNING", "ERROR"}
    assert "Consuming" in [entry["message"] for entry in entries]
    assert entries[-1]["message"] == "Bye"
