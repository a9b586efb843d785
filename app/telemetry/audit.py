"""What the audit beside the service reports."""

import logging
import time
from collections.abc import Callable, Set

from app.audit.report import summary
from app.audit.verdict import BAD, Kind, Verdict
from app.errors import Refused, TryAgainLater
from app.health import Health
from app.metrics import Metrics

_log = logging.getLogger(__name__)


class AuditTelemetry:
    """What the audit beside the service reports. Methods are called from its thread."""

    def __init__(
        self, metrics: Metrics, health: Health, topic: str, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._topic = topic
        self._wall_clock = wall_clock
        self._told: dict[int, tuple[int, ...]] = {}
        self._audited: Set[int] = frozenset()

    def started(self) -> None:
        """Audits will be made from now on."""
        self._metrics.audit_last_success.set(self._wall_clock())

    def audited(self, verdict: Verdict, seconds: float) -> None:
        """An audit has ended."""
        metrics = self._metrics
        if verdict.partitions.keys() != self._audited:
            self._forget()
            self._audited = verdict.partitions.keys()
        for number, found in verdict.partitions.items():
            labels = self._topic, str(number)
            metrics.audit_stored_records.labels(*labels).set(found.records)
            metrics.audit_missing_records.labels(*labels).set(found.count(Kind.MISSING, Kind.INCOMPLETE))
            metrics.audit_duplicate_rows.labels(*labels).set(found.count(Kind.DUPLICATED))
            metrics.audit_unverified_offsets.labels(*labels).set(found.count(Kind.UNVERIFIED))
            metrics.audited_offset.labels(*labels).set(found.checked.next)
        metrics.audit_duration.set(seconds)
        if not verdict.count(Kind.UNVERIFIED):
            metrics.audit_last_success.set(self._wall_clock())
        self._health.note(last_audit=summary(verdict))
        self._tell(verdict)

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        """One of the two sides did not answer."""
        self._metrics.audit_failures.inc()
        self._health.note(last_audit=f"failed: {error}")
        _log.warning("An audit failed: %s; the next one will be made all the same", error)

    def _tell(self, verdict: Verdict) -> None:
        """Say what is wrong with a partition once, and not again at every audit."""
        told = {}
        for number, found in verdict.partitions.items():
            if found.count(*BAD):
                told[number] = tuple(found.count(kind) for kind in BAD)
                if told[number] != self._told.get(number):
                    words = summary(Verdict(verdict.topic_id, {number: found}))
                    _log.error("Audit of %s/%d: %s Where: python -m app audit", self._topic, number, words)
        self._told = told

    def _forget(self) -> None:
        """No figures of partitions that others read by now."""
        metrics = self._metrics
        metrics.audit_stored_records.clear()
        metrics.audit_missing_records.clear()
        metrics.audit_duplicate_rows.clear()
        metrics.audit_unverified_offsets.clear()
        metrics.audited_offset.clear()
