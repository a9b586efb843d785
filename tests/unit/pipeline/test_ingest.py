"""The loop: what is stored when, what is committed when, and what happens when partitions change hands."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.domain.event_time import EventTimeBounds
from app.domain.records import LastRecord, Lease, Mark, Partition, RecordChunk
from app.errors import KafkaCode, MustRejoin, NotOurs, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.pipeline.backoff import Backoff
from app.pipeline.decode import decode
from app.pipeline.delivery import MARGIN_SECS, Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.settings import BatchSettings
from app.telemetry.ingest import IngestTelemetry
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread

DEADLINE_SECS = 10.0
DOWN = TryAgainLater("ClickHouse does not answer", code="517")
UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
NO_COORDINATOR = TryAgainLater("no coordinator", code=KafkaCode.NO_COORDINATOR)
P0 = Partition("logs", 0)


class Instance:
    """One instance of the service, without threads: `thread` stands for the one that calls ClickHouse."""

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
        self.table = table
        self.thread = OtherThread(clock)
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
        progress = Progress(self.source, telemetry.committed)
        self.ingest = Ingest(
            self.source,
            Delivery(table, progress, telemetry, clock=clock, backoff=Backoff(), deadline_secs=DEADLINE_SECS),
            progress,
            telemetry,
            decode=partial(decode, bounds=EventTimeBounds.of_retention(30)),
            limits=BatchSettings(max_rows=max_rows, max_bytes=max_bytes, max_age_secs=max_age_secs),
            clock=clock,
            submit=self.thread.submit,
            sleep=clock.turn,
            has_room=lambda: self.has_room,
        )
        self.has_room = True

    def step(self, times: int = 1) -> None:
        """Turn the loop, with the other thread standing still."""
        for _ in range(times):
            self.ingest.step()

    def go_on(self) -> None:
        """Turn the loop and the other thread as far as they get in no time."""
        self.step()
        while self.thread.is_busy:
            self.thread.run()
            self.step()

    def hand_over(self) -> None:
        """Turn the loop until an insert is handed to the other thread, which has not begun with it."""
        self.step()
        while not self.has_handed_over:
            assert self.thread.is_busy, "there is nothing to be stored"
            self.thread.run()
            self.step()

    @property
    def leases(self) -> list[Lease]:
        """Every lease that Kafka took, in order."""
        leased = [mark.lease for commit in self.source.commits for mark in commit.values() if mark.lease is not None]
        return list({lease.token: lease for lease in leased}.values())

    @property
    def has_handed_over(self) -> bool:
        """Whether there is a lease whose insert has not got to the table."""
        return bool(self.leases) and self.leases[-1].token not in self.table.tokens

    def settle(self, secs: int = 20) -> None:
        """Turn the loop, the clock and the other thread until everything read is stored and committed."""
        for _ in range(secs):
            self.go_on()
            self.clock.turn(1.0)

    def metric(self, name: str, **labels: str) -> float | None:
        """Value of a series."""
        return self.registry.get_sample_value(f"log_ingest_{name}", labels)


class World:
    """Kafka, a table and a clock, and instances between them."""

    def __init__(self, partitions: int = 1) -> None:
        self.clock = Clock()
        self.kafka = MemoryKafka(partitions=partitions)
        self.table = MemoryTable(self.clock)

    def instance(self, **options: Any) -> Instance:
        return Instance(self.kafka, self.table, self.clock, **options)

    def reading_instance(self, **options: Any) -> Instance:
        """An instance that has just begun to read."""
        instance = self.instance(**options)
        instance.go_on()
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
    world.clock.turn(0.9)
    world.send(1)
    instance.step()
    assert not instance.thread.is_busy

    world.clock.turn(0.1)
    instance.go_on()

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


# Bounded memory.


def test_nothing_is_stored_and_reading_pauses_while_the_table_has_no_room(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.has_room = False
    world.send(1000)

    for _ in range(10):
        instance.settle()

    assert world.table.tokens == []
    assert instance.source.is_paused
    assert instance.metric("buffer_rows") == 10


def test_storing_goes_on_when_there_is_room_again(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.has_room = False
    world.send(30)
    instance.settle()

    instance.has_room = True
    for _ in range(5):
        instance.settle()

    assert world.table.offsets() == list(range(30))
    assert world.kafka.committed() == 30


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
    instance.step()  # what was asked for is the time
    instance.thread.run()
    instance.step(2)

    assert instance.metric("paused") == 0
    instance.settle()
    assert world.table.offsets() == list(range(100))


def test_memory_stays_bounded_while_commits_fail(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.source.commit_error = NO_COORDINATOR
    world.send(1000)

    instance.settle(secs=50)

    assert instance.metric("buffer_rows") == 20
    assert instance.source.is_paused


def test_nothing_is_inserted_while_kafka_takes_no_lease(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.commit_error = NO_COORDINATOR
    world.send(10)

    instance.settle()

    assert world.table.tokens == []
    instance.source.commit_error = None
    instance.settle(secs=60)
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_rows_are_stored_while_polls_fail(world: World) -> None:
    instance = world.reading_instance()
    world.send(10)
    instance.step()
    for _ in range(200):
        instance.source.next_poll(NO_COORDINATOR)

    instance.settle()

    assert instance.source.faults_left

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


# What is committed.


def test_offsets_are_committed_only_after_the_rows_are_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.step(5)
    assert world.kafka.committed() == 0

    instance.thread.run()
    instance.step()

    assert world.kafka.mark() == Mark(10)
    assert instance.metric("committed_offset", topic="logs", partition="0") == 10


def test_nothing_is_committed_for_what_is_only_gathered(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(15)

    instance.go_on()

    assert instance.metric("buffer_rows") == 5
    assert world.kafka.committed() == 10


def test_a_batch_costs_one_lease_and_one_insert_when_the_next_is_due_already(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(50)

    while world.kafka.committed() != 50:
        instance.step()
        instance.step()  # the next batch is full before the insert has ended
        instance.thread.run()

    assert len(world.table.tokens) == 5
    *leased, last = [commit[P0] for commit in instance.source.commits]
    assert [mark.next_offset for mark in leased] == [0, 10, 20, 30, 40]
    assert [mark.lease.end for mark in leased if mark.lease] == [10, 20, 30, 40, 50]
    assert last == Mark(50)


def test_what_is_stored_waits_for_a_lease_that_is_about_to_tell_it(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(20)
    instance.hand_over()
    instance.step()
    instance.thread.run()
    world.clock.turn(100)  # ClickHouse must be asked for the time again before the next lease

    instance.step(3)
    assert len(instance.source.commits) == 1
    instance.thread.run()
    instance.step()

    assert [commit[P0].next_offset for commit in instance.source.commits] == [0, 10]


def test_a_plain_commit_follows_an_insert_when_nothing_else_is_due(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)

    instance.go_on()

    [leased, plain] = [commit[P0] for commit in instance.source.commits]
    assert leased.lease is not None
    assert plain == Mark(10)


def test_a_loop_with_nothing_to_do_commits_nothing(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.settle()
    commits = len(instance.source.commits)

    instance.settle(secs=60)

    assert len(instance.source.commits) == commits


def test_the_lease_names_the_last_record_of_the_batch(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)

    instance.hand_over()

    value, time_ms = b'{"message": "9"}', world.kafka.log(P0).records[-1].timestamp_ms
    assert instance.leases[0].last_record == chunk_of(value, time_ms, offset=9).last_record


def chunk_of(value: bytes, time_ms: int, *, offset: int) -> RecordChunk:
    return RecordChunk(P0, "topic-1", [offset], [time_ms], [value], [()], offset + 1)


def test_a_commit_that_fails_is_repeated(world: World) -> None:
    instance = world.reading_instance()
    instance.source.next_commit(NO_COORDINATOR)
    instance.source.next_commit(NO_COORDINATOR)
    world.send(10)

    instance.settle()

    assert world.kafka.committed() == 10
    assert instance.metric("retries_total", side="kafka", code=KafkaCode.NO_COORDINATOR) == 2
    assert "kafka" not in instance.health.problems()


def test_what_is_stored_while_commits_fail_is_committed_later(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.commit_error = NO_COORDINATOR
    instance.go_on()
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 0

    instance.source.commit_error = None
    instance.step()

    assert world.kafka.committed() == 10


def test_health_says_that_commits_fail_as_long_as_they_do(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.commit_error = NO_COORDINATOR

    instance.settle()

    assert instance.health.problems()["kafka"] == "no coordinator"


def test_health_says_that_leases_are_not_taken_as_long_as_they_are_not(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.commit_error = NO_COORDINATOR
    problems: list[str | None] = []

    for _ in range(30):
        world.send(10)
        instance.go_on()
        problems.append(instance.health.problems().get("kafka"))
        world.clock.turn(1.0)

    assert set(problems) == {"no coordinator"}
    instance.source.commit_error = None
    instance.settle(secs=60)
    assert "kafka" not in instance.health.problems()


def test_offsets_that_hold_no_records_are_committed_when_there_is_nothing_else_to_do(world: World) -> None:
    instance = world.reading_instance()
    world.send(3)
    world.kafka.skip_offset()
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


def test_the_lag_of_a_partition_that_is_not_taken_over_yet_is_not_known(world: World) -> None:
    world.send(7)
    world.kafka.set_offset(0)  # somebody else has: an insert may be on its way that nobody knows of
    instance = world.reading_instance()
    world.clock.turn(6)

    instance.step()

    assert instance.source.started == set()
    assert instance.metric("consumer_lag", topic="logs", partition="0") is None


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


def test_health_says_why_rows_are_not_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)

    instance.go_on()

    assert instance.health.problems()["clickhouse"] == "ClickHouse does not answer"
    instance.settle()
    assert "clickhouse" not in instance.health.problems()


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
    instance.hand_over()
    world.kafka.rebalance()
    instance.step()

    instance.thread.run()
    instance.step()

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 0
    instance.settle()
    assert world.table.offsets() == list(range(10))
    assert world.kafka.mark() == Mark(10)
    assert instance.metric("rows_already_stored_total") == 10


def test_the_table_is_not_asked_before_the_insert_in_flight_has_ended(world: World) -> None:
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
        world.clock.turn(0.5)

    assert world.clock.now > began_at + DEADLINE_SECS + MARGIN_SECS - 1
    world.table.land()
    instance.settle()
    assert world.table.offsets() == list(range(10))


def test_a_batch_that_is_being_retried_is_abandoned_when_partitions_change_hands(world: World) -> None:
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


def test_what_was_gathered_is_dropped_when_the_group_has_moved_on(world: World) -> None:
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
        world.clock.turn(1.0)

    assert len(world.table.tokens) == 1
    instance.source.commit_error = None
    instance.settle()
    assert world.table.offsets() == list(range(25))
    assert world.kafka.mark() == Mark(25)


def test_what_was_stored_before_a_rebalance_is_not_committed_after_it_by_what_was_known_before(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.next_commit(NO_COORDINATOR)
    instance.thread.run()
    instance.step()
    commits = len(instance.source.commits)
    world.kafka.rebalance()

    instance.step(3)  # the table has not been asked yet

    assert len(instance.source.commits) == commits
    instance.settle()
    assert world.kafka.mark() == Mark(10)


def test_a_lease_that_the_group_refuses_is_answered_by_reading_again(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.next_commit(NotOurs("the group has moved on"))
    world.send(10)

    instance.settle()

    assert len(world.table.tokens) == 1
    assert world.table.offsets() == list(range(10))
    assert world.kafka.mark() == Mark(10)


@pytest.mark.parametrize("commit", ["lease", "plain"])
def test_a_commit_of_which_nobody_knows_whether_it_was_taken_ends_this_membership(world: World, commit: str) -> None:
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


@pytest.fixture
def died(world: World) -> Instance:
    """An instance that died when it had stored ten rows and not committed them."""
    world.send(10)
    earlier = world.reading_instance(max_rows=10)
    earlier.hand_over()
    earlier.thread.run()
    earlier.source.close(1.0)
    return earlier


def test_rows_that_an_earlier_life_stored_are_left_out(world: World, died: Instance) -> None:
    world.send(5)

    later = world.reading_instance()
    later.settle()

    assert world.table.offsets() == list(range(15))
    assert world.kafka.mark() == Mark(15)
    assert later.metric("rows_already_stored_total") == 10
    assert later.metric("rows_inserted_total") == 5


def test_holes_that_an_earlier_life_left_are_filled(world: World, died: Instance) -> None:
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
        world.clock.turn(0.1)

    assert world.clock.now > died_at + DEADLINE_SECS + MARGIN_SECS


def test_an_insert_of_an_earlier_life_that_lands_late_does_not_double_its_rows(world: World) -> None:
    world.send(10)
    earlier = world.reading_instance(max_rows=10)
    world.table.next_insert(UNKNOWN, lands_later=True)
    earlier.go_on()
    earlier.source.close(1.0)
    later = world.reading_instance()
    world.clock.turn(DEADLINE_SECS - 0.5)
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

    assert world.kafka.mark() == Mark(0)


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
        world.clock.turn(1.0)
        instance.go_on()

    assert sorted(map(len, started)) == [len(numbers) for numbers in started]
    assert [numbers for n, numbers in enumerate(started) if numbers not in started[:n]] == [{1}, {1, 2}, {0, 1, 2}]


def test_partitions_without_a_lease_are_not_kept_waiting_by_those_whose_offset_others_have_set() -> None:
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
    assert world.kafka.mark() == Mark(10)
    assert instance.metric("rows_already_stored_total") == 7


# When Kafka gives other records at the same offsets.


@pytest.fixture
def replaced(world: World, died: Instance) -> World:
    """Kafka has lost records that an earlier owner had stored and not committed, and given their offsets to others."""
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
        world.clock.turn(1.0)
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


# Recovery.


def test_the_table_is_asked_until_it_answers_before_anything_is_read(world: World) -> None:
    world.send(10)
    for _ in range(3):
        world.table.next_look(DOWN)
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

    instance.thread.run()  # the answer to a question that is out of date
    instance.step()

    assert instance.source.positions() == {}
    instance.settle()
    assert world.table.offsets() == list(range(10))


def test_recovery_that_waits_for_clickhouse_is_abandoned_by_a_rebalance(world: World) -> None:
    world.send(10)
    world.table.next_look(DOWN)
    instance = world.instance()
    instance.go_on()  # it pauses before it asks again
    looks = world.table.look_count
    world.kafka.rebalance()

    instance.go_on()

    assert instance.source.started == {P0}, "asked anew at once"
    assert world.table.look_count == looks + 1
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


def test_what_recovery_did_not_foresee_reaches_the_caller(world: World) -> None:
    instance = world.instance()
    world.table.next_look(ZeroDivisionError("a mistake of ours"))

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
    instance.hand_over()
    world.send(5)
    instance.step()

    assert instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.table.offsets() == list(range(15))
    assert world.kafka.mark() == Mark(15)


def test_draining_with_nothing_in_hand_is_done_at_once(world: World) -> None:
    instance = world.reading_instance()
    now = world.clock.now

    assert instance.ingest.drain(deadline=now + 5)

    assert world.clock.now == now


def test_draining_ends_at_its_deadline_and_commits_only_what_was_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(20)
    instance.hand_over()
    instance.step()
    instance.thread.run()  # stored, and nobody knows yet
    instance.thread.runs_when_waited_for = False
    deadline = world.clock.now + 5

    assert not instance.ingest.drain(deadline)

    assert world.clock.now == deadline
    assert world.kafka.committed() == 10


def test_draining_does_not_release_the_lease_of_an_insert_that_may_be_on_its_way(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.thread.runs_when_waited_for = False

    instance.ingest.drain(world.clock.now + 5)

    assert world.kafka.mark() == Mark(0, instance.leases[0])


def test_draining_does_not_release_the_lease_of_an_insert_whose_end_was_not_seen(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(UNKNOWN, lands_later=True)
    world.send(10)
    instance.go_on()

    instance.ingest.drain(world.clock.now + 5)

    assert world.kafka.mark() == Mark(0, instance.leases[0])


def test_draining_releases_the_lease_of_an_insert_that_has_failed(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.go_on()

    instance.ingest.drain(world.clock.now)

    assert world.kafka.mark() == Mark(0)


def test_what_was_not_drained_is_not_tried_again_in_the_background(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.hand_over()
    instance.thread.runs_when_waited_for = False
    instance.ingest.drain(world.clock.now + 5)

    instance.thread.run()

    assert world.table.offsets() == []
    assert not instance.thread.is_busy


@pytest.mark.parametrize("error", [NO_COORDINATOR, MustRejoin("no answer")])
def test_draining_says_so_when_the_commit_failed(world: World, error: Exception) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.commit_error = error

    assert not instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 0


def test_draining_says_so_when_the_partitions_were_changing_hands(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(10)
    instance.step()
    world.kafka.rebalance()

    assert not instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.kafka.committed() == 0
    assert world.table.tokens == []


def test_an_abandoned_instance_stores_nothing_more(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.hand_over()

    assert instance.ingest.abandon(timeout_secs=1)

    assert not instance.thread.is_busy
    assert world.table.offsets() == []


def test_an_abandoned_instance_is_waited_for_until_its_insert_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.thread.runs_when_waited_for = False

    assert not instance.ingest.abandon(timeout_secs=1)

    instance.thread.run()
    assert instance.ingest.abandon(timeout_secs=1)
