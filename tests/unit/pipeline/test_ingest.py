"""The loop: what is stored when, what is committed when, and what happens when partitions change hands."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.errors import NotOurs, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.model import Partition
from app.pipeline.backoff import Backoff
from app.pipeline.decode import EventTimeBounds
from app.pipeline.delivery import Delivery
from app.pipeline.ingest import Ingest
from app.settings import BatchSettings
from app.telemetry import IngestTelemetry
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread, QuickPatience

DOWN = TryAgainLater("ClickHouse does not answer", code="unreachable")
UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
NO_COORDINATOR = TryAgainLater("no coordinator", code="CoordinatorNotAvailableError")


class Instance:
    """One instance of the service, without threads: `thread` stands for the delivering one."""

    def __init__(
        self,
        kafka: MemoryKafka,
        table: MemoryTable,
        clock: Clock,
        *,
        max_rows: int = 1000,
        max_bytes: int = 1024 * 1024,
        max_age_secs: float = 1.0,
        max_chunk_records: int = 500,
    ) -> None:
        self.clock = clock
        self.thread = OtherThread(clock)
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens while delivery waits between two attempts."""
        self.health = Health(clock)
        self.registry = CollectorRegistry()
        telemetry = IngestTelemetry(
            Metrics(self.registry, version="test"), self.health, clock=clock, wall_clock=lambda: 1_700_000_001.0
        )
        self.source = MemorySource(
            kafka,
            on_lost=telemetry.lost_to_retention,
            on_halted=telemetry.halted,
            max_chunk_records=max_chunk_records,
        )
        self.ingest = Ingest(
            self.source,
            Delivery(table, telemetry, clock=clock, backoff=Backoff()),
            telemetry,
            limits=BatchSettings(max_rows=max_rows, max_bytes=max_bytes, max_age_secs=max_age_secs),
            bounds=EventTimeBounds.of_retention(30),
            clock=clock,
            submit=self.thread.submit,
            new_patience=lambda: QuickPatience(clock, lambda: self.meanwhile()),
        )

    def step(self, times: int = 1) -> None:
        """Turn the loop, with the other thread standing still."""
        for _ in range(times):
            self.ingest.step()

    def begin(self) -> None:
        """Turn the loop until the partitions assigned are being read, and nothing yet is."""
        self.step()
        self.thread.run()
        self.step()

    def settle(self) -> None:
        """Turn the loop, the clock and the other thread until everything read is stored and committed."""
        for _ in range(10):
            self.step()
            self.thread.run()
            self.clock.turn(1.0)

    def metric(self, name: str, **labels: str) -> float | None:
        """Value of a series."""
        return self.registry.get_sample_value(f"log_ingest_{name}", labels)


class World:
    """Kafka, a table and a clock, and instances between them."""

    def __init__(self, partitions: int = 1) -> None:
        self.clock = Clock()
        self.kafka = MemoryKafka(partitions=partitions)
        self.table = MemoryTable()

    def instance(self, **options: Any) -> Instance:
        return Instance(self.kafka, self.table, self.clock, **options)

    def reading_instance(self, **options: Any) -> Instance:
        """An instance that has just begun to read."""
        instance = self.instance(**options)
        instance.begin()
        return instance

    def send(self, count: int, partition: int = 0) -> None:
        self.kafka.send(*(b'{"message": "%d"}' % n for n in range(count)), partition=partition)


@pytest.fixture
def world() -> World:
    return World()


# When a batch is stored.


