"""Outages of ClickHouse or Kafka: behaviour and health."""

import pytest

from tests.unit.pipeline.ingest.world import DOWN, NO_COORDINATOR, UNKNOWN, World

# When ClickHouse fails.


def test_an_outage_of_clickhouse_ends_with_everything_stored_once(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    for _ in range(20):
        world.table.next_insert(UNKNOWN)
    world.send(100)

    instance.settle(secs=1000)

    assert world.table.offsets() == list(range(100))
    assert world.kafka.committed() == 100
    assert "clickhouse" not in instance.health.problems()


def test_health_reports_why_rows_are_not_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)

    instance.go_on()

    assert instance.health.problems()["clickhouse"] == "ClickHouse does not answer"
    instance.settle()
    assert "clickhouse" not in instance.health.problems()


def test_an_unexpected_error_of_delivery_reaches_the_caller(world: World) -> None:
    instance = world.reading_instance()
    world.table.next_insert(ZeroDivisionError("a mistake of ours"))
    world.send(1)

    with pytest.raises(ZeroDivisionError):
        instance.settle()

    assert world.kafka.committed() == 0


# Health of Kafka.


def test_kafka_is_ready_again_only_after_a_response(world: World) -> None:
    instance = world.reading_instance()
    instance.source.next_poll(NO_COORDINATOR)

    instance.step(3)  # empty polls, as from an unavailable Kafka

    assert "kafka" in instance.health.problems()


@pytest.mark.parametrize("brings", ["records", "end offsets"])
def test_kafka_is_ready_again_after_a_response(world: World, brings: str) -> None:
    instance = world.reading_instance()
    instance.source.next_poll(NO_COORDINATOR)
    instance.step()

    if brings == "records":
        world.send(1)
    else:
        world.clock.advance(10)
    instance.step()

    assert "kafka" not in instance.health.problems()


def test_the_loop_is_alive_whatever_fails(world: World) -> None:
    instance = world.reading_instance()
    world.clock.advance(100)
    instance.source.next_poll(NO_COORDINATOR)

    instance.step()

    assert instance.health.is_live()
