"""The component of the publisher: connects it, creates the topic if it is missing, and closes it at the end."""

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from app.errors import KafkaCode, TryAgainLater
from app.health import Health
from app.ports import LogPublisher

_log: Final = logging.getLogger(__name__)

_EVERY_SECS: Final = 10.0
_FIRST_EVERY_SECS: Final = 1.0
_FLUSH_SECS: Final = 3.0


class PublisherEvents(Protocol):
    """Receives whether logs can be sent."""

    def succeeded(self) -> None:
        """The publisher is connected."""

    def failed(self, error: Exception) -> None:
        """The publisher cannot be connected."""


class Publishing:
    """See `Component`."""

    def __init__(
        self, publisher: LogPublisher, ensure_topic: Callable[[], bool], health: Health, events: PublisherEvents
    ) -> None:
        """`ensure_topic` creates the topic if it is missing; it is called on the thread of this component alone."""
        self.name = "receive"
        self.health = health
        self._publisher = publisher
        self._ensure_topic = ensure_topic
        self._events = events
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        """See `Component`."""
        self._thread.start()

    def stop(self) -> None:
        """See `Component`."""
        self._stop.set()

    def join(self, timeout_secs: float) -> None:
        """See `Component`. What requests have handed over is still sent."""
        self._publisher.close(min(timeout_secs, _FLUSH_SECS))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(_EVERY_SECS if self._check() else _FIRST_EVERY_SECS)

    def _check(self) -> bool:
        try:
            self._connect()
        except TryAgainLater as error:
            self._events.failed(error)
            return False
        self._events.succeeded()
        return True

    def _connect(self) -> None:
        try:
            self._publisher.connect()
        except TryAgainLater as error:
            if error.code != KafkaCode.UNKNOWN_TOPIC:
                raise
            if self._ensure_topic():
                _log.info("The topic did not exist: created")
            self._publisher.connect()
