"""What an instance can store, measured while more waits than it can store."""

from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

from app.domain.records import Partition

_MOST_INTERVALS: Final = 12  # a minute, at one in five seconds


class _Standing(NamedTuple):
    at: float
    next_offsets: Mapping[Partition, int]


class MeasuredCapacity:
    """Records per second over the last intervals at whose end more was waiting than had been stored in them.

    An instance that is not behind stores what arrives, which says nothing about what it could store.
    """

    def __init__(self) -> None:
        self._last: _Standing | None = None
        self._intervals: deque[tuple[int, float]] = deque(maxlen=_MOST_INTERVALS)

    def interrupt(self) -> None:
        """The interval since the last call does not count: partitions changed, or ClickHouse did not answer."""
        self._last = None

    def add(self, next_offsets: Mapping[Partition, int], lag: Mapping[Partition, int], now: float) -> None:
        """End an interval, with the committed offset and the lag of each partition."""
        last, self._last = self._last, _Standing(now, dict(next_offsets))
        if last is None or now <= last.at or last.next_offsets.keys() != next_offsets.keys():
            return
        stored = sum(offset - last.next_offsets[partition] for partition, offset in next_offsets.items())
        if stored > 0 and sum(lag.values()) > stored:
            self._intervals.append((stored, now - last.at))

    @property
    def per_sec(self) -> float | None:
        """Records per second; None before it was behind."""
        secs = sum(secs for _, secs in self._intervals)
        return sum(stored for stored, _ in self._intervals) / secs if secs else None
