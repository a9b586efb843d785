"""Rebalances: nothing is stored twice and nothing is committed for other members."""

import pytest

from app.domain.records import Checkpoint
from app.errors import MustRejoin, NotOurs
from app.pipeline.delivery import MARGIN_SECS
from tests.unit.pipeline.ingest.world import DEADLINE_SECS, NO_COORDINATOR, P0, UNKNOWN, World


def test_gathered_rows_are_dropped_when_partitions_are_reassigned(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(10)
    instance.step()

    world.kafka.rebalance()
    instance.step()

    assert instance.metric("buffer_rows") == 0


def test_dropped_rows_are_read_again_and_stored_once(world: World) -> None:
    instance = world.reading_instance()
    world.send(10)
    instance.step()

    world.kafka.rebalance()
    instance.settle()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_an_insert_that_ends_after_a_rebalance_is_not_committed_but_not_repeated_either(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    world.kafka.rebalance()
    instance.step()

    instance.thread.run()
    instance.step()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 0
    instance.settle()
    assert world.table.offsets() == list(range(10))
    assert world.kafka.checkpoint() == Checkpoint(10)
    assert instance.metric("rows_already_stored_total") == 10


def test_the_table_is_not_checked_before_the_insert_in_flight_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    looks: list[int] = []

    def rebalance() -> None:
        world.kafka.rebalance()
        instance.step(5)
        looks.append(world.table.look_count)

    world.table.meanwhile = rebalance
    before = world.table.look_count

    instance.thread.run()

    assert looks == [before]
    instance.step(2)
    instance.thread.run()
    assert world.table.look_count == before + 1


def test_a_lease_whose_end_was_seen_is_not_waited_for_after_a_rebalance(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    world.kafka.rebalance()
    instance.step()
    began_at = world.clock.now

    instance.go_on()
    instance.go_on()

    assert instance.source.started == {P0}
    assert world.clock.now == began_at


def test_a_lease_whose_end_was_not_seen_is_waited_for_after_a_rebalance(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(UNKNOWN, lands_later=True)
    world.send(10)
    instance.go_on()
    world.kafka.rebalance()
    began_at = world.clock.now

    while not instance.source.started or world.clock.now == began_at:
        instance.go_on()
        world.clock.advance(0.5)

    assert world.clock.now > began_at + DEADLINE_SECS + MARGIN_SECS - 1
    world.table.land()
    instance.settle()
    assert world.table.offsets() == list(range(10))


def test_a_retried_batch_is_abandoned_when_partitions_are_reassigned(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(UNKNOWN)
    world.send(10)
    instance.go_on()

    world.kafka.rebalance()
    instance.step()

    assert len(world.table.tokens) == 1
    assert instance.metric("buffer_rows") == 0
    instance.settle(secs=60)
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_a_partition_that_moved_away_is_neither_stored_nor_committed_any_more() -> None:
    world = World(partitions=2)
    first = world.reading_instance(max_age_secs=5)
    world.send(10, partition=0)
    world.send(10, partition=1)
    first.step()

    second = world.reading_instance(max_age_secs=5)
    first.settle()

    assert world.table.offsets(0) == list(range(10))
    assert world.table.offsets(1) == []
    second.settle()
    assert world.table.offsets(1) == list(range(10))
    assert [world.kafka.committed(number) for number in range(2)] == [10, 10]


def test_a_commit_after_the_group_has_moved_on_is_dropped_and_made_up_for(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.next_commit(NotOurs("the group has moved on"))
    world.kafka.rebalance()

    instance.settle()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_gathered_rows_are_dropped_after_a_rebalance(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(15)
    instance.hand_over()
    instance.step()
    assert instance.metric("buffer_rows") == 15
    for error in (NO_COORDINATOR, NO_COORDINATOR, NO_COORDINATOR):
        instance.source.next_poll(error)
    instance.source.next_commit(NotOurs("the group has moved on"))

    instance.go_on()

    assert instance.metric("buffer_rows") == 0


def test_nothing_is_committed_after_the_group_has_moved_on_until_partitions_are_assigned_anew(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(25)
    instance.hand_over()
    instance.source.next_commit(NotOurs("the group has moved on"))
    for _ in range(10):
        instance.source.next_poll(NO_COORDINATOR)
    instance.thread.run()
    instance.step()

    instance.source.commit_error = AssertionError("nothing is ours to commit")
    while instance.source.faults_left:
        instance.go_on()
        world.clock.advance(1.0)

    assert len(world.table.tokens) == 1
    instance.source.commit_error = None
    instance.settle()
    assert world.table.offsets() == list(range(25))
    assert world.kafka.checkpoint() == Checkpoint(25)


def test_rows_stored_before_a_rebalance_are_not_committed_after_it_with_the_old_state(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.next_commit(NO_COORDINATOR)
    instance.thread.run()
    instance.step()
    commits = len(instance.source.commits)
    world.kafka.rebalance()

    instance.step(3)  # the table is not queried yet

    assert len(instance.source.commits) == commits
    instance.settle()
    assert world.kafka.checkpoint() == Checkpoint(10)


def test_a_lease_that_the_group_refuses_makes_the_loop_read_again(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.next_commit(NotOurs("the group has moved on"))
    world.send(10)

    instance.settle()

    assert len(world.table.tokens) == 1
    assert world.table.offsets() == list(range(10))
    assert world.kafka.checkpoint() == Checkpoint(10)


@pytest.mark.parametrize("commit", ["lease", "plain"])
def test_a_commit_of_unknown_outcome_ends_this_membership(world: World, commit: str) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    if commit == "plain":
        instance.hand_over()
    instance.source.next_commit(MustRejoin("no answer"))

    with pytest.raises(MustRejoin):
        instance.go_on()

    assert len(world.table.tokens) == (1 if commit == "plain" else 0)


def test_a_poll_that_cannot_commit_where_the_group_begins_ends_this_membership(world: World) -> None:
    instance = world.instance()
    instance.source.next_poll(MustRejoin("no answer"))

    with pytest.raises(MustRejoin):
        instance.step()
