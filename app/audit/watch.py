"""The periodic audit of the last minutes, beside the running service."""

import logging
import time
from collections.abc import Callable, Set
from typing import Protocol

from app.audit.verdict import Verdict
from app.domain.records import Partition
from app.errors import Refused, TryAgainLater

_log = logging.getLogger(__name__)


class AuditEvents(Protocol):
    """Receives the results of audits, for metrics, health and log."""

    def audited(self, verdict: Verdict, seconds: float) -> None:
        """An audit has ended."""

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        """Kafka or ClickHouse did not answer; the next audit runs as usual."""


class AuditWatch:
    """Audits the partitions of this instance. Called on one thread. Its failures do not affect ingestion."""

    def __init__(
        self,
        audit: Callable[[Set[Partition]], Verdict],
        partitions: Callable[[], Set[Partition]],
        events: AuditEvents,
        *,
        interval_secs: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._audit = audit
        self._partitions = partitions
        self._events = events
        self._interval_secs = interval_secs
        self._clock = clock

    def run(self) -> float:
        """Run one audit. Returns the seconds until the next one."""
        started_at = self._clock()
        try:
            verdict = self._audit_ours()
        except (TryAgainLater, Refused) as error:
            self._events.audit_failed(error)
        except Exception as error:
            _log.exception("An audit failed unexpectedly")
            self._events.audit_failed(TryAgainLater(str(error), code="unforeseen"))
        else:
            self._events.audited(verdict, self._clock() - started_at)
        return self._interval_secs

    def _audit_ours(self) -> Verdict:
        """Audit our partitions. Without any, nothing is queried: there may be no table yet."""
        partitions = self._partitions()
        return self._audit(partitions) if partitions else Verdict({}, {})
