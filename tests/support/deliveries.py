"""Waits for deliveries, as a caller does that is responsible for several records at a time."""

import threading
from collections.abc import Sequence

from app.errors import Refused, TryAgainLater

_TIMEOUT_SECS = 60.0


class Deliveries:
    """Collects the outcomes of records; the object itself is the callback."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._outcomes: list[TryAgainLater | Refused | None] = []

    def __call__(self, error: TryAgainLater | Refused | None) -> None:
        with self._changed:
            self._outcomes.append(error)
            self._changed.notify_all()

    def wait_for(self, count: int, timeout_secs: float = _TIMEOUT_SECS) -> Sequence[TryAgainLater | Refused | None]:
        """The outcomes of this many records; None is a success. Fails the test when they do not come in time."""
        with self._changed:
            is_complete = self._changed.wait_for(lambda: len(self._outcomes) >= count, timeout_secs)
            assert is_complete, f"{len(self._outcomes)} of {count} records had an outcome"
            return list(self._outcomes)

    @property
    def outcomes(self) -> Sequence[TryAgainLater | Refused | None]:
        """The outcomes known so far."""
        with self._changed:
            return list(self._outcomes)
