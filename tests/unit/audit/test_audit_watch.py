"""The periodic audit of the running service."""

from collections.abc import Set

import pytest

from app.audit.verdict import Verdict
from app.audit.watch import AuditWatch
from app.domain.records import Partition
from app.errors import Refused, TryAgainLater
from tests.fakes import Clock


class Events:
    """Records events."""

    def __init__(self) -> None:
        self.ended: list[tuple[Verdict, float]] = []
        self.failed: list[str] = []

    def audited(self, verdict: Verdict, seconds: float) -> None:
        self.ended.append((verdict, seconds))

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        self.failed.append(str(error))


def test_each_run_audits_the_currently_assigned_partitions() -> None:
    clock, events, ours = Clock(), Events(), {Partition("logs", 1), Partition("logs", 2)}

    def audit(partitions: Set[Partition]) -> Verdict:
        clock.advance(0.5)
        return Verdict({"audited": ",".join(map(str, sorted(partitions)))}, {})

    watch = AuditWatch(audit, lambda: ours, events, interval_secs=300, clock=clock)

    assert watch.run() == 300
    ours.remove(Partition("logs", 1))
    watch.run()

    assert events.ended == [
        (Verdict({"audited": "logs/1,logs/2"}, {}), 0.5),
        (Verdict({"audited": "logs/2"}, {}), 0.5),
    ]


def test_an_instance_without_partitions_runs_no_audit() -> None:
    events = Events()

    AuditWatch(lambda _: pytest.fail("the audit ran"), set, events, interval_secs=300).run()

    [(verdict, _)] = events.ended
    assert verdict.partitions == {}


@pytest.mark.parametrize(
    "error",
    [TryAgainLater("nobody answers", code="unreachable"), Refused("no", code="1"), ZeroDivisionError("a mistake")],
)
def test_a_failed_audit_is_reported_and_nothing_else(error: Exception) -> None:
    events = Events()

    def audit(_: Set[Partition]) -> Verdict:
        raise error

    assert AuditWatch(audit, lambda: {Partition("logs", 0)}, events, interval_secs=300).run() == 300

    assert events.failed == [str(error)]
    assert events.ended == []
