"""Reports failures of Kafka or ClickHouse, rate-limited, and one recovery."""

import logging
from collections.abc import Callable

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
        """Whether this event may be logged."""
        now = self._clock()
        if self._last_at is not None and now - self._last_at < self._every_secs:
            return False
        self._last_at = now
        return True


class SystemReport:
    """Reports failures of one system, rate-limited, and one recovery."""

    def __init__(
        self, name: str, health: Health, clock: Callable[[], float], *, expected_within_secs: float | None = None
    ) -> None:
        """With `expected_within_secs`, it is a problem too if no call succeeds or fails for this long."""
        self._name = name
        self._part = name.lower()
        self._health = health
        self._expected_within_secs = expected_within_secs
        self._failure_line = RateLimit(_RETRY_EVERY_SECS, clock)
        self._is_failure_logged = False

    def failed(self, error: Exception) -> None:
        """A call failed; it will be retried."""
        self._health.report(self._part, str(error))
        if self._failure_line.lets_through():
            self._is_failure_logged = True
            _log.warning("%s: %s; retrying", self._name, error)

    def succeeded(self) -> None:
        """A call succeeded."""
        if self._expected_within_secs is None:
            self._health.report(self._part, None)
        else:
            otherwise = f"has not answered for {self._expected_within_secs:g} s"
            self._health.expect(self._part, self._expected_within_secs, otherwise)
        if self._is_failure_logged:
            self._is_failure_logged = False
            _log.info("%s has recovered", self._name)

    def closed(self) -> None:
        """The system is not used any more: clear its problem."""
        self._health.report(self._part, None)
