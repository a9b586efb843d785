"""What a poll brings beyond a full batch is decoded when there is room for it, and is neither lost nor stored twice."""

from app.domain.records import Checkpoint
from app.errors import NotOurs
from tests.unit.pipeline.ingest.world import NO_COORDINATOR, P0, Instance, World, refuse


def reading(world: World) -> Instance:
    """An instance whose batches are of ten rows, and which decodes one record at a time."""
    return world.reading_instance(max_rows=10, piece_bytes=1)


def test_a_batch_is_full_and_holds_no_more_whatever_a_poll_brings(world: World) -> None:
    instance = reading(world)
    world.send(25)

    instance.settle()

    assert [block.num_rows for block in world.table.blocks] == [10, 10, 5]
    assert world.table.offsets() == list(range(25))
    assert world.kafka.checkpoint() == Checkpoint(25)


def test_batches_are_full_however_long_the_rest_has_waited(world: World) -> None:
    instance = reading(world)
    world.send(40)
    instance.hand_over()
    world.clock.advance(3600)

    instance.settle(secs=40)

    assert [block.num_rows for block in world.table.blocks] == [10, 10, 10, 10]


def test_nothing_more_is_decoded_or_read_while_both_batches_are_full(world: World) -> None:
    instance = reading(world)
    world.send(500)

    instance.step(20)
    world.send(500)
    instance.step(20)

    assert instance.source.is_paused
    assert instance.metric("buffer_rows") == 20
    assert instance.metric("messages_consumed_total", topic="logs", partition="0") == 20
    assert instance.source.positions()[P0] == 500


def test_the_rest_is_decoded_when_the_insert_has_ended(world: World) -> None:
    instance = reading(world)
    world.send(25)
    instance.step(20)

    instance.ingest.step()  # the time of ClickHouse comes
    instance.ingest.step()  # the insert ends

    assert world.table.offsets() == list(range(10))
    assert [lease.end for lease in instance.leases] == [10, 20]
    assert instance.metric("messages_consumed_total", topic="logs", partition="0") == 25
    assert instance.metric("paused") == 0


def test_a_lease_ends_with_the_last_record_of_its_batch(world: World) -> None:
    instance = reading(world)
    world.send(25)

    instance.hand_over()

    [lease] = instance.leases
    assert lease.end == 10
    assert lease.last_record.offset == 9


def test_the_insert_in_flight_gets_on_while_a_poll_is_decoded(world: World) -> None:
    instance = reading(world)
    instance.while_decoding = instance.thread.run
    world.send(25)

    instance.ingest.step()

    assert world.table.offsets() == list(range(20))


def test_the_rest_is_dropped_when_partitions_are_reassigned(world: World) -> None:
    instance = reading(world)
    world.send(50)
    instance.hand_over()

    world.kafka.rebalance()
    instance.settle(secs=60)

    assert world.table.offsets() == list(range(50))
    assert world.kafka.checkpoint() == Checkpoint(50)


def test_the_rest_is_dropped_when_a_commit_is_refused(world: World) -> None:
    instance = reading(world)
    world.send(50)
    instance.source.next_commit(NotOurs("a rebalance"))

    instance.settle(secs=60)

    assert world.table.offsets() == list(range(50))
    assert world.kafka.checkpoint() == Checkpoint(50)


def test_the_rest_of_a_halted_partition_is_dropped_and_that_of_others_stored() -> None:
    world = World(partitions=2)
    world.table.refuses = refuse(offset=3)
    instance = reading(world)
    world.send(25, partition=0)
    world.send(25, partition=1)

    instance.settle(secs=40)

    assert world.table.offsets(0) == [0, 1, 2]
    assert world.table.offsets(1) == list(range(25))
    assert [world.kafka.committed(number) for number in range(2)] == [3, 25]


def test_the_rest_is_stored_while_polls_fail(world: World) -> None:
    instance = reading(world)
    world.send(25)
    instance.step()
    for _ in range(200):
        instance.source.next_poll(NO_COORDINATOR)

    instance.settle()

    assert instance.source.faults_left
    assert world.table.offsets() == list(range(25))
    assert world.kafka.committed() == 25


def test_draining_leaves_the_rest_to_the_next_owner(world: World) -> None:
    instance = reading(world)
    world.send(25)
    instance.step()

    assert not instance.ingest.drain(world.clock.now + 5)

    assert world.table.offsets() == list(range(20))
    assert world.kafka.checkpoint() == Checkpoint(20)
    instance.source.close(1.0)
    world.reading_instance().settle()
    assert world.table.offsets() == list(range(25))


def test_a_partition_halts_before_any_piece_of_a_chunk_is_decoded_in_which_kafka_has_replaced_a_record(
    world: World, died: Instance
) -> None:
    world.kafka.truncate(5)
    world.send(10)
    instance = reading(world)

    instance.settle(secs=40)

    assert instance.metric("halted_partitions") == 1
    assert instance.metric("messages_consumed_total", topic="logs", partition="0") is None
