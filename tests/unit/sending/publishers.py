"""Publishers in memory: one that answers, one that does not, one that cannot connect."""

import argparse
import signal
from collections.abc import Callable

from app.backends.kafka.publisher import OnDone
from app.errors import KafkaCode, Refused, TryAgainLater
from app.settings import KafkaSettings
from sending.signals import Signals

MAX_BYTES = 100


class MemoryPublisher:
    """Answers every record at once, as `answer` says; an answer that is raised is one that `publish` raises."""

    def __init__(self, answer: Callable[[bytes], TryAgainLater | Refused | None] = lambda _: None) -> None:
        self.values: list[bytes] = []
        self.keys: list[bytes | None] = []
        self.settings = KafkaSettings()
        self.options = argparse.Namespace()
        self.is_closed = False
        self._answer = answer

    def make(self, settings: KafkaSettings, options: argparse.Namespace) -> "MemoryPublisher":
        self.settings, self.options = settings, options
        return self

    def connect(self) -> int:
        return MAX_BYTES

    def publish(self, value: bytes, *, key: bytes | None, on_done: OnDone) -> None:
        self.values.append(value)
        self.keys.append(key)
        on_done(self._answer(value))

    def close(self, timeout_secs: float) -> None:
        self.is_closed = True


class SilentPublisher(MemoryPublisher):
    """Takes records and never answers; the user loses patience after the third."""

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self._signals = signals

    def publish(self, value: bytes, *, key: bytes | None, on_done: OnDone) -> None:
        self.values.append(value)
        if len(self.values) == 3:
            self._signals.receive(signal.SIGINT)
            self._signals.receive(signal.SIGINT)


class UnreachablePublisher(MemoryPublisher):
    """Cannot connect."""

    def __init__(
        self,
        reason: str = "Kafka does not answer at kafka.example:9092 (refused)",
        code: KafkaCode = KafkaCode.UNREACHABLE,
    ) -> None:
        super().__init__()
        self._error = TryAgainLater(reason, code=code)

    def connect(self) -> int:
        raise self._error
