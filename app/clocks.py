"""Compares our clock with those of Kafka and ClickHouse while the service runs. Pure; time is handed in.

No other clock can be read at an instant that we know. What can be known are two bounds of how far it is ahead of ours,
and a difference is reported only as far as it is certain.

ClickHouse tells the time: it was read after the question was sent and before the answer came. Kafka does not. Where it
dates records itself (LogAppendTime), none can be dated later than now: that shows a clock that is ahead. A clock that
is behind looks the same as a record that waited, and cannot be told from that.
"""

import math
import threading
from collections.abc import Callable
from typing import Final, Protocol

from app.errors import QueryTooExpensive, Refused, TryAgainLater

_HELD_SECS: Final = 60.0  # a difference is reported until so long after it was last seen
_LOOK_SECS: Final = 15.0
_LOOK_AGAIN_SECS: Final = 5.0


def certain_skew_secs(least_secs: float, most_secs: float) -> float:
    """What is certain of a difference between these bounds: the one nearer to 0, or 0 where they enclose it."""
    return max(least_secs, 0.0) + min(most_secs, 0.0)


class ClockEvents(Protocol):
    """Receives how far a clock is ahead of ours."""

    def skewed(self, skew_secs: float | None) -> None:
        """At least so far, behind where it is negative; None if nothing is known."""

    def unread(self, error: Exception) -> None:
        """The clock could not be read."""


class ClockWatch:
    """Holds the greatest certain difference to one other clock of the last minute. Safe to share between threads."""

    def __init__(self, events: ClockEvents, *, clock: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self._events = events
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._skew_secs: float | None = None
        self._seen_at = 0.0

    def dated(self, record_ms: int) -> None:
        """The other system has dated something, at some time until now."""
        self._take(certain_skew_secs(record_ms / 1000 - self._wall_clock(), math.inf))

    def read(self, read_ms: Callable[[], int]) -> None:
        """Read the other clock, Unix milliseconds. Raises what reading it raises."""
        asked_at = self._wall_clock()
        their_secs = read_ms() / 1000
        self._take(certain_skew_secs(their_secs - self._wall_clock(), their_secs - asked_at))

    def expire(self) -> None:
        """Forget what was seen too long ago."""
        with self._lock:
            if self._skew_secs is not None and self._clock() - self._seen_at > _HELD_SECS:
                self._skew_secs = None
                self._events.skewed(None)

    def _take(self, skew_secs: float) -> None:
        with self._lock:
            is_old = self._clock() - self._seen_at > _HELD_SECS
            if self._skew_secs is None or is_old or abs(skew_secs) >= abs(self._skew_secs):
                self._skew_secs = skew_secs
                self._seen_at = self._clock()
                self._events.skewed(skew_secs)


class Clocks:
    """Looks at ClickHouse's clock now and then, and forgets what is old. Called on one thread."""

    def __init__(
        self,
        clickhouse: ClockWatch,
        kafka: ClockWatch,
        events: ClockEvents,
        read_clickhouse_ms: Callable[[], int],
    ) -> None:
        """`kafka` learns of its clock by itself, from the records that are read; `events` are those of ClickHouse."""
        self._clickhouse = clickhouse
        self._kafka = kafka
        self._events = events
        self._read_clickhouse_ms = read_clickhouse_ms

    def look(self) -> float:
        """One look. Returns the seconds until the next one."""
        self._kafka.expire()
        try:
            self._clickhouse.read(self._read_clickhouse_ms)
        except (TryAgainLater, Refused, QueryTooExpensive) as error:
            self._clickhouse.expire()
            self._events.unread(error)
            return _LOOK_AGAIN_SECS
        return _LOOK_SECS
