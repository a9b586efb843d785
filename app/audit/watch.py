"""The audit beside the running service: now and then, of the last minutes, on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Set
from typing import Protocol

from app.audit.verdict import Verdict
from app.errors import Refused, TryAgainLater

_log = logging.getLogger(__name__)


class AuditEvents(Protocol):
    """Told of how audits end, for metrics, health and log."""

    def started(self) -> None:
        """Audits will be made from now on."""

    def audited(self, verdict: Verdict, seconds: float) -> None:
        """An audit has ended."""

    def audit_failed(self, error: TryAgainLater | Refused) -> None:
        """One of the two sides did not answer; the next audit will be made all the same."""


class Watch:
    """Audits the partitions that this instance reads. Whatever happens to it, ingestion goes on."""

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
        self._stop = threading.Event()

    def run(self) -> None:
        """The thread's body."""
        self._events.started()
        while not self._stop.wait(self._interval_secs):
            self.look()

    def stop(self) -> None:
        """Begin no other audit. Safe from any thread."""
        self._stop.set()

    def look(self) -> None:
        """One audit."""
        started_at = self._clock()
        try:
            verdict = self._audit(self._partitions())
        except (TryAgainLater, Refused) as error:
            self._events.audit_failed(error)
        except Exception as error:
            _log.exception("An audit failed in a way that nobody foresaw")
            self._events.audit_failed(TryAgainLater(str(error), code="unforeseen"))
        else:
            self._events.audited(verdict, self._clock() - started_at)
