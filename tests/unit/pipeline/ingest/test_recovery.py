"""Recovery: the table is queried before a partition is read."""

import pytest

from tests.unit.pipeline.ingest.world import DOWN, P0, World


def test_the_table_is_queried_until_it_responds_before_anything_is_read(world: World) -> None:
    world.send(10)
    for _ in range(3):
        world.table.next_check(DOWN)
    instance = world.instance()
    instance.go_on()
    assert instance.source.started == set()

    instance.settle()

    assert world.table.offsets() == list(range(10))


def test_a_rebalance_during_recovery_starts_it_anew(world: World) -> None:
    world.send(10)
    instance = world.instance()
    instance.step()
    world.kafka.rebalance()
    instance.step()

    instance.thread.run()  # the result of an outdated query
    instance.step()

    assert instance.source.positions() == {}
    instance.settle()
    assert world.table.offsets() == list(range(10))


def test_recovery_that_waits_for_clickhouse_is_abandoned_by_a_rebalance(world: World) -> None:
    world.send(10)
    world.table.next_check(DOWN)
    instance = world.instance()
    instance.go_on()  # it pauses before it queries again
    looks = world.table.look_count
    world.kafka.rebalance()

    instance.go_on()

    assert instance.source.started == {P0}, "queried again at once"
    assert world.table.look_count == looks + 1
    instance.settle()
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_recovery_that_ends_after_all_partitions_have_gone_starts_none_of_them(world: World) -> None:
    first = world.instance()
    first.step()  # the query is in flight
    first.source.reassign([])
    first.step()

    first.thread.run()
    first.step()

    assert first.source.started == set()


def test_an_unexpected_error_of_recovery_reaches_the_caller(world: World) -> None:
    instance = world.instance()
    world.table.next_check(ZeroDivisionError("a mistake of ours"))

    with pytest.raises(ZeroDivisionError):
        instance.settle()


def test_a_topic_made_anew_is_read_from_its_beginning(world: World) -> None:
    instance = world.reading_instance()
    world.send(10)
    instance.settle()

    world.kafka.recreate(partitions=1)
    world.send(4)
    instance.settle()

    assert [identity.topic_id for identity in world.table.identities()] == ["topic-1"] * 10 + ["topic-2"] * 4
    assert world.kafka.committed() == 4


def test_records_deleted_before_they_were_read_are_counted_and_reading_goes_on(world: World) -> None:
    world.send(10)
    world.kafka.remember(2)
    world.kafka.delete_before(6)

    instance = world.reading_instance()
    instance.settle()

    assert world.table.offsets() == [6, 7, 8, 9]
    assert world.kafka.committed() == 10
    assert instance.metric("lost_to_retention_total", topic="logs", partition="0") == 4
