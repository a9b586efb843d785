"""The audit beside the running service: now and then, of the last minutes."""

import logging
import time
from collections.abc import Callable, Set
from typing import Protocol

from app.audit.verdict import Verdict
from app.errors import Refused, TryAgainLater

_log = logging.getLogger(__name__)


class AuditEvents(Protocol):
    """Receives the results of audits, for metrics, health and log."""

    def audited(self, verdict: Verdict, seconds: float) -> None:
        """An audit has ended."""

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        """One of the two sides did not answer; the next audit will be made all the same."""


class AuditWatch:
    """Audits what this instance reads. Called on one thread. Whatever happens to it, ingestion goes on."""

    def __init__(
        self,
        audit: Callable[[Set[int]], Verdict],
        partitions: Callable[[], Set[int]],
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

    def look(self) -> float:
        """One audit. Returns the seconds until the next one."""
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
        """Without partitions there is nothing to compare, and perhaps no table yet: nothing is queried."""
        partitions = self._partitions()
        return self._audit(partitions) if partitions else Verdict("", {})
