"""The audit beside the running service."""

import threading
from collections.abc import Callable, Set

import pytest

from app.audit.verdict import Verdict
from app.audit.watch import Watch
from app.errors import Refused, TryAgainLater
from tests.fakes import Clock

DEADLINE_SECS = 20.0


class Events:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.has_started = False
        self.ended: list[tuple[Verdict, float]] = []
        self.failed: list[str] = []
        self.on_ended: Callable[[], None] = lambda: None

    def started(self) -> None:
        self.has_started = True

    def audited(self, verdict: Verdict, seconds: float) -> None:
        self.ended.append((verdict, seconds))
        self.on_ended()

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        self.failed.append(str(error))


def failing(error: Exception) -> Callable[[Set[int]], Verdict]:
    def audit(_: Set[int]) -> Verdict:
        raise error

    return audit


def test_it_audits_the_partitions_that_are_ours_now() -> None:
    clock, events, ours = Clock(), Events(), {1, 2}

    def audit(partitions: Set[int]) -> Verdict:
        clock.turn(0.5)
        return Verdict(",".join(map(str, sorted(partitions))), {})

    watch = Watch(audit, lambda: ours, events, interval_secs=300, clock=clock)

    watch.look()
    ours.remove(1)
    watch.look()

    assert events.ended == [(Verdict("1,2", {}), 0.5), (Verdict("2", {}), 0.5)]


@pytest.mark.parametrize(
    "error",
    [TryAgainLater("nobody answers", code="unreachable"), Refused("no", code="1"), ZeroDivisionError("a mistake")],
)
def test_an_audit_that_fails_is_told_and_nothing_else(error: Exception) -> None:
    events = Events()

    Watch(failing(error), set, events, interval_secs=300).look()

    assert events.failed == [str(error)]
    assert events.ended == []


def test_it_goes_on_until_it_is_stopped() -> None:
    events = Events()
    watch = Watch(lambda _: Verdict("id", {}), set, events, interval_secs=0.001)
    events.on_ended = lambda: watch.stop() if len(events.ended) == 3 else None
    thread = threading.Thread(target=watch.run)

    thread.start()
    thread.join(DEADLINE_SECS)

    assert not thread.is_alive()
    assert events.has_started
    assert len(events.ended) == 3
