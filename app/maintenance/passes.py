"""The passes of retention per service, beside the running service: one instance makes them."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from app.domain.retention_rules import Expired, RetentionRules
from app.errors import Refused, TryAgainLater
from app.maintenance.removal import RemovableRows, Waiting
from app.maintenance.retention import remove_expired

_ASK_AGAIN_SECS: Final = 60.0  # it may become ours when another instance ends

_log = logging.getLogger(__name__)


class PassEvents(Protocol):
    """Receives the results of passes, for metrics, health and log."""

    def left_to_another(self) -> None:
        """Another instance makes the passes."""

    def removed(self, day: Sequence[Expired]) -> None:
        """The expired logs of a day are removed."""

    def passed(self) -> None:
        """A pass has removed all that had expired."""

    def failed(self, error: TryAgainLater | Refused) -> None:
        """ClickHouse did not answer, or did not delete rows; the next pass tries again."""


class RetentionPasses:
    """Makes passes while `is_ours` says so. Called on one thread. Its failures do not affect ingestion.

    While that moves from one instance to another, both may make one: each notes and deletes the same rows, which does
    no harm.
    """

    def __init__(
        self,
        open_table: Callable[[], AbstractContextManager[RemovableRows]],
        rules: RetentionRules,
        events: PassEvents,
        *,
        is_ours: Callable[[], bool],
        interval_secs: float,
        waiting: Waiting,
    ) -> None:
        self._open_table = open_table
        self._rules = rules
        self._events = events
        self._is_ours = is_ours
        self._interval_secs = interval_secs
        self._waiting = waiting

    def run(self) -> float:
        """Make one pass, if it is ours. Returns the seconds until the next call."""
        try:
            if not self._is_ours():
                self._events.left_to_another()
                return min(_ASK_AGAIN_SECS, self._interval_secs)
            self._make_one()
        except (TryAgainLater, Refused) as error:
            self._events.failed(error)
        except Exception as error:
            _log.exception("A pass of retention failed unexpectedly")
            self._events.failed(TryAgainLater(str(error), code="unforeseen"))
        return self._interval_secs

    def _make_one(self) -> None:
        with self._open_table() as table:
            is_all = remove_expired(
                table, self._rules, self._waiting, on_removed=self._events.removed, goes_on=self._is_ours
            )
        if is_all:
            self._events.passed()
