"""An instance without partitions: a standby, or not yet assigned."""

import pytest

from app.domain.group import GroupStanding
from app.errors import TryAgainLater
from app.pipeline.standby import StandbyWatch
from tests.fakes import Clock, OtherThread

AWAY = TryAgainLater("nobody answers", code="unreachable")
SPARE = GroupStanding(member_count=5, partition_count=4, is_stable=True)


class Watched:
    """A group, and an instance that watches it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.thread = OtherThread(self.clock)
        self.error: Exception | None = None
        self.has_partitions = False
        self.looks = 0
        self.reported: list[GroupStanding | str] = []
        self._watch = StandbyWatch(
            self,
            self,
            has_partitions=lambda: self.has_partitions,
            clock=self.clock,
            submit=self.thread.submit,
        )

    def standing(self) -> GroupStanding:
        """See `ports.Group`."""
        self.looks += 1
        if self.error is not None:
            raise self.error
        return SPARE

    def unassigned(self, standing: GroupStanding) -> None:
        """See `StandbyEvents`."""
        self.reported.append(standing)

    def kafka_failed(self, error: TryAgainLater) -> None:
        """See `StandbyEvents`."""
        self.reported.append(str(error))

    def turn(self) -> None:
        """One turn of the loop."""
        self._watch.turn()

    def wait(self, secs: float) -> None:
        """Let time pass, a turn of the loop each second."""
        for _ in range(int(secs)):
            self.clock.advance(1)
            self.turn()
            self.thread.run()
        self.turn()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_instance_that_is_just_joining_does_not_query_the_group(watched: Watched) -> None:
    watched.wait(4)

    assert watched.looks == 0


def test_an_instance_without_partitions_queries_the_group_at_intervals(watched: Watched) -> None:
    watched.wait(30)

    assert watched.looks == 3
    assert watched.reported == [SPARE] * 3


def test_an_instance_with_partitions_does_not_query_the_group(watched: Watched) -> None:
    watched.has_partitions = True

    watched.wait(60)

    assert watched.looks == 0


def test_a_response_after_an_assignment_is_not_reported(watched: Watched) -> None:
    watched.wait(4)
    watched.clock.advance(1)
    watched.turn()
    watched.has_partitions = True

    watched.wait(60)

    assert (watched.looks, watched.reported) == (1, [])


def test_an_unresponsive_kafka_is_reported(watched: Watched) -> None:
    watched.error = AWAY

    watched.wait(6)

    assert watched.reported == ["nobody answers"]


@pytest.mark.parametrize(
    ("standing", "has_standbys"),
    [
        (SPARE, True),
        (GroupStanding(member_count=4, partition_count=4, is_stable=True), False),
        (GroupStanding(member_count=5, partition_count=4, is_stable=False), False),
    ],
)
def test_there_are_standbys_where_a_stable_group_has_more_members_than_partitions(
    standing: GroupStanding, has_standbys: bool
) -> None:
    assert standing.has_standbys == has_standbys
