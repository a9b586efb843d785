"""How records arrive in one partition: how many per second, and since when the oldest that waits has been there."""

from bisect import bisect_right
from collections import deque
from typing import Final, NamedTuple

_RATE_SECS: Final = 30.0
_MOST_SAMPLES: Final = 180  # a quarter of an hour, at one in five seconds


class _Sample(NamedTuple):
    at: float
    end: int


class Arrivals:
    """Built from samples of the partition's end, which is the offset of its next record. Times are of one clock.

    Record times are not used: producers may set them, and a record that has just arrived may be dated long ago.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_MOST_SAMPLES)

    def add(self, end: int, now: float) -> None:
        """Add a sample. An end before the last one is that of another topic of the same name."""
        if self._samples and end < self._samples[-1].end:
            self._samples.clear()
        self._samples.append(_Sample(now, end))

    def per_sec(self) -> float:
        """Records per second over the last half minute; 0 before the second sample."""
        if not self._samples:
            return 0.0
        last = self._samples[-1]
        first = next(sample for sample in self._samples if last.at - sample.at <= _RATE_SECS)
        return (last.end - first.end) / (last.at - first.at) if last.at > first.at else 0.0

    def waiting_secs(self, next_offset: int, now: float) -> float | None:
        """Age of the oldest record at or after `next_offset`, to within two samples; 0 if there is none.

        None if that record was there before the first sample.
        """
        if not self._samples or self._samples[-1].end <= next_offset:
            return 0.0
        index = bisect_right(self._samples, next_offset, key=lambda sample: sample.end)
        if index == 0:
            return None
        before, after = self._samples[index - 1], self._samples[index]
        share = (next_offset + 1 - before.end) / (after.end - before.end)  # as if they had arrived evenly
        return now - (before.at + share * (after.at - before.at))

    def seen_secs(self, now: float) -> float:
        """Time since the first sample; 0 without one."""
        return now - self._samples[0].at if self._samples else 0.0
