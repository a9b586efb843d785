"""Reports the passes of retention per service: metrics, health and log."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

from app.domain.retention_rules import Expired
from app.errors import Refused, TryAgainLater
from app.health import Health
from app.metrics import Metrics

_log = logging.getLogger(__name__)


class RetentionTelemetry:
    """See `maintenance.passes.PassEvents`. Called on their thread."""

    def __init__(self, metrics: Metrics, health: Health, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._metrics = metrics
        self._health = health
        self._wall_clock = wall_clock

    def left_to_another(self) -> None:
        """Another instance makes the passes."""
        self._health.note(outcome="left to the instance that reads the first partition")

    def removed(self, day: Sequence[Expired]) -> None:
        """The expired logs of a day are removed."""
        by_rule: Counter[str] = Counter()
        for expired in day:
            by_rule[str(expired.rule)] += expired.rows
        for rule, rows in by_rule.items():
            self._metrics.retention_removed.labels(rule).inc(rows)
        words = ", ".join(f"{rows:,} by {rule}" for rule, rows in sorted(by_rule.items()))
        _log.info("Retention has removed logs of %s: %s", day[0].day, words)

    def passed(self) -> None:
        """A pass has removed all that had expired."""
        self._metrics.retention_last_pass.set(self._wall_clock())
        self._health.note(outcome="all that had expired is removed")

    def failed(self, error: TryAgainLater | Refused) -> None:
        """ClickHouse did not answer, or did not delete rows."""
        self._metrics.retention_failures.inc()
        self._health.note(outcome=f"failed: {error}")
        _log.warning("Retention per service could not remove what has expired: %s; the next pass tries again", error)
