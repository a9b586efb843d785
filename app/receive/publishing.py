"""The component of the publisher: connects it, creates the topic if it is missing, and closes it at the end."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from app.component import Repeating
from app.errors import KafkaCode, TryAgainLater
from app.health import Health
from app.ports import LogPublisher

_log: Final = logging.getLogger(__name__)

_INTERVAL_SECS: Final = 10.0
_RETRY_SECS: Final = 1.0
_FLUSH_SECS: Final = 3.0


class PublisherEvents(Protocol):
    """Receives whether logs can be sent."""

    def succeeded(self) -> None:
        """The publisher is connected."""

    def failed(self, error: Exception) -> None:
        """The publisher cannot be connected."""


class Publishing(Repeating):
    """See `Component`."""

    def __init__(
        self,
        publisher: LogPublisher,
        ensure_topic: Callable[[], bool],
        health: Health,
        events: PublisherEvents,
        submit: Callable[[Callable[[], None]], "Future[None]"],
    ) -> None:
        """`ensure_topic` creates the topic if it is missing; it is called on the thread of this component alone.

        `submit` runs a call on a thread that does not keep the process from ending.
        """
        super().__init__("receive", self._check, health)
        self._submit = submit
        self._publisher = publisher
        self._ensure_topic = ensure_topic
        self._events = events

    def join(self, timeout_secs: float) -> None:
        """See `Component`. What requests have handed over is still sent."""
        # The client gives what cannot be sent its own time to fail, and may wait for a connection: it is left behind
        # when the time is up.
        closing = self._submit(lambda: self._publisher.close(min(timeout_secs, _FLUSH_SECS)))
        try:
            closing.result(timeout_secs)
        except TimeoutError:
            _log.warning("Logs that Kafka has not acknowledged may be lost, unless their sender sends them again")

    def _check(self) -> float:
        """Connect, and return the seconds until the next check."""
        try:
            self._connect()
        except TryAgainLater as error:
            self._events.failed(error)
            return _RETRY_SECS
        self._events.succeeded()
        return _INTERVAL_SECS

    def _connect(self) -> None:
        try:
            self._publisher.connect()
        except TryAgainLater as error:
            if error.code != KafkaCode.UNKNOWN_TOPIC:
                raise
            if self._ensure_topic():
                _log.info("The topic did not exist: created")
            self._publisher.connect()
