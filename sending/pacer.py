"""Spreads records over time."""

from collections.abc import Callable


class Pacer:
    """Spreads records evenly over time. After a delay it catches up on at most a second."""

    # A sleep takes slightly longer than requested: at high rates a few records share one.
    _WORTH_SLEEPING_SECS = 0.002

    def __init__(self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._gap_secs = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None

    def wait(self) -> None:
        """Return when the next record is due."""
        if not self._gap_secs:
            return
        now = self._clock()
        due = now if self._due is None else max(self._due, now - 1.0)
        if due - now >= self._WORTH_SLEEPING_SECS:
            self._sleep(due - now)
        self._due = due + self._gap_secs
