"""The reference of the protocol benchmark: an at-least-once consumer, which inserts and then commits."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry

from app.domain.event_time import EventTimeBounds
from app.errors import KafkaCode, Refused, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.pipeline.backoff import Backoff
from app.pipeline.decode import decode
from app.pipeline.delivery import Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.settings import BatchSettings
from app.telemetry.ingest import IngestTelemetry
from bench.at_least_once import AtLeastOnce
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread

UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
NO_COORDINATOR = TryAgainLater("no coordinator", code=KafkaCode.NO_COORDINATOR)
BATCH_ROWS = 2


class World:
    """A topic of six records, a table, and the loop of the service between them: three inserts."""

    def __init__(self, new_delivery: type[Delivery] = AtLeastOnce) -> None:
        self.clock = Clock()
        self.kafka = MemoryKafka()
        self.kafka.send(*(b'{"message": "%d"}' % number for number in range(6)))
        self.table = MemoryTable(self.clock)
        self._new_delivery = new_delivery
        self.start()

    def start(self) -> None:
        """Start an instance; a previous one is gone as after a kill."""
        self.kafka.group("group").members.clear()
        self.source = MemorySource(self.kafka, max_chunk_records=BATCH_ROWS)
        self.thread = OtherThread(self.clock)
        telemetry = IngestTelemetry(Metrics(CollectorRegistry(), version="test"), Health(self.clock), clock=self.clock)
        progress = Progress(self.source, telemetry.committed)
        self.ingest = Ingest(
            self.source,
            self._new_delivery(
                self.table, progress, telemetry, clock=self.clock, backoff=Backoff(), deadline_secs=10.0
            ),
            progress,
            telemetry,
            decode=partial(decode, bounds=EventTimeBounds.of_retention(30)),
            limits=BatchSettings(max_rows=BATCH_ROWS, max_bytes=1024 * 1024, max_age_secs=1.0),
            clock=self.clock,
            submit=self.thread.submit,
            sleep=self.clock.advance,
        )

    def go_on(self) -> None:
        """Run the loop, the other thread and the clock until everything is stored and committed."""
        for _ in range(20):
            self.ingest.step()
            self.thread.run()
            self.clock.advance(1.0)
        assert self.kafka.committed() == 6

    def has_leased(self) -> bool:
        """Whether a lease was ever committed."""
        return any(mark.lease is not None for commit in self.source.commits for mark in commit.values())


def test_it_stores_and_commits_everything_without_leases_or_checks_of_the_table() -> None:
    world = World()
    world.go_on()

    assert world.table.offsets() == [0, 1, 2, 3, 4, 5]
    assert not world.has_leased()
    assert world.table.look_count == 0


def test_the_protocol_leases_and_checks_the_same_records() -> None:
    world = World(Delivery)
    world.go_on()

    assert world.table.offsets() == [0, 1, 2, 3, 4, 5]
    assert world.has_leased()
    assert world.table.look_count > 0


def test_each_insert_is_committed_before_the_next_is_sent() -> None:
    world = World()
    committed: list[int | None] = []
    world.table.meanwhile = lambda: committed.append(world.kafka.committed())
    world.go_on()

    assert committed == [0, 2, 4]


def test_an_insert_of_unknown_outcome_is_repeated_at_once_and_stored_twice() -> None:
    world = World()
    world.table.next_insert(UNKNOWN, stores=True)
    world.go_on()

    assert world.table.offsets() == [0, 0, 1, 1, 2, 3, 4, 5]
    assert world.table.look_count == 0


def test_inserted_but_uncommitted_rows_are_stored_again_after_a_kill() -> None:
    world = World()
    while not world.table.blocks:
        world.ingest.step()
        world.thread.run()
    world.start()
    world.go_on()

    assert world.table.offsets() == [0, 0, 1, 1, 2, 3, 4, 5]


def test_a_commit_that_kafka_does_not_take_is_made_up_for_by_the_next() -> None:
    world = World()
    world.source.next_commit(NO_COORDINATOR)
    world.go_on()

    assert world.source.faults_left == 0
    assert world.table.offsets() == [0, 1, 2, 3, 4, 5]


def test_a_batch_that_is_refused_is_halved_as_the_service_does_it() -> None:
    world = World()
    world.table.next_insert(Refused("a row is refused", code="27"))
    world.go_on()

    assert [block.num_rows for block in world.table.blocks] == [1, 1, 2, 2]
