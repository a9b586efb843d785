"""The lifecycle of the service: connecting, running, stopping in time, and restarting the pipeline."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

import pytest
from prometheus_client import CollectorRegistry

from app.build.ingest import NOT_CONNECTED
from app.domain.event_time import EventTimeBounds
from app.errors import MustRejoin, Refused, TableMissing, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.pipeline.backoff import Backoff
from app.pipeline.decode import decode
from app.pipeline.delivery import CompletedTokens, Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.pipeline.task import Submit
from app.service import STOP_SECS, Pipeline, Service, Side, submit_to_thread
from app.settings import BatchSettings
from app.telemetry.ingest import IngestTelemetry
from app.telemetry.partitions import NONE_ASSIGNED
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread

_Result = TypeVar("_Result")

AWAY = TryAgainLater("nobody answers", code="unreachable")
DEADLINE_SECS = 20.0
INSERT_SECS = 10.0
NO_WAIT = Backoff(first_secs=0.0, max_secs=0.0)


class WatchedHealth(Health):
    """Notifies the test of each iteration of the loop, also while it waits for a system."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, problems=NOT_CONNECTED, has_loop=True)
        self.on_turned: Callable[[], None] = lambda: None

    def turned(self) -> None:
        super().turned()
        self.on_turned()


class Rig:
    """A service between an in-memory Kafka and table. Each iteration of its loop takes `turn_secs`, initially none."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.turn_secs = 0.0
        self.ended = CompletedTokens()
        self.kafka = MemoryKafka()
        self.table = MemoryTable(self.clock)
        self.health = WatchedHealth(self.clock)
        self.problems: list[Mapping[str, str]] = []
        self.prepare_kafka: Callable[[], bool] = lambda: False
        self.prepare_clickhouse: Callable[[], bool] = lambda: False
        self.connect: Callable[[], bool] = lambda: True
        self.submit: Submit = SubmitAtOnce()
        self.backoff = NO_WAIT
        self.sources: list[MemorySource] = []
        self.on_first_open: Callable[[MemorySource], None] = lambda _: None
        self.after_turn: Callable[[], None] = lambda: None
        self.registry = CollectorRegistry()
        self.telemetry = IngestTelemetry(
            Metrics(self.registry, version="test"),
            self.health,
            clock=self.clock,
            wall_clock=lambda: 1_700_000_001.0,
        )
        sides = [
            Side("Kafka", "topic logs", "kafka:9092", 3, lambda: self.prepare_kafka()),
            Side("ClickHouse", "table logs.logs", "http://clickhouse:8123", 3, lambda: self.prepare_clickhouse()),
        ]
        self.service = Service(
            sides,
            self._open_pipeline,
            self.health,
            self.telemetry,
            backoff=NO_WAIT,
            clock=self.clock,
        )

    def _open_pipeline(self) -> Pipeline:
        self.connect()
        source = MemorySource(self.kafka)
        self.sources.append(source)
        if len(self.sources) == 1:
            self.on_first_open(source)
        progress = Progress(source, self.telemetry.committed)
        ingest = Ingest(
            source,
            Delivery(
                self.table,
                progress,
                self.telemetry,
                clock=self.clock,
                backoff=self.backoff,
                deadline_secs=INSERT_SECS,
                completed=self.ended,
            ),
            progress,
            self.telemetry,
            decode=partial(decode, bounds=EventTimeBounds.of_retention(30)),
            limits=BatchSettings(max_rows=10),
            clock=self.clock,
            submit=self.submit,
            sleep=self.clock.advance,
        )
        return Pipeline(source, ingest, self._watch)

    def _watch(self) -> None:
        self.problems.append(self.health.problems())
        self.after_turn()

    def send(self, count: int) -> None:
        self.kafka.send(*(b"line %d" % n for n in range(count)))

    def consumed(self) -> float | None:
        return self.registry.get_sample_value("log_ingest_messages_consumed_total", {"topic": "logs", "partition": "0"})

    def retries(self, side: str, code: str) -> float | None:
        return self.registry.get_sample_value("log_ingest_retries_total", {"side": side, "code": code})

    def gauges(self) -> dict[str, float]:
        """The gauges of the loop and of its partitions."""
        names = ("assigned_partitions", "buffer_rows", "buffer_bytes", "paused", "halted_partitions")
        of_partitions = ("consumer_lag", "committed_offset")
        return {
            sample.name.removeprefix("log_ingest_"): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name.removeprefix("log_ingest_") in (*names, *of_partitions)
        }

    def run_until(self, is_time: Callable[[], bool]) -> None:
        """Run the service until a condition holds after an iteration of the loop."""

        deadline = time.monotonic() + DEADLINE_SECS

        def turned() -> None:
            self.clock.advance(self.turn_secs)
            if is_time() or time.monotonic() > deadline:
                self.service.stop()

        self.health.on_turned = turned
        self.service.run()

    def run_until_committed(self, offset: int) -> None:
        self.run_until(lambda: self.kafka.committed() == offset)


class SubmitAtOnce:
    """Runs calls synchronously."""

    def __call__(self, call: Callable[[], _Result], /) -> "Future[_Result]":
        future: Future[_Result] = Future()
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)
        return future


class AnswersButHangsStoring:
    """Queries of the table return at once; inserts, which have a lease, hang."""

    def __init__(self, rig: Rig) -> None:
        self.thread = OtherThread(rig.clock)
        self.thread.runs_when_waited_for = False
        self._rig = rig

    def __call__(self, call: Callable[[], _Result], /) -> "Future[_Result]":
        checkpoint = self._rig.kafka.checkpoint()
        submit: Submit = self.thread.submit if checkpoint and checkpoint.lease else SubmitAtOnce()
        return submit(call)


class Failing:
    """A call that fails a number of times, then succeeds."""

    def __init__(self, times: int, error: Exception = AWAY, *, then: bool = False) -> None:
        self._left = times
        self._error = error
        self._then = then
        self.calls = 0
        self.before_each: Callable[[], None] = lambda: None

    def __call__(self) -> bool:
        self.calls += 1
        self.before_each()
        if self._left:
            self._left -= 1
            raise self._error
        return self._then


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="app"):
        yield caplog


# Connecting.


def test_created_and_existing_resources_are_logged(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    rig.prepare_kafka = Failing(0, then=True)
    rig.send(10)

    rig.run_until_committed(10)

    assert "Kafka at kafka:9092: topic logs created" in log.messages
    assert "ClickHouse at http://clickhouse:8123: table logs.logs already exists" in log.messages


def test_attempts_are_logged_with_their_number(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    rig.prepare_kafka = Failing(2)
    rig.send(10)

    rig.run_until_committed(10)

    assert [message for message in log.messages if "attempt" in message] == [
        "Kafka at kafka:9092: attempt 1/3 failed: nobody answers",
        "Kafka at kafka:9092: attempt 2/3 failed: nobody answers",
    ]


def test_an_unavailable_system_is_retried_forever_and_logged_at_intervals(
    rig: Rig, log: pytest.LogCaptureFixture
) -> None:
    away = Failing(10)
    rig.prepare_clickhouse = away
    rig.send(10)

    rig.run_until_committed(10)

    assert away.calls == 11
    errors = [record.getMessage() for record in log.records if record.levelno == logging.ERROR]
    assert len(errors) == 3  # after the attempts 4, 7 and 10
    assert re.fullmatch(r"ClickHouse .* is unavailable after 4 attempts; still trying: nobody answers", errors[0])


def test_while_a_system_is_unavailable_the_service_is_alive_and_reports_why_it_is_not_ready(rig: Rig) -> None:
    seen: list[tuple[bool, Mapping[str, str]]] = []

    def look() -> None:
        rig.clock.advance(50)
        seen.append((rig.health.is_live(), rig.health.problems()))

    away = Failing(5)
    away.before_each = look
    rig.prepare_clickhouse = away
    rig.send(10)

    rig.run_until_committed(10)

    assert [is_live for is_live, _ in seen] == [True] * 6
    assert seen[0][1] == {"clickhouse": "not connected yet", "partitions": NONE_ASSIGNED}
    assert seen[5][1] == {"clickhouse": "nobody answers", "partitions": NONE_ASSIGNED}


def test_attempts_to_connect_are_counted_as_retries(rig: Rig) -> None:
    rig.prepare_kafka = Failing(2)
    rig.prepare_clickhouse = Failing(1, TryAgainLater("no such database", code="81"))
    rig.connect = Failing(3)
    rig.send(10)

    rig.run_until_committed(10)

    assert rig.retries("kafka", "unreachable") == 5
    assert rig.retries("clickhouse", "81") == 1


def test_a_service_that_runs_has_no_problems(rig: Rig) -> None:
    rig.prepare_kafka = Failing(3)
    rig.prepare_clickhouse = Failing(3)
    rig.send(10)

    rig.run_until_committed(10)

    assert rig.problems[-1] == {}


def test_a_source_that_cannot_connect_is_tried_again(rig: Rig) -> None:
    connect = Failing(3)
    rig.connect = connect
    rig.send(10)

    rig.run_until_committed(10)

    assert connect.calls == 4
    assert rig.table.offsets() == list(range(10))


def test_a_stop_during_the_start_ends_it(rig: Rig) -> None:
    away = Failing(1_000_000)
    rig.prepare_kafka = away

    rig.run_until(lambda: away.calls == 5)

    assert away.calls == 6
    assert rig.sources == []


def test_a_stop_before_the_start_ends_it_too(rig: Rig) -> None:
    rig.service.stop()

    rig.service.run()

    assert rig.sources == []


# Stopping.


def test_a_stop_stores_and_commits_gathered_rows_and_leaves_the_group(rig: Rig) -> None:
    rig.send(5)  # not enough for a batch

    rig.run_until(lambda: rig.consumed() == 5)

    assert rig.table.offsets() == list(range(5))
    assert rig.kafka.committed() == 5
    assert rig.sources[0].is_closed


def test_a_stop_ends_in_time_also_when_an_insert_hangs(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    submit = AnswersButHangsStoring(rig)
    rig.submit = submit
    rig.send(10)
    started_at = rig.clock.now

    rig.run_until(lambda: submit.thread.is_busy)

    assert rig.clock.now - started_at <= STOP_SECS
    assert rig.kafka.committed() == 0
    assert rig.sources[0].is_closed
    assert "Stopped: records that are not committed will be read again" in log.messages


def test_the_lease_of_an_insert_that_hangs_outlives_the_service(rig: Rig) -> None:
    submit = AnswersButHangsStoring(rig)
    rig.submit = submit
    rig.send(10)

    rig.run_until(lambda: submit.thread.is_busy)

    checkpoint = rig.kafka.checkpoint()
    assert checkpoint is not None
    assert checkpoint.lease is not None
    assert checkpoint.lease.end == 10


# Rejoining the group.


NO_ANSWER = MustRejoin("no answer to a commit")


def fail_the_first_poll(rig: Rig) -> None:
    rig.on_first_open = lambda source: source.next_poll(NO_ANSWER)


def fail_the_first_lease(rig: Rig) -> None:
    rig.on_first_open = lambda source: source.next_commit(NO_ANSWER)


def fail_the_commit_after_the_first_insert(rig: Rig) -> None:
    def fail() -> None:
        rig.table.meanwhile = lambda: None
        rig.sources[0].next_commit(NO_ANSWER)

    rig.table.meanwhile = fail


@pytest.mark.parametrize(
    "make_fail", [fail_the_first_poll, fail_the_first_lease, fail_the_commit_after_the_first_insert]
)
def test_a_member_that_must_rejoin_leaves_and_joins_as_another_one(
    rig: Rig, log: pytest.LogCaptureFixture, make_fail: Callable[[Rig], None]
) -> None:
    make_fail(rig)
    rig.send(10)

    rig.run_until_committed(10)

    assert [source.is_closed for source in rig.sources] == [True, True]
    assert "Rejoining the group: no answer to a commit" in log.messages
    assert rig.table.offsets() == list(range(10))
    assert rig.kafka.committed() == 10, "at once: the clock stands still, and no lease could run out"
    assert rig.problems[-1] == {}
    assert not [record for record in log.records if record.exc_info], "it was foreseen"


def test_a_member_that_must_rejoin_reports_why_it_is_not_ready(rig: Rig) -> None:
    fail_the_first_lease(rig)
    seen: list[Mapping[str, str]] = []
    again = Failing(0)
    again.before_each = lambda: seen.append(rig.health.problems())
    rig.prepare_kafka = again
    rig.send(10)

    rig.run_until_committed(10)

    assert seen[1] == {"kafka": "no answer to a commit", "partitions": NONE_ASSIGNED}


# Unexpected errors.


def test_an_unexpected_error_restarts_the_pipeline_without_loss(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    rig.turn_secs = 0.5
    rig.send(10)
    rig.table.next_insert(ZeroDivisionError("a mistake of ours"))

    rig.run_until_committed(10)

    assert rig.table.offsets() == list(range(10))
    assert [source.is_closed for source in rig.sources] == [True, True]
    [crash] = [record for record in log.records if record.exc_info]
    assert "failed unexpectedly" in crash.getMessage()
    assert rig.problems[-1] == {}


def test_readiness_reports_an_unexpected_error(rig: Rig) -> None:
    seen: list[Mapping[str, str]] = []
    again = Failing(0)
    again.before_each = lambda: seen.append(rig.health.problems())
    rig.prepare_kafka = again
    rig.turn_secs = 0.5
    rig.send(10)
    rig.table.next_insert(ZeroDivisionError("a mistake of ours"))

    rig.run_until_committed(10)

    assert seen[1].keys() == {"pipeline", "partitions"}
    assert "failed unexpectedly" in seen[1]["pipeline"]


def test_a_restart_waits_for_the_insert_in_flight_and_does_not_repeat_it(rig: Rig) -> None:
    """The loop crashes while the other thread is storing: rows that it stores must be found, not stored again."""
    hangs, goes_on = threading.Event(), threading.Event()
    turns_after_crash: list[str] = []
    stored_at_start: list[int] = []

    def crash_the_loop_and_hang() -> None:
        rig.sources[0].next_poll(ZeroDivisionError("a mistake of ours"))
        hangs.set()
        goes_on.wait(DEADLINE_SECS)

    def watch_the_loop() -> bool:
        if hangs.is_set() and not rig.sources[0].faults_left:
            turns_after_crash.append("turned")
        if len(turns_after_crash) > 1:
            goes_on.set()
        return rig.kafka.committed() == 10

    again = Failing(0)
    again.before_each = lambda: stored_at_start.append(len(rig.table.offsets()))
    rig.prepare_kafka = again
    rig.table.meanwhile = crash_the_loop_and_hang
    rig.submit = submit_to_thread
    rig.send(10)

    rig.run_until(watch_the_loop)

    assert stored_at_start == [0, 10]
    assert rig.table.offsets() == list(range(10))
    assert rig.kafka.committed() == 10, "at once: the clock stands still, and no lease could run out"


# Gauges while there is no pipeline.


@pytest.mark.parametrize("error", [NO_ANSWER, ZeroDivisionError("a mistake of ours")])
def test_between_two_pipelines_no_gauge_keeps_its_last_value(rig: Rig, error: Exception) -> None:
    before: list[dict[str, float]] = []
    after: list[dict[str, float]] = []

    def fail_when_there_is_a_lag() -> None:
        if len(rig.sources) == 1 and "consumer_lag" in rig.gauges():
            before.append(rig.gauges())
            rig.sources[0].next_poll(error)

    again = Failing(0)
    again.before_each = lambda: after.append(rig.gauges())
    rig.prepare_kafka = again
    rig.after_turn = fail_when_there_is_a_lag
    rig.turn_secs = 0.9
    rig.send(15)  # a batch, and rows that wait for theirs

    rig.run_until(lambda: len(after) == 2 and rig.kafka.committed() == 15)

    nothing = {"assigned_partitions": 0, "buffer_rows": 0, "buffer_bytes": 0, "paused": 0, "halted_partitions": 0}
    assert before[0].keys() == {*nothing, "consumer_lag", "committed_offset"}
    assert after == [nothing, nothing]


def test_a_service_that_has_stopped_is_not_ready(rig: Rig) -> None:
    rig.send(10)

    rig.run_until_committed(10)

    assert rig.problems[-1] == {}
    assert rig.health.problems() == {"partitions": NONE_ASSIGNED}
    assert rig.health.details()["consumer_lag"] is None


# A table that is dropped.


def test_a_table_that_is_dropped_is_made_again(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    prepared = Failing(0)
    rig.prepare_clickhouse = prepared
    rig.turn_secs = 0.5
    rig.backoff = Backoff(first_secs=0.2, max_secs=0.2)
    for _ in range(5):
        rig.table.next_insert(TableMissing("no such table", code="60"))
    rig.send(10)

    rig.run_until_committed(10)

    assert prepared.calls == 2
    assert rig.table.offsets() == list(range(10))
    assert "Reopening the pipeline to create the table again: no such table" in log.messages
    assert not [record for record in log.records if record.exc_info], "it was foreseen"


def test_a_table_that_is_missing_briefly_is_not_created_again(rig: Rig) -> None:
    prepared = Failing(0)
    rig.prepare_clickhouse = prepared
    rig.turn_secs = 0.5
    rig.backoff = Backoff(first_secs=0.2, max_secs=0.2)
    for _ in range(4):
        rig.table.next_insert(TableMissing("no such table", code="60"))
    rig.send(10)

    rig.run_until_committed(10)

    assert prepared.calls == 1


# As a component.


def test_it_runs_on_a_thread_of_its_own_until_it_is_stopped(rig: Rig) -> None:
    rig.send(10)

    rig.service.start()
    deadline = time.monotonic() + DEADLINE_SECS
    while rig.kafka.committed() != 10 and time.monotonic() < deadline:
        time.sleep(0.001)
    rig.service.stop()
    rig.service.join(DEADLINE_SECS)

    assert rig.sources[0].is_closed
    assert rig.kafka.committed() == 10


# The thread that runs calls.


def test_a_call_runs_on_a_thread_of_its_own() -> None:
    assert submit_to_thread(threading.current_thread).result(DEADLINE_SECS) is not threading.current_thread()


def test_a_call_that_hangs_does_not_keep_the_process_from_ending() -> None:
    assert submit_to_thread(lambda: threading.current_thread().daemon).result(DEADLINE_SECS)


def test_the_exception_of_a_call_reaches_the_caller() -> None:
    def refuse() -> None:
        raise Refused("no", code="1")

    with pytest.raises(Refused):
        submit_to_thread(refuse).result(DEADLINE_SECS)
