"""Log, metrics and health report the same event."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from app.domain.group import GroupStanding
from app.domain.records import Partition, RecordChunk
from app.errors import TableMissing, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.preflight.guarantee import Guarantee
from app.telemetry.ingest import IngestTelemetry
from app.telemetry.partitions import NONE_ASSIGNED
from app.telemetry.reports import RateLimit
from tests.fakes import Clock

ONE, TWO = Partition("logs", 1), Partition("logs", 2)
NOW = 1_700_000_000.0


@dataclass
class World:
    """Telemetry with log, metrics and health."""

    clock: Clock = field(default_factory=Clock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.health = Health(self.clock, has_loop=True)
        metrics = Metrics(self.registry, version="1")
        self.telemetry = IngestTelemetry(metrics, self.health, clock=self.clock, wall_clock=lambda: NOW)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"log_ingest_{name}", labels)


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> World:
    caplog.set_level(logging.INFO, "app")
    return World()


def rows_aged(ages_secs: Sequence[float]) -> pa.RecordBatch:
    return pa.record_batch({"record_time_ms": pa.array([round((NOW - age) * 1000) for age in ages_secs], pa.int64())})


def failure(reason: str = "cannot insert: timed out", code: str = "159") -> TryAgainLater:
    return TryAgainLater(reason, code=code)


# Reading


def test_a_chunk_counts_records_bytes_and_problems(world: World) -> None:
    chunk = RecordChunk(ONE, "id", [5, 6, 9], [0, 0, 0], [b"abc", None, b""], [(), (), ()], 10)

    world.telemetry.consumed(chunk, {"tombstone": 1, "empty": 1})
    world.telemetry.consumed(chunk, {"empty": 2})

    assert world.value("messages_consumed_total", topic="logs", partition="1") == 6
    assert world.value("bytes_consumed_total") == 6
    assert world.value("parse_errors_total", reason="empty") == 3
    assert world.value("parse_errors_total", reason="tombstone") == 1


def test_masked_secrets_are_counted_by_rule(world: World) -> None:
    world.telemetry.masked({"cards": 2, "emails": 1})
    world.telemetry.masked({"cards": 1})

    assert world.value("masked_total", rule="cards") == 3
    assert world.value("masked_total", rule="emails") == 1


def test_a_turn_of_the_loop_is_a_sign_of_life(world: World) -> None:
    world.telemetry.turned(buffer_rows=3, buffer_bytes=300, is_paused=True)

    assert (world.value("buffer_rows"), world.value("buffer_bytes"), world.value("paused")) == (3, 300, 1)
    world.telemetry.turned(buffer_rows=0, buffer_bytes=0, is_paused=False)
    assert world.value("paused") == 0


def test_revoked_partitions_are_no_longer_reported(world: World) -> None:
    world.telemetry.assigned({ONE: 10, TWO: 20})
    world.telemetry.lag({ONE: 1, TWO: 2})

    world.telemetry.assigned({TWO: 25})

    assert world.value("rebalances_total") == 2
    assert world.value("assigned_partitions") == 1
    assert world.value("committed_offset", topic="logs", partition="1") is None
    assert world.value("consumer_lag", topic="logs", partition="1") is None
    assert world.value("committed_offset", topic="logs", partition="2") == 25
    assert world.health.details()["committed_offsets"] == {"logs/2": 25}


def test_lag_is_reported_by_partition_and_as_a_sum(world: World) -> None:
    world.telemetry.assigned({ONE: 10, TWO: 10})
    world.telemetry.lag({ONE: 3, TWO: 4})

    assert world.value("consumer_lag", topic="logs", partition="2") == 4
    assert world.health.details()["consumer_lag"] == 7


def test_a_lag_that_is_not_known_is_neither_0_nor_the_last_one(world: World) -> None:
    assert world.health.details()["consumer_lag"] is None

    world.telemetry.assigned({ONE: 10, TWO: 20})
    assert world.health.details()["consumer_lag"] is None
    world.telemetry.lag({ONE: 3})
    assert world.health.details()["consumer_lag"] is None, "that of one is known, that of the other is not"
    assert world.value("consumer_lag", topic="logs", partition="2") is None
    world.telemetry.lag({ONE: 3, TWO: 4})
    assert world.health.details()["consumer_lag"] == 7
    world.clock.advance(14)
    turn(world)
    assert world.health.details()["consumer_lag"] == 7
    world.clock.advance(2)
    turn(world)

    assert world.health.details()["consumer_lag"] is None
    assert world.value("consumer_lag", topic="logs", partition="1") is None


def test_the_time_of_the_last_record_of_each_chunk_is_passed_on() -> None:
    dated: list[tuple[str, int]] = []
    telemetry = IngestTelemetry(
        Metrics(CollectorRegistry(), version="1"), Health(), on_dated=lambda *told: dated.append(told)
    )

    telemetry.consumed(RecordChunk(ONE, "id", [5, 6], [100, 200], [b"", b""], [(), ()], 7), {})

    assert dated == [("logs", 200)]


def test_topics_that_are_not_read_are_counted_and_warned_of_until_they_are(world: World) -> None:
    world.telemetry.unread({"billing": "does not exist", "app-1": "may not be read"})

    assert world.value("unread_topics") == 2
    assert world.health.warnings() == {"topic app-1": "may not be read", "topic billing": "does not exist"}
    assert "billing" not in str(world.health.problems())

    world.telemetry.unread({"app-1": "may not be read"})

    assert world.value("unread_topics") == 1
    assert world.health.warnings() == {"topic app-1": "may not be read"}


def turn(world: World) -> None:
    world.telemetry.turned(buffer_rows=0, buffer_bytes=0, is_paused=False)


# Readiness and reasons


def test_an_instance_is_ready_when_it_has_partitions(world: World) -> None:
    assert world.health.problems() == {"partitions": NONE_ASSIGNED}

    world.telemetry.assigned({})
    assert world.health.problems() == {"partitions": NONE_ASSIGNED}
    world.telemetry.assigned({TWO: 3, ONE: 5})

    assert world.health.problems() == {}
    assert world.health.details()["assignment"] == "logs/1, logs/2"


def test_a_standby_is_ready_as_long_as_the_group_confirms_it(world: World) -> None:
    world.telemetry.assigned({})

    world.telemetry.unassigned(GroupStanding(5, 4, is_stable=True))

    assert world.health.problems() == {}
    assert world.health.details()["assignment"] == "standby: the group has 5 members and 4 partitions"
    assert world.health.details()["consumer_lag"] is None
    world.clock.advance(31)
    assert world.health.problems().keys() == {"partitions", "kafka"}


def test_without_partitions_and_not_as_a_standby_an_instance_is_not_ready(world: World) -> None:
    world.telemetry.assigned({})

    world.telemetry.unassigned(GroupStanding(1, 4, is_stable=True))

    assert world.health.problems() == {"partitions": f"{NONE_ASSIGNED}: the group has 1 member and 4 partitions"}
    assert world.health.details()["assignment"] == "none"


def test_an_idle_topic_is_not_unready(world: World) -> None:
    world.telemetry.assigned({ONE: 10})

    for _ in range(1000):
        world.telemetry.lag({ONE: 0})
        world.telemetry.kafka_answered()
        world.clock.advance(5)

    assert world.health.problems() == {}


def test_an_unresponsive_kafka_is_a_problem_after_a_while(world: World) -> None:
    world.telemetry.assigned({ONE: 10})
    world.telemetry.lag({ONE: 0})
    world.telemetry.kafka_answered()

    for _ in range(30):
        turn(world)
        assert world.health.problems() == {}
        world.clock.advance(1)

    assert world.health.problems() == {"kafka": "has not answered for 30 s"}


def test_records_that_wait_while_none_is_stored_are_a_problem_after_a_while(world: World) -> None:
    world.telemetry.assigned({ONE: 10})
    world.telemetry.lag({ONE: 0})
    for _ in range(12):
        assert world.health.problems() == {}
        world.telemetry.lag({ONE: 7})
        world.clock.advance(5)
    world.telemetry.lag({ONE: 7})

    assert world.health.problems() == {"storing": "records wait in Kafka, and nothing was stored for 60 s"}
    world.telemetry.inserted(rows_aged([1.0]), 0.1)
    assert world.health.problems() == {}
    world.clock.advance(60)
    assert world.health.problems().keys() == {"storing"}
    world.telemetry.lag({ONE: 0})
    assert world.health.problems() == {}


@pytest.mark.parametrize("store", [lambda t: t.inserted(rows_aged([1.0]), 0.1), lambda t: t.already_stored(1)])
def test_a_backlog_that_is_worked_off_is_no_problem(world: World, store: Callable[[IngestTelemetry], None]) -> None:
    world.telemetry.assigned({ONE: 10})

    for _ in range(100):
        world.telemetry.lag({ONE: 1000})
        store(world.telemetry)
        world.clock.advance(50)

    assert world.health.problems() == {}


def test_partitions_that_are_not_taken_over_for_long_are_a_problem(world: World) -> None:
    world.telemetry.assigned({ONE: 10})

    for _ in range(13):
        world.telemetry.lag({})
        world.clock.advance(5)

    assert world.health.problems().keys() == {"storing"}


def test_a_halted_partition_does_not_count_as_records_that_wait(world: World) -> None:
    world.telemetry.assigned({ONE: 10, TWO: 10})
    world.telemetry.halted(ONE, "refused")

    for _ in range(20):
        world.telemetry.lag({ONE: 7, TWO: 0})
        world.clock.advance(5)

    assert world.health.problems().keys() == {"partition logs/1"}


# Between two pipelines


def test_nothing_of_a_closed_pipeline_is_reported(world: World) -> None:
    world.telemetry.assigned({ONE: 10, TWO: 20})
    world.telemetry.lag({ONE: 3, TWO: 4})
    world.telemetry.halted(ONE, "refused")
    world.telemetry.disk(0.01, is_full=True)
    world.telemetry.kafka_failed(failure())
    world.telemetry.turned(buffer_rows=3, buffer_bytes=300, is_paused=True)

    world.telemetry.closed()

    for name in ("assigned_partitions", "halted_partitions", "buffer_rows", "buffer_bytes", "paused"):
        assert world.value(name) == 0, name
    for name in ("clickhouse_disk_full", "clickhouse_disk_free_ratio"):
        assert world.value(name) == 0, name
    for partition in ("1", "2"):
        assert world.value("consumer_lag", topic="logs", partition=partition) is None
        assert world.value("committed_offset", topic="logs", partition=partition) is None
    assert world.telemetry.partitions == frozenset()
    assert world.health.problems() == {"partitions": NONE_ASSIGNED}
    figures = world.health.details()
    assert (figures["assignment"], figures["consumer_lag"], figures["committed_offsets"]) == ("none", None, {})


def test_records_that_kafka_deleted_unread_are_an_error(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.telemetry.lost_to_retention(ONE, 100, 150)

    assert world.value("lost_to_retention_total", topic="logs", partition="1") == 50
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "offsets 100 to 149 of logs/1" in record.getMessage()


# Halted partitions


def test_a_halted_partition_counts_once_however_often_it_is_reported(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for reason in ("refused: 6", "refused: 6", "refused: 53"):
        world.telemetry.halted(ONE, reason)

    assert world.value("halted_partitions") == 1
    assert world.health.problems()["partition logs/1"] == "halted: refused: 53"
    assert [record.getMessage() for record in caplog.records] == [
        "Partition logs/1 is halted: refused: 6",
        "Partition logs/1 is halted: refused: 53",
    ]
    world.telemetry.halted(TWO, "refused: 6")
    assert world.value("halted_partitions") == 2


def test_a_halted_partition_that_is_read_anew_is_well_again(world: World) -> None:
    world.telemetry.halted(ONE, "refused")
    world.telemetry.halted(TWO, "truncated")

    world.telemetry.assigned({ONE: 10})

    assert world.value("halted_partitions") == 1
    assert "partition logs/1" not in world.health.problems()
    assert "partition logs/2" in world.health.problems()


def test_a_halted_partition_that_another_instance_has_taken_is_no_longer_reported(world: World) -> None:
    world.telemetry.assigned({ONE: 10, TWO: 20})
    world.telemetry.halted(ONE, "refused")
    turn(world)

    world.telemetry.assigned({TWO: 20})

    assert world.value("halted_partitions") == 0
    assert world.health.problems() == {}


def test_a_partition_that_is_halted_as_it_is_assigned_stays_halted(world: World) -> None:
    """The source reports it right before the assignment, and leaves it out of it."""
    world.telemetry.assigned({ONE: 10, TWO: 20})
    turn(world)

    world.telemetry.halted(ONE, "truncated")
    world.telemetry.assigned({TWO: 20})
    turn(world)

    assert world.value("halted_partitions") == 1
    assert world.health.problems() == {"partition logs/1": "halted: truncated"}


# A table that is gone


def test_a_table_is_reported_missing_after_some_attempts(world: World) -> None:
    error = TableMissing("no such table", code="60")

    world.telemetry.retrying(error, 4)
    assert world.telemetry.missing_table is None
    world.telemetry.retrying(failure(), 5)
    assert world.telemetry.missing_table is None
    world.telemetry.retrying(error, 6)
    assert world.telemetry.missing_table is error


def test_a_recovered_table_is_not_missing(world: World) -> None:
    for come_back in (world.telemetry.answered, world.telemetry.closed):
        world.telemetry.retrying(TableMissing("no such table", code="60"), 5)

        come_back()

        assert world.telemetry.missing_table is None


# Storing


def test_an_insert_is_counted(world: World) -> None:
    world.telemetry.inserted(rows_aged([0.2, 0.2]), 0.3)

    assert world.value("rows_inserted_total") == 2
    assert world.value("inserts_total", result="stored") == 1
    assert world.value("batch_rows_sum") == 2
    assert world.value("batch_bytes_sum") == 16
    assert world.value("insert_duration_seconds_sum") == 0.3
    assert world.value("last_insert_timestamp_seconds") == NOW


def test_an_insert_that_failed_is_not_counted_as_stored(world: World) -> None:
    world.telemetry.failed("refused")
    world.telemetry.already_stored(5)

    assert world.value("inserts_total", result="refused") == 1
    assert world.value("inserts_total", result="stored") is None
    assert world.value("rows_already_stored_total") == 5
    assert world.value("rows_inserted_total") == 0


def test_an_insert_of_unknown_outcome_is_counted_and_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.telemetry.waiting_out(12.96)
    world.telemetry.waiting_out(-0.5)

    assert world.value("unknown_outcomes_total") == 2
    assert messages(caplog) == [
        "The outcome of an insert is unknown; checking the table in 13.0 s",
        "The outcome of an insert is unknown; checking the table in 0.0 s",
    ]


LATENCY = "end_to_end_latency_seconds"


def test_latency_falls_into_the_right_buckets(world: World) -> None:
    world.telemetry.inserted(rows_aged([0.02, 0.05, 0.06, 4.0, 5000, 10**6]), 0.1)

    at_most = {bound: world.value(f"{LATENCY}_bucket", le=bound) for bound in ("0.05", "0.1", "3.0", "5.0", "3600.0")}
    assert at_most == {"0.05": 2, "0.1": 3, "3.0": 3, "5.0": 4, "3600.0": 4}
    assert world.value(f"{LATENCY}_bucket", le="+Inf") == 6
    assert world.value(f"{LATENCY}_sum") == pytest.approx(0.02 + 0.05 + 0.06 + 4 + 5000 + 10**6)


def test_a_record_from_the_future_took_no_time(world: World) -> None:
    world.telemetry.inserted(rows_aged([-30.0]), 0.1)

    assert world.value(f"{LATENCY}_bucket", le="0.05") == 1
    assert world.value(f"{LATENCY}_sum") == 0


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-10, 5000), min_size=1, max_size=20), min_size=1, max_size=4))
def test_the_latency_histogram_adds_up(batches: list[list[int]]) -> None:
    world = World()

    for ages in batches:
        world.telemetry.inserted(rows_aged(ages), 0.1)

    ages = [max(age, 0) for batch in batches for age in batch]
    assert world.value(f"{LATENCY}_count") == len(ages) == world.value("rows_inserted_total")
    assert world.value(f"{LATENCY}_sum") == pytest.approx(sum(ages))
    for bound in (0.05, 1.0, 2.0, 30.0, 3600.0):
        assert world.value(f"{LATENCY}_bucket", le=str(bound)) == sum(age <= bound for age in ages)


# Repeats


def test_a_limit_lets_one_through_per_period() -> None:
    clock = Clock()
    limit = RateLimit(10, clock)

    passed = []
    for _ in range(25):
        passed.append(limit.lets_through())
        clock.advance(1)

    assert [number for number, has_passed in enumerate(passed) if has_passed] == [0, 10, 20]


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_inserts_are_logged_together_and_none_is_left_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(21):
        world.telemetry.inserted(rows_aged([0, 0]), 0.25)
        world.clock.advance(1)

    assert messages(caplog) == [
        "Stored 2 rows in 1 batches, slowest 250 ms",
        "Stored 20 rows in 10 batches, slowest 250 ms",
        "Stored 20 rows in 10 batches, slowest 250 ms",
    ]


@pytest.mark.parametrize("side", ["kafka", "clickhouse"])
def test_a_repeated_failure_is_logged_at_intervals(world: World, caplog: pytest.LogCaptureFixture, side: str) -> None:
    for attempt in range(1, 201):
        fail(world, side, f"cannot insert: attempt {attempt}")
        world.clock.advance(0.1)

    assert len(caplog.records) == 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert world.value("retries_total", side=side, code="159") == 200
    assert world.health.problems()[side] == "cannot insert: attempt 200"


@pytest.mark.parametrize("side", ["kafka", "clickhouse"])
def test_a_flapping_system_does_not_flood_the_log(world: World, caplog: pytest.LogCaptureFixture, side: str) -> None:
    for _ in range(100):
        fail(world, side)
        answer(world, side)
        world.clock.advance(0.1)

    assert len(caplog.records) == 2
    assert side not in world.health.problems()


def test_failures_of_one_system_do_not_hide_those_of_the_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.telemetry.kafka_failed(failure("cannot poll"))
    world.telemetry.retrying(failure("cannot insert"), 1)

    assert [message.partition(";")[0] for message in messages(caplog)] == [
        "Kafka: cannot poll",
        "ClickHouse: cannot insert",
    ]


@pytest.mark.parametrize(("side", "name"), [("kafka", "Kafka"), ("clickhouse", "ClickHouse")])
def test_a_recovery_is_logged_once(world: World, caplog: pytest.LogCaptureFixture, side: str, name: str) -> None:
    fail(world, side)
    caplog.clear()

    for _ in range(3):
        answer(world, side)

    assert messages(caplog) == [f"{name} has recovered"]


def fail(world: World, side: str, reason: str = "cannot insert: timed out") -> None:
    if side == "kafka":
        world.telemetry.kafka_failed(failure(reason))
    else:
        world.telemetry.retrying(failure(reason), 1)


def answer(world: World, side: str) -> None:
    if side == "kafka":
        world.telemetry.kafka_answered()
    else:
        world.telemetry.answered()


# ClickHouse's disk, and the guarantee.


def test_a_full_disk_is_logged_once_as_an_error_and_makes_the_service_not_ready(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        world.telemetry.disk(0.031, is_full=True)

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "3.1 % free" in caplog.text
    assert "nearly full" in world.health.problems()["clickhouse disk"]
    assert (world.value("clickhouse_disk_full"), world.value("clickhouse_disk_free_ratio")) == (1, 0.031)


def test_space_on_a_disk_that_was_full_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.telemetry.disk(0.01, is_full=True)
    caplog.clear()

    world.telemetry.disk(0.2, is_full=False)

    assert messages(caplog) == ["ClickHouse's disk has free space again"]
    assert "clickhouse disk" not in world.health.problems()
    assert world.value("clickhouse_disk_full") == 0


def test_migrations_at_the_start_are_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.telemetry.migrated("0001_add_a")
    world.telemetry.table_is_newer(3, 1)

    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "migration 0001_add_a" in caplog.text
    assert "the table has schema 3, this version of the service has 1" in caplog.text


def test_the_guarantee_in_force_is_shown(world: World) -> None:
    world.telemetry.guaranteed(Guarantee(()))

    assert world.value("exactly_once") == 1
    assert world.health.details()["guarantee"] == "exactly once"


def test_doubts_about_the_guarantee_are_shown_and_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.telemetry.guaranteed(Guarantee(("deadline: constraint on_time is missing",)))

    assert world.value("exactly_once") == 0
    assert world.health.details()["doubts"] == ["deadline: constraint on_time is missing"]
    assert "constraint on_time is missing" in caplog.text
