"""Storing stops before ClickHouse's disk is full, and resumes when there is space."""

import pytest

from app.errors import Refused, TryAgainLater
from app.pipeline.disk import DiskWatch
from tests.fakes import Clock, OtherThread


class Disk:
    """A disk that a test fills."""

    def __init__(self) -> None:
        self.free: float | None = 0.5
        self.error: Exception | None = None
        self.looks = 0

    def free_ratio(self) -> float | None:
        """See `ports.Disk`."""
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.free


class Events:
    """DiskEvents, the last one kept."""

    def __init__(self) -> None:
        self.reported: list[tuple[float | None, bool]] = []

    def disk(self, free_ratio: float | None, *, is_full: bool) -> None:
        """See `DiskEvents`."""
        self.reported.append((free_ratio, is_full))


class Watched:
    """A disk that is watched, with 5 % as the least that must be free."""

    def __init__(self, min_free_ratio: float = 0.05) -> None:
        self.clock = Clock()
        self.thread = OtherThread(self.clock)
        self.disk = Disk()
        self.events = Events()
        self._watch = DiskWatch(
            self.disk, self.events, min_free_ratio=min_free_ratio, clock=self.clock, submit=self.thread.submit
        )

    def has_room(self, free: float | None) -> bool:
        """Whether there is space, after a check with this free ratio."""
        self.disk.free = free
        self.clock.advance(60)
        self._watch.has_room()
        self.thread.run()
        return self._watch.has_room()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_there_is_space_until_the_disk_is_nearly_full(watched: Watched) -> None:
    assert [watched.has_room(free) for free in (0.5, 0.05, 0.049)] == [True, True, False]


def test_there_is_space_again_only_when_a_little_more_is_free(watched: Watched) -> None:
    watched.has_room(0.01)

    assert [watched.has_room(free) for free in (0.05, 0.069, 0.071, 0.06)] == [False, False, True, True]


def test_an_unknown_free_ratio_does_not_stop_storing(watched: Watched) -> None:
    assert watched.has_room(None)
    assert watched.events.reported == [(None, False)]


@pytest.mark.parametrize("error", [TryAgainLater("away", code="unreachable"), Refused("no", code="6")])
def test_an_error_changes_nothing(watched: Watched, error: Exception) -> None:
    watched.has_room(0.01)
    watched.disk.error = error

    assert not watched.has_room(0.5)
    assert len(watched.events.reported) == 1


def test_it_does_not_wait_for_the_result_and_checks_only_at_intervals(watched: Watched) -> None:
    watched.has_room(0.5)
    looks = watched.disk.looks

    for _ in range(5):
        assert watched._watch.has_room()
        watched.thread.run()

    assert watched.disk.looks == looks


def test_without_a_limit_it_never_checks() -> None:
    watched = Watched(min_free_ratio=0)

    assert watched.has_room(0.0)
    assert watched.disk.looks == 0
