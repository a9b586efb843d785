"""Reports the periodic audit: metrics, health and log."""

import logging
import time
from collections.abc import Callable, Set

from app.audit.report import summary
from app.audit.verdict import BAD, Kind, Verdict
from app.domain.records import Partition
from app.errors import Refused, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.telemetry.partitions import labels

_log = logging.getLogger(__name__)


class AuditTelemetry:
    """Reports the periodic audit. Called on its thread."""

    def __init__(self, metrics: Metrics, health: Health, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._metrics = metrics
        self._health = health
        self._wall_clock = wall_clock
        self._logged: dict[Partition, tuple[int, ...]] = {}
        self._audited: Set[Partition] = frozenset()

    def started(self) -> None:
        """Audits run from now on."""
        self._metrics.audit_last_success.set(self._wall_clock())

    def audited(self, verdict: Verdict, seconds: float) -> None:
        """An audit has ended."""
        metrics = self._metrics
        if verdict.partitions.keys() != self._audited:
            self._forget()
            self._audited = verdict.partitions.keys()
        for partition, found in verdict.partitions.items():
            metrics.audit_stored_records.labels(*labels(partition)).set(found.records)
            metrics.audit_missing_records.labels(*labels(partition)).set(found.count(Kind.MISSING, Kind.INCOMPLETE))
            metrics.audit_duplicate_rows.labels(*labels(partition)).set(found.count(Kind.DUPLICATED))
            metrics.audit_unverified_offsets.labels(*labels(partition)).set(found.count(Kind.UNVERIFIED))
            metrics.audited_offset.labels(*labels(partition)).set(found.checked.next)
        metrics.audit_duration.set(seconds)
        if not verdict.count(Kind.UNVERIFIED):
            metrics.audit_last_success.set(self._wall_clock())
        self._health.note(last_audit=summary(verdict))
        self._log_findings(verdict)

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        """Kafka or ClickHouse did not answer."""
        self._metrics.audit_failures.inc()
        self._health.note(last_audit=f"failed: {error}")
        _log.warning("An audit failed: %s; the next one runs as usual", error)

    def _log_findings(self, verdict: Verdict) -> None:
        """Log the findings of a partition once, and not again at every audit."""
        logged = {}
        for partition, found in verdict.partitions.items():
            if found.count(*BAD):
                logged[partition] = tuple(found.count(kind) for kind in BAD)
                if logged[partition] != self._logged.get(partition):
                    words = summary(Verdict(verdict.topic_ids, {partition: found}))
                    _log.error("Audit of %s: %s Details: python -m app audit", partition, words)
        self._logged = logged

    def _forget(self) -> None:
        """Clear the metrics of partitions that other instances read by now."""
        metrics = self._metrics
        metrics.audit_stored_records.clear()
        metrics.audit_missing_records.clear()
        metrics.audit_duplicate_rows.clear()
        metrics.audit_unverified_offsets.clear()
        metrics.audited_offset.clear()
