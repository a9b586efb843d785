"""Halted partitions, while the others continue."""

import pytest

from app.domain.records import LastRecord, Lease
from tests.unit.pipeline.ingest.world import Instance, World, refuse

# Halted partitions.


def test_a_halted_partition_is_committed_up_to_the_row_and_no_further() -> None:
    world = World(partitions=2)
    world.table.refuses = refuse(offset=3)
    instance = world.reading_instance()
    world.send(10, partition=0)
    world.send(10, partition=1)

    instance.settle()

    assert world.kafka.committed(0) == 3
    assert world.kafka.committed(1) == 10
    assert world.table.offsets(0) == [0, 1, 2]
    assert instance.metric("halted_partitions") == 1
    assert "offset 3" in instance.health.problems()["partition logs/0"]


def test_the_other_partitions_go_on_when_one_halts() -> None:
    world = World(partitions=2)
    world.table.refuses = refuse(offset=3)
    instance = world.reading_instance()
    world.send(10, partition=0)
    instance.settle()
    world.send(10, partition=0)
    world.send(10, partition=1)

    instance.settle()

    assert world.table.offsets(0) == [0, 1, 2]
    assert world.table.offsets(1) == list(range(10))
    assert world.kafka.committed(0) == 3


def test_gathered_rows_of_a_halted_partition_are_dropped() -> None:
    world = World(partitions=2)
    world.table.refuses = refuse(offset=3)
    instance = world.reading_instance(max_rows=10)
    world.send(10, partition=0)
    instance.hand_over()
    world.send(5, partition=0)
    world.send(5, partition=1)
    instance.step()

    instance.settle()

    assert world.table.offsets(0) == [0, 1, 2]
    assert world.table.offsets(1) == list(range(5))
    assert [world.kafka.committed(number) for number in range(2)] == [3, 5]


def test_a_halted_partition_with_nothing_left_to_do_is_not_committed_by_its_position(world: World) -> None:
    world.table.refuses = refuse(offset=3)
    instance = world.reading_instance()
    world.send(10)

    instance.settle()

    assert world.kafka.committed() == 3


def test_a_halted_partition_is_read_again_when_it_is_assigned_again(world: World) -> None:
    world.table.refuses = refuse(offset=3)
    instance = world.reading_instance()
    world.send(10)
    instance.settle()
    world.table.refuses = lambda _row: False

    world.kafka.rebalance()
    instance.settle()

    assert world.table.offsets() == list(range(10))
    assert instance.health.problems() == {}
    assert instance.metric("halted_partitions") == 0


def test_a_partition_of_which_kafka_lost_the_end_is_not_read(world: World) -> None:
    instance = world.reading_instance()
    world.send(10)
    instance.settle()
    world.kafka.truncate(5)
    world.kafka.rebalance()

    instance.settle()

    assert "Kafka ends at 5" in instance.health.problems()["partition logs/0"]
    assert world.kafka.committed() == 10


# When Kafka returns other records at the same offsets.


@pytest.fixture
def replaced(world: World, died: Instance) -> World:
    """Kafka has lost records that an earlier owner had stored without committing, and has reused their offsets."""
    world.kafka.truncate(5)
    world.kafka.send(*(b"another %d" % n for n in range(10)))
    return world


def test_another_record_at_the_end_of_a_lease_halts_the_partition(replaced: World) -> None:
    instance = replaced.reading_instance()

    instance.settle(secs=40)

    assert "another record at offset 9" in instance.health.problems()["partition logs/0"]
    assert replaced.kafka.committed() == 0
    assert len(replaced.table.blocks) == 1
    assert instance.metric("messages_consumed_total", topic="logs", partition="0") is None


def test_another_record_is_noticed_in_a_later_chunk_too(replaced: World) -> None:
    instance = replaced.reading_instance(max_chunk_records=4)

    instance.settle(secs=40)

    assert instance.metric("halted_partitions") == 1
    assert replaced.table.offsets() == list(range(10)), "what came before was stored already"


def test_the_same_record_at_the_end_of_a_lease_is_no_reason_to_halt(world: World, died: Instance) -> None:
    instance = world.reading_instance(max_chunk_records=4)
    world.send(10)

    instance.settle(secs=40)

    assert instance.health.problems() == {}
    assert world.table.offsets() == list(range(20))


def test_a_record_at_the_end_of_a_lease_that_was_deleted_meanwhile_is_no_reason_to_halt(
    world: World, died: Instance
) -> None:
    world.send(10)
    world.kafka.delete_before(12)

    instance = world.reading_instance()
    instance.settle(secs=40)

    assert instance.metric("halted_partitions") == 0
    assert world.table.offsets() == [*range(10), *range(12, 20)]


def test_the_lease_of_a_topic_that_was_deleted_halts_none_that_was_made_anew(world: World, died: Instance) -> None:
    instance = world.instance(max_chunk_records=1)
    while not instance.source.started:
        instance.go_on()
        world.clock.advance(1.0)
    world.kafka.recreate(partitions=1)
    world.kafka.send(*(b"another %d" % n for n in range(20)))

    instance.settle(secs=40)

    assert instance.metric("halted_partitions") == 0
    assert len(world.table.offsets()) == 10 + 20


def test_a_halt_for_another_record_leaves_the_other_partitions_alone() -> None:
    world = World(partitions=2)
    world.send(5)
    world.send(5, partition=1)
    world.kafka.remember(0, lease=Lease("of another", 0, 5, LastRecord(4, 0xBAD)))

    instance = world.reading_instance()
    instance.settle()

    assert instance.metric("halted_partitions") == 1
    assert world.table.offsets(0) == []
    assert world.table.offsets(1) == list(range(5))