def test_a_batch_is_stored_when_it_has_enough_rows(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(9)
    instance.step()
    assert not instance.thread.is_busy

    world.send(1)
    instance.step()
    instance.thread.run()

    assert world.table.offsets() == list(range(10))


def test_a_batch_is_stored_when_it_has_enough_bytes(world: World) -> None:
    instance = world.reading_instance(max_bytes=10_000)
    world.kafka.send(b"x" * 9_000)
    instance.step()
    assert not instance.thread.is_busy

    world.kafka.send(b"x" * 1_000)
    instance.step()
    instance.thread.run()

    assert world.table.offsets() == [0, 1]


def test_a_batch_is_stored_when_its_oldest_row_is_old_enough(world: World) -> None:
    instance = world.reading_instance(max_age_secs=1.0)
    world.send(1)
    instance.step()
    world.clock.turn(0.9)
    world.send(1)
    instance.step()
    assert not instance.thread.is_busy

    world.clock.turn(0.1)
    instance.step()
    instance.thread.run()

    assert world.table.offsets() == [0, 1]


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
    instance.step()
    world.send(10)

    instance.step()

    assert instance.metric("buffer_rows") == 20
    instance.settle()
    assert [block.num_rows for block in world.table.blocks] == [10, 10]


def test_only_one_insert_is_in_flight(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    for _ in range(3):
        world.send(10)
        instance.step(2)

    instance.thread.run()

    assert len(world.table.tokens) == 1


# Bounded memory.


def test_reading_pauses_when_one_batch_is_in_flight_and_the_next_is_full(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    world.send(1000)

    instance.step(20)

    assert instance.source.is_paused
    assert instance.metric("paused") == 1
    assert instance.metric("buffer_rows") == 20


def test_reading_resumes_when_the_insert_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    world.send(100)
    instance.step(20)
    assert instance.metric("paused") == 1

    instance.thread.run()
    instance.step()

    assert instance.metric("paused") == 0
    instance.settle()
    instance.settle()
    assert world.table.offsets() == list(range(100))


def test_memory_stays_bounded_while_commits_fail(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.source.commit_error = NO_COORDINATOR
    world.send(1000)
    instance.step(3)
    instance.thread.run()

    instance.step(50)

    assert instance.metric("buffer_rows") == 20
    assert instance.source.is_paused


def test_rows_are_stored_while_commits_fail(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.commit_error = NO_COORDINATOR
    world.send(10)
    instance.settle()
    world.send(10)

    instance.settle()

    assert world.table.offsets() == list(range(20))
    assert world.kafka.committed() == 0


def test_rows_are_stored_while_polls_fail(world: World) -> None:
    instance = world.reading_instance()
    world.send(10)
    instance.step()
    for _ in range(20):
        instance.source.next_poll(NO_COORDINATOR)

    instance.settle()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


# What is committed.


def test_offsets_are_committed_only_after_the_rows_are_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.step(5)
    assert world.kafka.committed() == 0

    instance.thread.run()
    instance.step()

    assert world.kafka.committed() == 10
    assert instance.metric("committed_offset", topic="logs", partition="0") == 10


def test_nothing_is_committed_for_what_is_only_gathered(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(15)
    instance.step()
    instance.step()
    instance.thread.run()

    instance.step()

    assert world.kafka.committed() == 10


def test_a_commit_that_fails_is_repeated(world: World) -> None:
    instance = world.reading_instance()
    instance.source.next_commit(NO_COORDINATOR)
    instance.source.next_commit(NO_COORDINATOR)
    world.send(10)

    instance.settle()

    assert world.kafka.committed() == 10
    assert instance.metric("retries_total", side="kafka", code="CoordinatorNotAvailableError") == 2
    assert "kafka" not in instance.health.problems()


def test_a_batch_that_is_stored_while_an_earlier_commit_fails_is_committed_with_it() -> None:
    world = World(partitions=2)
    instance = world.reading_instance()
    instance.source.commit_error = NO_COORDINATOR
    world.send(10, partition=0)
    instance.settle()
    world.send(10, partition=1)
    instance.settle()

    instance.source.commit_error = None
    instance.step()

    assert [world.kafka.committed(number) for number in range(2)] == [10, 10]


def test_health_says_that_commits_fail_as_long_as_they_do(world: World) -> None:
    instance = world.reading_instance()
    instance.source.commit_error = NO_COORDINATOR
    world.send(10)

    instance.settle()

    assert instance.health.problems()["kafka"] == "no coordinator"


def test_offsets_that_hold_no_records_are_committed_when_there_is_nothing_else_to_do(world: World) -> None:
    instance = world.reading_instance()
    world.send(3)
    world.kafka.skip_offset()
    instance.settle()
    instance.settle()

    assert world.kafka.committed() == 4
    assert instance.metric("consumer_lag", topic="logs", partition="0") == 0


def test_positions_are_not_committed_while_rows_before_them_are_not_stored(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(3)
    instance.step()
    world.clock.turn(10)

    instance.step(3)

    assert world.kafka.committed() == 0


def test_the_lag_counts_what_is_not_committed(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(7)
    world.clock.turn(10)

    instance.step()

    assert instance.metric("consumer_lag", topic="logs", partition="0") == 7


# When ClickHouse fails.


def test_an_outage_of_clickhouse_ends_with_everything_stored_once(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    for _ in range(20):
        world.table.next_insert(UNKNOWN)
    world.send(100)

    for _ in range(5):
        instance.settle()

    assert world.table.offsets() == list(range(100))
    assert world.kafka.committed() == 100
    assert "clickhouse" not in instance.health.problems()


def test_health_says_why_rows_are_not_stored(world: World) -> None:
    instance = world.reading_instance()
    world.table.next_insert(DOWN)
    problems: list[str] = []
    instance.meanwhile = lambda: problems.append(instance.health.problems()["clickhouse"])
    world.send(1)

    instance.settle()

    assert problems == ["ClickHouse does not answer"]


def test_what_delivery_did_not_foresee_reaches_the_caller(world: World) -> None:
    instance = world.reading_instance()
    world.table.next_insert(ZeroDivisionError("a mistake of ours"))
    world.send(1)

    with pytest.raises(ZeroDivisionError):
        instance.settle()

    assert world.kafka.committed() == 0


# Halted partitions.


def refuse(offset: int, partition: int = 0) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["_partition"] == partition and row["_offset"] == offset


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


def test_what_was_gathered_of_a_partition_that_halts_is_dropped() -> None:
    world = World(partitions=2)
    world.table.refuses = refuse(offset=3)
    instance = world.reading_instance(max_rows=10)
    world.send(10, partition=0)
    instance.step()
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


# When partitions change hands.


def test_what_was_gathered_is_dropped_when_partitions_change_hands(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(10)
    instance.step()

    world.kafka.rebalance()
    instance.step()

    assert instance.metric("buffer_rows") == 0


def test_what_was_dropped_is_read_again_and_stored_once(world: World) -> None:
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
    instance.step()

    def rebalance() -> None:
        world.kafka.rebalance()
        instance.step()

    world.table.meanwhile = rebalance
    instance.thread.run()
    world.table.meanwhile = lambda: None
    instance.step()
    committed_at_once = world.kafka.committed()
    instance.settle()

    assert committed_at_once == 0
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10
    assert instance.metric("rows_already_stored_total") == 10


def test_the_table_is_not_asked_before_the_insert_in_flight_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    looks: list[int] = []

    def rebalance() -> None:
        world.kafka.rebalance()
        instance.step(5)
        instance.thread.run()
        looks.append(world.table.look_count)

    world.table.meanwhile = rebalance
    world.send(10)
    instance.step()
    before = world.table.look_count

    instance.thread.run()

    assert looks == [before]
    instance.step(2)
    instance.thread.run()
    assert world.table.look_count == before + 1


def test_a_batch_that_is_being_retried_is_abandoned_when_partitions_change_hands(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    for _ in range(3):
        world.table.next_insert(UNKNOWN)
    world.send(10)

    def rebalance() -> None:
        instance.meanwhile = lambda: None
        world.kafka.rebalance()
        instance.step()

    instance.meanwhile = rebalance
    instance.step()
    instance.thread.run()

    assert len(world.table.tokens) == 1
    instance.settle()
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
    instance.step()
    instance.thread.run()
    instance.source.next_commit(NotOurs("the group has moved on"))
    world.kafka.rebalance()

    instance.settle()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_rows_that_an_earlier_life_stored_are_left_out(world: World) -> None:
    world.send(10)
    earlier = world.reading_instance()
    earlier.source.commit_error = NO_COORDINATOR
    earlier.settle()
    earlier.source.close(1.0)
    world.send(5)

    later = world.reading_instance()
    later.settle()

    assert world.table.offsets() == list(range(15))
    assert world.kafka.committed() == 15
    assert later.metric("rows_already_stored_total") == 10
    assert later.metric("rows_inserted_total") == 5


def test_holes_that_an_earlier_life_left_are_filled(world: World) -> None:
    world.send(10)
    earlier = world.reading_instance()
    earlier.source.commit_error = NO_COORDINATOR
    earlier.settle()
    earlier.source.close(1.0)
    [block] = world.table.blocks
    world.table.blocks = [block.slice(0, 2), block.slice(7)]

    world.reading_instance().settle()

    assert world.table.offsets() == list(range(10))


def test_the_table_is_asked_until_it_answers_before_anything_is_read(world: World) -> None:
    world.send(10)
    instance = world.instance()
    instance.step(2)
    for _ in range(3):
        world.table.next_look(DOWN)
    instance.step(5)
    assert instance.metric("messages_consumed_total", topic="logs", partition="0") is None

    instance.settle()

    assert world.table.offsets() == list(range(10))


def test_a_rebalance_during_recovery_starts_it_anew(world: World) -> None:
    world.send(10)
    instance = world.instance()
    instance.step(2)
    world.kafka.rebalance()
    instance.step()

    instance.thread.run()  # the answer to a question that is out of date
    instance.step()

    assert instance.source.positions() == {}
    instance.settle()
    assert world.table.offsets() == list(range(10))


def test_recovery_that_waits_for_clickhouse_is_abandoned_by_a_rebalance(world: World) -> None:
    world.send(10)
    instance = world.instance()
    world.table.next_look(DOWN)

    def rebalance() -> None:
        instance.meanwhile = lambda: None
        world.kafka.rebalance()
        instance.step()

    instance.meanwhile = rebalance
    instance.step(2)
    instance.thread.run()

    instance.settle()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_recovery_that_ends_after_all_partitions_have_gone_starts_none_of_them(world: World) -> None:
    first = world.instance()
    first.step()  # the question to the table is on its way
    first.source.reassign([])
    first.step()

    first.thread.run()
    first.step()

    assert first.source.started == set()


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
    world.kafka.group("group").committed[Partition("logs", 0)] = (world.kafka.topic_id, 2)
    world.kafka.delete_before(6)

    instance = world.reading_instance()
    instance.settle()

    assert world.table.offsets() == [6, 7, 8, 9]
    assert world.kafka.committed() == 10
    assert instance.metric("lost_to_retention_total", topic="logs", partition="0") == 4


# Health of Kafka.


def test_kafka_is_ready_again_only_when_it_has_answered(world: World) -> None:
    instance = world.reading_instance()
    instance.source.next_poll(NO_COORDINATOR)

    instance.step(3)  # these polls bring nothing, which is also what a Kafka that is gone brings

    assert "kafka" in instance.health.problems()


@pytest.mark.parametrize("brings", ["records", "end offsets"])
def test_kafka_is_ready_again_when_it_has_answered(world: World, brings: str) -> None:
    instance = world.reading_instance()
    instance.source.next_poll(NO_COORDINATOR)
    instance.step()

    if brings == "records":
        world.send(1)
    else:
        world.clock.turn(10)
    instance.step()

    assert "kafka" not in instance.health.problems()


def test_the_loop_is_alive_whatever_fails(world: World) -> None:
    instance = world.reading_instance()
    world.clock.turn(100)
    instance.source.next_poll(NO_COORDINATOR)

    instance.step()

    assert instance.health.is_live()


# Shutdown.


def test_draining_stores_and_commits_what_is_in_hand(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_age_secs=60)
    world.send(10)
    instance.step()
    world.send(5)
    instance.step()

    assert instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.table.offsets() == list(range(15))
    assert world.kafka.committed() == 15


def test_draining_with_nothing_in_hand_is_done_at_once(world: World) -> None:
    instance = world.reading_instance()
    now = world.clock.now

    assert instance.ingest.drain(deadline=now + 5)

    assert world.clock.now == now


def test_draining_ends_at_its_deadline_and_commits_only_what_was_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_age_secs=60)
    world.send(10)
    instance.step()
    instance.thread.run()  # stored, not collected
    world.send(10)
    instance.step()  # collected; the next one is in flight
    instance.thread.runs_when_waited_for = False
    deadline = world.clock.now + 5

    assert not instance.ingest.drain(deadline)

    assert world.clock.now == deadline
    assert world.kafka.committed() == 10


def test_what_was_not_drained_is_not_tried_again_in_the_background(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.step()
    instance.thread.runs_when_waited_for = False
    instance.ingest.drain(world.clock.now + 5)

    instance.thread.run()

    assert world.table.offsets() == []


def test_draining_says_so_when_the_commit_failed(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    instance.source.commit_error = NO_COORDINATOR
    world.send(10)
    instance.step()

    assert not instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.table.offsets() == list(range(10))


def test_draining_says_so_when_the_partitions_were_changing_hands(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(10)
    instance.step()
    world.kafka.rebalance()

    assert not instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.kafka.committed() == 0


def test_an_abandoned_instance_stores_nothing_more(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.step()

    assert instance.ingest.abandon(timeout_secs=1)

    instance.thread.run()
    assert world.table.offsets() == []


def test_an_abandoned_instance_is_waited_for_until_its_insert_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.step()
    instance.thread.runs_when_waited_for = False

    assert not instance.ingest.abandon(timeout_secs=1)

    instance.thread.run()
    assert instance.ingest.abandon(timeout_secs=1)
