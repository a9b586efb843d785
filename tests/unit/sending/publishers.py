"""In-memory publishers for producer.py."""

import argparse
from collections.abc import Callable

from app.errors import KafkaCode, TryAgainLater
from app.ports import LogPublisher
from app.settings import KafkaSettings
from sending.signals import Signals
from tests.fakes import MemoryPublisher


def made(publisher: LogPublisher) -> Callable[[KafkaSettings, argparse.Namespace], LogPublisher]:
    """A factory that returns this publisher."""
    return lambda _settings, _options: publisher


def unreachable(
    reason: str = "Kafka does not answer at kafka.example:9092 (refused)", code: KafkaCode = KafkaCode.UNREACHABLE
) -> MemoryPublisher:
    """A publisher that cannot connect."""
    publisher = MemoryPublisher()
    publisher.failure = TryAgainLater(reason, code=code)
    return publisher


def unanswered(signals: Signals, signal_number: int) -> MemoryPublisher:
    """A publisher that never acknowledges; the user interrupts after the third record."""
    publisher = MemoryPublisher()
    publisher.stop_acknowledging()
    count = 0

    def lose_patience() -> None:
        nonlocal count
        count += 1
        if count == 3:
            signals.receive(signal_number)
            signals.receive(signal_number)

    publisher.meanwhile = lose_patience
    return publisher


def values(publisher: MemoryPublisher) -> list[bytes | None]:
    """What was delivered."""
    return [record.value for record in publisher.records]
