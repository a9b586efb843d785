"""The audit beside the running service."""

import pytest

from app.audit.verdict import Verdict
from app.audit.watch import AuditWatch
from app.errors import Refused, TryAgainLater
from tests.fakes import Clock


class Events:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.ended: list[tuple[Verdict, float]] = []
        self.failed: list[str] = []

    def audited(self, verdict: Verdict, seconds: float) -> None:
        self.ended.append((verdict, seconds))

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        self.failed.append(str(error))


def test_a_look_is_one_audit_and_says_when_the_next_one_is_due() -> None:
    clock, events = Clock(), Events()

    def audit() -> Verdict:
        clock.turn(0.5)
        return Verdict("id", {})

    watch = AuditWatch(audit, events, interval_secs=300, clock=clock)

    assert watch.look() == 300
    assert events.ended == [(Verdict("id", {}), 0.5)]


@pytest.mark.parametrize(
    "error",
    [TryAgainLater("nobody answers", code="unreachable"), Refused("no", code="1"), ZeroDivisionError("a mistake")],
)
def test_an_audit_that_fails_is_told_and_nothing_else(error: Exception) -> None:
    events = Events()

    def audit() -> Verdict:
        raise error

    assert AuditWatch(audit, events, interval_secs=300).look() == 300

    assert events.failed == [str(error)]
    assert events.ended == []
