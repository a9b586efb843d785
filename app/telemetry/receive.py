"""Reports what is received, and whether Kafka takes it."""

import time
from collections.abc import Callable
from typing import Final

from app.health import Health
from app.metrics import Metrics
from app.telemetry.reports import SystemReport

PART: Final = "kafka publisher"

_WITHIN_SECS: Final = 30.0  # three checks


class ReceiveTelemetry:
    """See `api.receivers.receiver.CountsEvents` and `receive.publishing.PublisherEvents`. Shared by threads."""

    def __init__(self, metrics: Metrics, health: Health, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._publisher = SystemReport("Kafka publisher", health, clock, expected_within_secs=_WITHIN_SECS)

    def received(self, receiver: str, size: int) -> None:
        """A request with a body of this many bytes."""
        self._metrics.received_bytes.labels(receiver).inc(size)

    def ended(self, receiver: str, outcome: str, events: int) -> None:
        """Events that were `stored`, `refused` or `failed`."""
        if events:
            self._metrics.received_events.labels(receiver, outcome).inc(events)

    def succeeded(self) -> None:
        """The publisher is connected."""
        self._publisher.succeeded()

    def failed(self, error: Exception) -> None:
        """The publisher cannot be connected."""
        self._publisher.failed(error)
