"""Rows that an earlier owner of a partition has stored, or may still be storing."""

from app.domain.records import Checkpoint, LastRecord, Lease
from app.pipeline.delivery import MARGIN_SECS
from tests.unit.pipeline.ingest.world import DEADLINE_SECS, UNKNOWN, Instance, World


def test_rows_that_an_earlier_instance_stored_are_left_out(world: World, died: Instance) -> None:
    world.send(5)

    later = world.reading_instance()
    later.settle()

    assert world.table.offsets() == list(range(15))
    assert world.kafka.checkpoint() == Checkpoint(15)
    assert later.metric("rows_already_stored_total") == 10
    assert later.metric("rows_inserted_total") == 5


def test_gaps_that_an_earlier_instance_left_are_filled(world: World, died: Instance) -> None:
    [block] = world.table.blocks
    world.table.blocks = [block.slice(0, 2), block.slice(7)]

    world.reading_instance().settle()

    assert world.table.offsets() == list(range(10))


def test_nothing_is_read_of_a_partition_before_the_lease_of_its_earlier_owner_has_ended(
    world: World, died: Instance
) -> None:
    died_at = world.clock.now
    later = world.reading_instance()

    while not later.source.started:
        later.go_on()
        world.clock.advance(0.1)

    assert world.clock.now > died_at + DEADLINE_SECS + MARGIN_SECS


def test_a_late_insert_of_an_earlier_instance_does_not_duplicate_its_rows(world: World) -> None:
    world.send(10)
    earlier = world.reading_instance(max_rows=10)
    world.table.next_insert(UNKNOWN, lands_later=True)
    earlier.go_on()
    earlier.source.close(1.0)
    later = world.reading_instance()
    world.clock.advance(DEADLINE_SECS - 0.5)
    later.go_on()

    world.table.land()
    later.settle()

    assert world.table.offsets() == list(range(10))
    assert later.metric("rows_already_stored_total") == 10


def test_the_lease_of_an_earlier_owner_is_cleared_when_its_partition_is_taken_over(
    world: World, died: Instance
) -> None:
    later = world.instance(max_age_secs=60)

    later.settle()

    assert world.kafka.checkpoint() == Checkpoint(0)


def test_partitions_without_a_lease_are_not_kept_waiting_by_those_with_one() -> None:
    world = World(partitions=3)
    now_ms = int(world.clock.now * 1000)
    for partition, deadline_ms in ((0, now_ms + 10_000), (2, now_ms + 5_000)):
        world.send(5, partition)
        world.kafka.remember(0, partition, lease=Lease(f"of {partition}", deadline_ms, 5, LastRecord(4, 0)))
    instance = world.reading_instance()
    started: list[set[int]] = []

    for _ in range(20):
        started.append({partition.number for partition in instance.source.started})
        world.clock.advance(1.0)
        instance.go_on()

    assert sorted(map(len, started)) == [len(numbers) for numbers in started]
    assert [numbers for n, numbers in enumerate(started) if numbers not in started[:n]] == [{1}, {1, 2}, {0, 1, 2}]


def test_partitions_without_a_lease_do_not_wait_for_those_whose_offset_another_client_has_set() -> None:
    world = World(partitions=3)
    world.kafka.set_offset(0, partition=0)

    instance = world.reading_instance()

    assert {partition.number for partition in instance.source.started} == {1, 2}
    instance.settle()
    assert len(instance.source.started) == 3


def test_however_many_offsets_others_have_set_they_are_waited_for_only_once() -> None:
    world = World(partitions=10)
    for number in range(10):
        world.kafka.set_offset(0, partition=number)
    instance = world.instance()

    instance.settle(secs=int(DEADLINE_SECS + MARGIN_SECS) + 3)

    assert len(instance.source.started) == 10


def test_an_offset_that_others_have_set_back_stores_nothing_twice(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.settle()
    world.kafka.set_offset(3)
    world.kafka.rebalance()

    instance.settle(secs=40)

    assert world.table.offsets() == list(range(10))
    assert world.kafka.checkpoint() == Checkpoint(10)
    assert instance.metric("rows_already_stored_total") == 7
