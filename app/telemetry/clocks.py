"""Reports how far the clocks of Kafka and ClickHouse are from ours."""

import logging
from typing import Final

from app.health import Health
from app.metrics import Metrics

_log = logging.getLogger(__name__)

_WARNING_SECS: Final = 1.0
_PROBLEM_SECS: Final = 10.0
_READ_WITHIN_SECS: Final = 45.0  # three readings


class ClockTelemetry:
    """Reports one clock. See `clocks.ClockEvents`."""

    def __init__(self, system: str, metrics: Metrics, health: Health, *, is_read: bool) -> None:
        """`is_read`: this clock is read periodically, and it is a problem if that fails for long."""
        self._system = system
        self._part = f"{system.lower()} clock"
        self._skew = metrics.clock_skew
        self._health = health
        self._is_read = is_read
        self._level = 0  # 1 from a warning on, 2 from a problem on
        self._note(None)
        if is_read:
            self._expect_reading("not read yet")

    def skewed(self, skew_secs: float | None) -> None:
        """See `clocks.ClockEvents`."""
        self._note(skew_secs)
        if skew_secs is None:
            self._forget()
        else:
            self._skew.labels(self._system.lower()).set(skew_secs)
            self._report(skew_secs)

    def unread(self, error: Exception) -> None:
        """See `clocks.ClockEvents`."""
        self._health.warn(self._part, f"could not be read: {error}")

    def _note(self, skew_secs: float | None) -> None:
        rounded = None if skew_secs is None else round(skew_secs, 3)
        self._health.note(**{f"{self._system.lower()}_clock_skew_secs": rounded})

    def _forget(self) -> None:
        self._skew.remove(self._system.lower())
        self._health.warn(self._part, None)
        if not self._is_read:  # for a clock that is read periodically, the last report still holds
            self._health.report(self._part, None)

    def _report(self, skew_secs: float) -> None:
        side = "ahead of" if skew_secs > 0 else "behind"
        words = f"{abs(skew_secs):.1f} s {side} ours; synchronize both clocks with NTP"
        self._health.warn(self._part, words if abs(skew_secs) > _WARNING_SECS else None)
        if abs(skew_secs) > _PROBLEM_SECS:
            self._health.report(self._part, words)
        elif self._is_read:
            self._expect_reading(f"not read for {_READ_WITHIN_SECS:g} s")
        else:
            self._health.report(self._part, None)
        self._log_once(skew_secs, words)

    def _log_once(self, skew_secs: float, words: str) -> None:
        """Log once when the skew passes each threshold, and once when the clock is right again."""
        level = (abs(skew_secs) > _WARNING_SECS) + (abs(skew_secs) > _PROBLEM_SECS)
        if level == self._level:
            return
        self._level = level
        if level:
            _log.warning("%s's clock is %s", self._system, words)
        else:
            _log.info("%s's clock is within %g s of ours again", self._system, _WARNING_SECS)

    def _expect_reading(self, otherwise: str) -> None:
        self._health.expect(self._part, _READ_WITHIN_SECS, otherwise)
