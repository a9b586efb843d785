"""Stops storing before ClickHouse's disk is full, and goes on when there is free space again.

A full disk is worse than a pause: merges need space, and an unfinished merge can make parts unreadable.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from app.errors import Refused, TryAgainLater
from app.pipeline.task import Submit
from app.ports import Disk

_EVERY_SECS: Final = 10.0
_RETURN_RATIO: Final = 0.02  # this much more must be free before storing goes on, or it would stop again at once


class DiskEvents(Protocol):
    """Receives the result of every check of the disk."""

    def disk(self, free_ratio: float | None, *, is_full: bool) -> None:
        """The fraction of the disk that is free, from 0 to 1, or None if ClickHouse does not report it."""


class DiskWatch:
    """Checks the disk every `_EVERY_SECS`, on another thread. Belongs to the thread of the loop."""

    def __init__(
        self,
        disk: Disk,
        events: DiskEvents,
        *,
        min_free_ratio: float,
        clock: Callable[[], float],
        submit: Submit,
    ) -> None:
        """With `min_free_ratio` 0 it never checks the disk, and never stops anything."""
        self._disk = disk
        self._events = events
        self._min_free_ratio = min_free_ratio
        self._clock = clock
        self._submit = submit
        self._check: Future[float | None] | None = None
        self._next_check_at = clock()
        self._is_full = False

    def has_room(self) -> bool:
        """Whether more may be stored, by the last result. Starts the next check when it is due, and never waits."""
        if self._check is not None and self._check.done():
            check, self._check = self._check, None
            self._take(check)
        if self._min_free_ratio and self._check is None and self._clock() >= self._next_check_at:
            self._next_check_at = self._clock() + _EVERY_SECS
            self._check = self._submit(self._disk.free_ratio)
        return not self._is_full

    def _take(self, check: "Future[float | None]") -> None:
        try:
            free_ratio = check.result()
        except (TryAgainLater, Refused):
            return  # delivery meets the same error and reports it
        if free_ratio is not None:
            needed = self._min_free_ratio + (_RETURN_RATIO if self._is_full else 0.0)
            self._is_full = free_ratio < needed
        self._events.disk(free_ratio, is_full=self._is_full)
