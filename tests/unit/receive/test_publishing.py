"""The component of the publisher: it connects, creates a topic that is missing, and goes on whatever fails."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.errors import KafkaCode, TryAgainLater
from app.health import Health
from app.receive.publishing import Publishing
from app.service import submit_to_thread
from tests.fakes import MemoryPublisher

MISSING = TryAgainLater("no such topic", code=KafkaCode.UNKNOWN_TOPIC)
AWAY = TryAgainLater("away", code=KafkaCode.UNREACHABLE)


class Seen:
    """The outcomes of checks."""

    def __init__(self) -> None:
        self.outcomes: list[Exception | None] = []
        self.was_told = threading.Event()

    def succeeded(self) -> None:
        self.outcomes.append(None)
        self.was_told.set()

    def failed(self, error: Exception) -> None:
        self.outcomes.append(error)
        self.was_told.set()


def checked(publisher: MemoryPublisher, ensure_topic: Callable[[], bool] = lambda: False) -> Seen:
    """What a component has seen when it is stopped after its first check."""
    seen = Seen()
    component = Publishing(publisher, ensure_topic, Health(), seen, submit_to_thread)
    component.start()
    assert seen.was_told.wait(10)
    component.stop()
    component.join(1)
    return seen


def test_it_connects_and_closes_the_publisher_at_the_end() -> None:
    publisher = MemoryPublisher()

    assert checked(publisher).outcomes == [None]
    assert publisher.is_closed


def test_a_publisher_that_does_not_close_is_left_behind_when_the_time_is_up(caplog: pytest.LogCaptureFixture) -> None:
    hangs = threading.Event()

    class Hanging(MemoryPublisher):
        def close(self, timeout_secs: float) -> None:
            hangs.wait()

    component = Publishing(Hanging(), lambda: False, Health(), Seen(), submit_to_thread)
    component.stop()
    component.join(0.01)
    hangs.set()

    assert "Logs that Kafka has not acknowledged may be lost" in caplog.text


def test_a_topic_that_is_missing_is_created() -> None:
    publisher = MemoryPublisher()
    publisher.failure = MISSING

    def create() -> bool:
        publisher.failure = None
        return True

    assert checked(publisher, create).outcomes == [None]


def test_while_kafka_is_away_it_says_so_and_creates_nothing() -> None:
    publisher, calls = MemoryPublisher(), list[str]()
    publisher.failure = AWAY

    def create() -> bool:
        calls.append("create")
        return True

    assert checked(publisher, create).outcomes == [AWAY]
    assert not calls
