"""When a batch is stored."""

import pytest

from tests.unit.pipeline.ingest.world import World


def test_a_batch_is_stored_when_it_has_enough_rows(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(9)
    instance.step()
    assert not instance.thread.is_busy

    world.send(1)
    instance.go_on()

    assert world.table.offsets() == list(range(10))


def test_a_batch_is_stored_when_it_has_enough_bytes(world: World) -> None:
    instance = world.reading_instance(max_bytes=10_000)
    world.kafka.send(b"x" * 9_000)
    instance.step()
    assert not instance.thread.is_busy

    world.kafka.send(b"x" * 1_000)
    instance.go_on()

    assert world.table.offsets() == [0, 1]


def test_a_batch_is_stored_when_its_oldest_row_is_old_enough(world: World) -> None:
    instance = world.reading_instance(max_age_secs=1.0)
    world.send(1)
    instance.step()
    world.clock.advance(0.9)
    world.send(1)
    instance.step()
    assert not instance.thread.is_busy

    world.clock.advance(0.1)
    instance.go_on()

    assert world.table.offsets() == [0, 1]


def test_the_rest_of_a_backlog_is_stored_without_waiting_for_its_age(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(25)

    instance.go_on()
    instance.go_on()  # nothing more is to be read; no time has passed

    assert world.table.offsets() == list(range(25))
    assert len(world.table.tokens) == 3


def test_the_time_for_which_kafka_may_have_held_a_row_back_counts(world: World) -> None:
    instance = world.reading_instance(max_age_secs=1.0, held_secs=0.4)
    world.send(1)
    instance.step()
    world.clock.advance(0.55)
    instance.step()
    assert not instance.thread.is_busy

    world.clock.advance(0.1)
    instance.go_on()

    assert world.table.offsets() == [0]


def test_a_row_is_not_taken_to_be_older_than_the_last_that_kafka_gave(world: World) -> None:
    instance = world.reading_instance(max_age_secs=1.0, held_secs=0.4)
    world.send(1)
    instance.step()
    world.clock.advance(0.65)
    world.send(1)
    instance.go_on()
    assert world.table.offsets() == [0, 1]

    world.clock.advance(0.1)
    world.send(1)
    instance.step()  # the row came within the last 0.1 s
    world.clock.advance(0.85)
    instance.step()
    assert not instance.thread.is_busy

    world.clock.advance(0.1)
    instance.go_on()

    assert world.table.offsets() == [0, 1, 2]


def test_an_idle_loop_waits_longer_for_records_but_not_beyond_the_time_to_store_them(world: World) -> None:
    instance = world.reading_instance(max_age_secs=1.0)
    instance.settle()
    instance.step()
    idle_secs = instance.source.last_timeout_secs

    world.send(1)
    instance.step()
    world.clock.advance(0.9)
    instance.step()

    assert instance.source.last_timeout_secs == pytest.approx(0.1)
    assert idle_secs > 0.2


def test_a_loop_that_may_not_store_does_not_turn_without_a_pause(world: World) -> None:
    instance = world.reading_instance(max_age_secs=1.0)
    instance.has_room = False
    world.send(1)
    instance.step()
    world.clock.advance(5)
    instance.step(2)

    assert instance.source.last_timeout_secs > 0


def test_nothing_is_stored_when_nothing_came(world: World) -> None:
    instance = world.reading_instance()

    instance.settle()

    assert world.table.tokens == []


def test_the_rows_of_all_partitions_go_into_one_insert() -> None:
    world = World(partitions=3)
    instance = world.reading_instance()
    for number in range(3):
        world.send(4, partition=number)

    instance.settle()

    assert [block.num_rows for block in world.table.blocks] == [12]
    assert [world.kafka.committed(number) for number in range(3)] == [4, 4, 4]


def test_the_next_batch_fills_while_one_is_being_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    world.send(10)

    instance.step()

    assert instance.metric("buffer_rows") == 20
    instance.settle()
    assert [block.num_rows for block in world.table.blocks] == [10, 10]


def test_only_one_insert_is_in_flight(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    for _ in range(3):
        world.send(10)
        instance.step(2)

    instance.thread.run()

    assert len(world.table.tokens) == 1


def test_when_all_is_read_and_the_rest_is_due_the_end_of_the_insert_is_waited_for(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    world.send(15)
    instance.step(8)
    assert not instance.source.is_paused

    instance.ingest.step()  # the time of ClickHouse comes
    instance.ingest.step()  # the insert ends

    assert world.table.offsets() == list(range(10))
    assert [lease.end for lease in instance.leases] == [10, 15]  # in the same turn
