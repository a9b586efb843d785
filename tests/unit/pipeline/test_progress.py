"""When stored offsets and open leases are committed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.domain.records import Checkpoint, LastRecord, Lease, Partition, Position
from app.errors import KafkaCode, MustRejoin, NotOurs, TryAgainLater
from app.pipeline.progress import Progress
from tests.fakes import MemoryKafka, MemorySource

P0, P1 = Partition("logs", 0), Partition("logs", 1)
LEASE = Lease("a token", 60_000, 10, LastRecord(9, 99))
OTHERS = Lease("of another owner", 50_000, 5, LastRecord(4, 44))
NO_COORDINATOR = TryAgainLater("no coordinator", code=KafkaCode.NO_COORDINATOR)


class Setup:
    """Progress on two partitions, both recovered from their commits."""

    def __init__(self) -> None:
        self.kafka = MemoryKafka(partitions=2)
        self.source = MemorySource(self.kafka)
        self.committed: list[Mapping[Partition, int]] = []
        self.progress = Progress(self.source, lambda next_offsets: self.committed.append(dict(next_offsets)))
        self.take_over()

    def take_over(self) -> None:
        self.progress.clear()
        for partition, position in (self.source.poll(0).assigned or {}).items():
            self.progress.take_over(partition, position)

    @property
    def checkpoints(self) -> list[Checkpoint | None]:
        return [self.kafka.checkpoint(0), self.kafka.checkpoint(1)]


@pytest.fixture
def setup() -> Setup:
    return Setup()


# Offsets.


def test_nothing_is_committed_without_progress(setup: Setup) -> None:
    assert not setup.progress.commit()

    assert setup.source.commits == []
    assert setup.committed == []


def test_stored_offsets_are_committed_once(setup: Setup) -> None:
    setup.progress.stored({P0: 5})

    assert setup.progress.commit()
    assert not setup.progress.commit()

    assert setup.source.commits == [{P0: Checkpoint(5)}]
    assert setup.committed == [{P0: 5, P1: 0}]
    assert setup.progress.committed == {P0: 5, P1: 0}


def test_everything_stored_since_the_last_commit_is_committed_at_once(setup: Setup) -> None:
    setup.progress.stored({P0: 5})
    setup.progress.stored({P0: 8, P1: 3})

    setup.progress.commit()

    assert setup.source.commits == [{P0: Checkpoint(8), P1: Checkpoint(3)}]


def test_a_rejected_commit_is_repeated(setup: Setup) -> None:
    setup.source.next_commit(NO_COORDINATOR)
    setup.progress.stored({P0: 5})

    with pytest.raises(TryAgainLater):
        setup.progress.commit()
    assert setup.progress.committed[P0] == 0
    assert setup.progress.commit()

    assert setup.checkpoints == [Checkpoint(5), Checkpoint(0)]


def test_progress_knows_whether_the_last_commit_succeeded(setup: Setup) -> None:
    setup.progress.stored({P0: 5})
    seen = [setup.progress.has_failed]

    setup.source.next_commit(NO_COORDINATOR)
    with pytest.raises(TryAgainLater):
        setup.progress.commit()
    seen.append(setup.progress.has_failed)
    setup.progress.commit()
    seen.append(setup.progress.has_failed)

    assert seen == [False, True, False]


def test_a_commit_of_unknown_outcome_does_not_count(setup: Setup) -> None:
    setup.source.next_commit(MustRejoin("no answer"))
    setup.progress.stored({P0: 5})

    with pytest.raises(MustRejoin):
        setup.progress.commit()

    assert setup.progress.committed[P0] == 0
    assert setup.committed == []


# Leases.


def test_a_lease_is_committed_with_the_stored_offset(setup: Setup) -> None:
    setup.progress.stored({P0: 5})

    setup.progress.lease({P0: LEASE})

    assert setup.source.commits == [{P0: Checkpoint(5, LEASE)}]


def test_a_lease_also_commits_stored_offsets_of_other_partitions(setup: Setup) -> None:
    setup.progress.stored({P1: 7})

    setup.progress.lease({P0: LEASE})

    assert setup.source.commits == [{P0: Checkpoint(0, LEASE), P1: Checkpoint(7)}]


def test_a_lease_stays_open_until_it_is_released(setup: Setup) -> None:
    setup.progress.lease({P0: LEASE})
    setup.progress.stored({P1: 7})

    setup.progress.commit()

    assert setup.checkpoints == [Checkpoint(0, LEASE), Checkpoint(7)]


def test_a_lease_that_was_released_is_cleared_by_the_next_commit(setup: Setup) -> None:
    setup.progress.lease({P0: LEASE})
    setup.progress.release()
    assert setup.checkpoints[0] == Checkpoint(0, LEASE)

    setup.progress.commit()

    assert setup.checkpoints[0] == Checkpoint(0)


def test_the_next_lease_replaces_the_last_and_clears_it_in_other_partitions(setup: Setup) -> None:
    setup.progress.lease({P0: LEASE, P1: LEASE})
    setup.progress.release()
    following = LEASE._replace(token="the next token")

    setup.progress.lease({P1: following})

    assert setup.checkpoints == [Checkpoint(0), Checkpoint(0, following)]


def test_a_lease_that_kafka_did_not_take_is_not_open(setup: Setup) -> None:
    setup.source.next_commit(NO_COORDINATOR)
    with pytest.raises(TryAgainLater):
        setup.progress.lease({P0: LEASE})

    setup.progress.stored({P0: 5})
    setup.progress.commit()

    assert setup.checkpoints[0] == Checkpoint(5)


def test_a_lease_that_kafka_took_for_some_partitions_only_is_cleared(setup: Setup) -> None:
    """As when a topic of the same commit was deleted."""
    setup.source.next_commit(NO_COORDINATOR)
    with pytest.raises(TryAgainLater):
        setup.progress.lease({P0: LEASE})
    setup.kafka.remember(0, 0, lease=LEASE)

    assert setup.progress.commit()
    assert not setup.progress.commit()

    assert setup.checkpoints[0] == Checkpoint(0)


# Ownership of partitions.


def test_a_partition_that_was_not_taken_over_cannot_be_leased(setup: Setup) -> None:
    setup.progress.clear()

    with pytest.raises(NotOurs):
        setup.progress.lease({P0: LEASE})

    assert setup.source.commits == []


def test_nothing_is_committed_for_lost_partitions(setup: Setup) -> None:
    setup.progress.stored({P0: 5})

    setup.progress.clear()

    assert not setup.progress.commit()
    assert setup.progress.committed == {}
    assert setup.source.commits == []


def test_an_open_lease_is_forgotten_with_the_partitions(setup: Setup) -> None:
    setup.progress.lease({P0: LEASE})
    setup.progress.clear()
    setup.progress.take_over(P0, Position(setup.kafka.topic_id, 0))
    setup.progress.stored({P0: 3})

    setup.progress.commit()

    assert setup.checkpoints[0] == Checkpoint(3)


def test_the_lease_of_an_earlier_owner_is_cleared_once_the_partition_is_taken_over(setup: Setup) -> None:
    setup.kafka.send(*[b"x"] * 5)
    setup.kafka.remember(2, lease=OTHERS)
    setup.kafka.rebalance()
    setup.take_over()

    assert setup.progress.commit()

    assert setup.source.commits == [{P0: Checkpoint(2)}]


def test_an_offset_set_by_another_client_is_committed_again_with_our_metadata(setup: Setup) -> None:
    setup.kafka.send(*[b"x"] * 5)
    setup.kafka.set_offset(2)
    setup.kafka.rebalance()
    setup.take_over()

    assert setup.progress.commit()

    assert setup.source.commits == [{P0: Checkpoint(2)}]
    assert setup.progress.committed == {P0: 2, P1: 0}
