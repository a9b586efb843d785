"""Counts over time, one array for each group: ClickHouse groups rows by one key in half the time it takes for two."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from app.query.time_range import SECOND_NS, TimeRange

MOST_STEPS: Final = 200
"""Of more, arrays would take too much memory: each group has all steps, also those without logs."""


class Steps(Struct, frozen=True):
    """The time steps that a range touches: the start of the first, the end of the last, and their length."""

    start_secs: int
    end_secs: int
    secs: int

    @classmethod
    def of(cls, span: TimeRange, secs: int) -> "Steps":
        """The steps of a range; they begin at multiples of their length, as `toStartOfInterval` has it."""
        step_ns = secs * SECOND_NS
        return cls(span.start_ns // step_ns * secs, -(-span.end_ns // step_ns) * secs, secs)

    def __len__(self) -> int:
        return (self.end_secs - self.start_secs) // self.secs

    def resampled(self, function: str) -> str:
        """The name of an aggregate function as SQL that has one result per step; its last argument is a Unix time."""
        return f"{function}Resample({self.start_secs:d}, {self.end_secs:d}, {self.secs:d})"

    def rows(self, groups: Sequence[Sequence[Any]]) -> list[tuple[int, Any, int]]:
        """The start of a step, the key of a group and its count there, for each count that is not 0.

        The newest step comes first, and within a step the least key. `groups` are keys, each with the counts of steps.
        """
        return sorted(self._counted(groups), key=lambda row: (-row[0], row[1]))

    def _counted(self, groups: Sequence[Sequence[Any]]) -> Iterator[tuple[int, Any, int]]:
        for key, counts in groups:
            for number, count in enumerate(counts):
                if count:
                    yield self.start_secs + number * self.secs, key, count
