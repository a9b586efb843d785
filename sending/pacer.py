"""Spreads records over time."""

from collections.abc import Callable


class Pacer:
    """Spreads records evenly over time, a few at a time. After a delay it catches up on at most a second."""

    # Records that are sent together share a request to Kafka, which is most of what each costs on both sides. At high
    # rates there are enough of them anyway, and a sleep takes slightly longer than requested.
    _TOGETHER = 4
    _MOST_TOGETHER_SECS = 0.2
    _LEAST_SLEEP_SECS = 0.002

    def __init__(self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._gap_secs = 1 / per_second if per_second else 0.0
        together_secs = min(self._TOGETHER * self._gap_secs, self._MOST_TOGETHER_SECS)
        self._worth_sleeping_secs = max(together_secs, self._LEAST_SLEEP_SECS)
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None

    def wait(self) -> None:
        """Return when the next record is due."""
        if not self._gap_secs:
            return
        now = self._clock()
        due = now if self._due is None else max(self._due, now - 1.0)
        if due - now >= self._worth_sleeping_secs:
            self._sleep(due - now)
        self._due = due + self._gap_secs
