"""Reports failures of Kafka or ClickHouse, rate-limited, and one recovery."""

import logging
from collections.abc import Callable

from app.errors import TryAgainLater
from app.health import Health

_log = logging.getLogger(__name__)

_RETRY_EVERY_SECS = 10.0


class RateLimit:
    """Lets one event through per period."""

    def __init__(self, every_secs: float, clock: Callable[[], float]) -> None:
        self._every_secs = every_secs
        self._clock = clock
        self._last_at: float | None = None

    def lets_through(self) -> bool:
        """Whether this event may be told."""
        now = self._clock()
        if self._last_at is not None and now - self._last_at < self._every_secs:
            return False
        self._last_at = now
        return True


class SystemReport:
    """What is told of Kafka or of ClickHouse: that it fails, now and then, and once that it is back."""

    def __init__(self, name: str, health: Health, clock: Callable[[], float]) -> None:
        self._name = name
        self._health = health
        self._failure_line = RateLimit(_RETRY_EVERY_SECS, clock)
        self._is_failure_told = False

    def failed(self, error: TryAgainLater) -> None:
        """It did not do what it was asked; the same will be tried again."""
        self._health.report(self._name.lower(), str(error))
        if self._failure_line.lets_through():
            self._is_failure_told = True
            _log.warning("%s: %s; trying again", self._name, error)

    def answered(self) -> None:
        """It did what it was asked."""
        self._health.report(self._name.lower(), None)
        if self._is_failure_told:
            self._is_failure_told = False
            _log.info("%s is there again", self._name)
