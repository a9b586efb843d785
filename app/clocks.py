"""Compares our clock with those of Kafka and ClickHouse while the service runs. Pure: time is a parameter.

No other clock can be read at an instant that we know exactly. We know two bounds of its skew, and report only the part
of the skew that is certain.

ClickHouse returns its time: it was read after the request was sent and before the response came. Kafka does not. If
Kafka dates records itself (LogAppendTime), none can be dated later than now: that shows a clock that is ahead. A clock
that is behind cannot be distinguished from a record that waited.
"""

import math
import threading
from collections.abc import Callable
from typing import Final, Protocol

from app.errors import QueryTooExpensive, Refused, TryAgainLater

_HELD_SECS: Final = 60.0  # a skew is reported for this long after it was last seen
_INTERVAL_SECS: Final = 15.0
_RETRY_SECS: Final = 5.0


def certain_skew_secs(least_secs: float, most_secs: float) -> float:
    """The certain part of a skew between these bounds: the bound nearer to 0, or 0 if they enclose it."""
    return max(least_secs, 0.0) + min(most_secs, 0.0)


class ClockEvents(Protocol):
    """Receives the skew of a clock."""

    def skewed(self, skew_secs: float | None) -> None:
        """The clock is at least this far ahead of ours, or behind if negative; None if unknown."""

    def unread(self, error: Exception) -> None:
        """The clock could not be read."""


class ClockWatch:
    """Holds the greatest certain skew of one other clock in the last minute. Safe to share between threads."""

    def __init__(self, events: ClockEvents, *, clock: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self._events = events
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._skew_secs: float | None = None
        self._seen_at = 0.0

    def dated(self, record_ms: int) -> None:
        """The other system has dated a record with this time (Unix milliseconds), now or earlier."""
        self._take(certain_skew_secs(record_ms / 1000 - self._wall_clock(), math.inf))

    def read(self, read_ms: Callable[[], int]) -> None:
        """Read the other clock, in Unix milliseconds. Raises whatever `read_ms` raises."""
        sent_at = self._wall_clock()
        their_secs = read_ms() / 1000
        self._take(certain_skew_secs(their_secs - self._wall_clock(), their_secs - sent_at))

    def expire(self) -> None:
        """Clear a skew that was seen too long ago."""
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
    """Reads ClickHouse's clock periodically, and clears old skews. Called on one thread."""

    def __init__(
        self,
        clickhouse: ClockWatch,
        kafka: ClockWatch,
        events: ClockEvents,
        read_clickhouse_ms: Callable[[], int],
    ) -> None:
        """`kafka` is updated elsewhere, from the records that are read; `events` are those of ClickHouse."""
        self._clickhouse = clickhouse
        self._kafka = kafka
        self._events = events
        self._read_clickhouse_ms = read_clickhouse_ms

    def check(self) -> float:
        """Read the clock once. Returns the seconds until the next reading."""
        self._kafka.expire()
        try:
            self._clickhouse.read(self._read_clickhouse_ms)
        except (TryAgainLater, Refused, QueryTooExpensive) as error:
            self._clickhouse.expire()
            self._events.unread(error)
            return _RETRY_SECS
        return _INTERVAL_SECS
