"""Log, metrics and health of the periodic audit."""

import logging

import pytest
from prometheus_client import CollectorRegistry

from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict
from app.domain.offsets import Span
from app.domain.records import Partition
from app.errors import TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.telemetry.audit import AuditTelemetry
from tests.unit.audit.memory import offsets


class World:
    """Telemetry with log, metrics and health."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.registry = CollectorRegistry()
        self.health = Health()
        metrics = Metrics(self.registry, version="1")
        self.telemetry = AuditTelemetry(metrics, self.health, wall_clock=lambda: self.now)

    def value(self, name: str, partition: int | None = None) -> float | None:
        labels = {} if partition is None else {"topic": "logs", "partition": str(partition)}
        return self.registry.get_sample_value(f"log_ingest_{name}", labels)


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> World:
    caplog.set_level(logging.INFO, "app")
    return World()


def verdict(*findings: Finding, partition: int = 0) -> Verdict:
    found = PartitionVerdict(offsets(), Span(0, 100), records=90, rows=95, findings=findings)
    return Verdict({"logs": "id"}, {Partition("logs", partition): found})


MISSING = Finding(Kind.MISSING, Span(40, 50), 10)
INCOMPLETE = Finding(Kind.INCOMPLETE, Span(60, 61), 1)
DUPLICATED = Finding(Kind.DUPLICATED, Span(5, 6), 2)
UNVERIFIED = Finding(Kind.UNVERIFIED, Span(80, 83), 3)


def test_gauges_are_those_of_the_last_audit(world: World) -> None:
    world.telemetry.audited(verdict(MISSING, INCOMPLETE, DUPLICATED, UNVERIFIED), 0.25)

    assert world.value("audit_stored_records", 0) == 90
    assert world.value("audit_missing_records", 0) == 11
    assert world.value("audit_duplicate_rows", 0) == 2
    assert world.value("audit_unverified_offsets", 0) == 3
    assert world.value("audited_offset", 0) == 100
    assert world.value("audit_duration_seconds") == 0.25

    world.telemetry.audited(verdict(), 0.5)

    assert world.value("audit_missing_records", 0) == 0
    assert world.value("audit_duplicate_rows", 0) == 0
    assert world.value("audit_duration_seconds") == 0.5


def test_partitions_of_other_instances_have_no_gauges(world: World) -> None:
    world.telemetry.audited(verdict(partition=0), 0.1)
    world.telemetry.audited(verdict(partition=1), 0.1)

    assert world.value("audit_stored_records", 0) is None
    assert world.value("audited_offset", 0) is None
    assert world.value("audit_stored_records", 1) == 90


def test_the_time_of_the_last_success_is_at_first_that_of_the_start(world: World) -> None:
    assert world.value("audit_last_success_timestamp_seconds") == 0

    world.telemetry.started()

    assert world.value("audit_last_success_timestamp_seconds") == world.now


def test_an_audit_without_time_for_everything_is_no_success_and_one_that_finds_loss_is(world: World) -> None:
    world.telemetry.started()
    started_at, world.now = world.now, world.now + 300

    world.telemetry.audited(verdict(UNVERIFIED), 0.1)
    assert world.value("audit_last_success_timestamp_seconds") == started_at

    world.telemetry.audited(verdict(MISSING), 0.1)
    assert world.value("audit_last_success_timestamp_seconds") == world.now


def test_a_failed_audit_is_counted_and_logged_and_leaves_the_service_ready(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    problems = world.health.problems()

    world.telemetry.audit_failed(TryAgainLater("nobody answers", code="unreachable"))

    assert world.value("audit_failures_total") == 1
    assert world.health.problems() == problems
    assert world.health.details()["last_audit"] == "failed: nobody answers"
    assert [record.getMessage() for record in caplog.records] == [
        "An audit failed: nobody answers; the next one runs as usual"
    ]


def test_loss_is_an_error_in_the_log_once_and_again_only_when_it_changes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for found in (verdict(MISSING), verdict(MISSING), verdict(), verdict(MISSING), verdict(MISSING, INCOMPLETE)):
        world.telemetry.audited(found, 0.1)

    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors[0] == (
        "Audit of logs/0: 100 offsets consumed, 90 records stored: 10 missing. Details: python -m app audit"
    )
    assert [line.partition("stored: ")[2].partition(".")[0] for line in errors] == [
        "10 missing",
        "10 missing",
        "10 missing, 1 incomplete",
    ]
