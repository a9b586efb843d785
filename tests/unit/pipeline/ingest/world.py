"""In-memory Kafka, table and clock, and instances of the loop between them."""

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry

from app.domain.event_time import EventTimeBounds
from app.domain.records import Lease, Partition, RecordChunk
from app.errors import KafkaCode, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.pipeline.backoff import Backoff
from app.pipeline.decode import decode
from app.pipeline.decoded import Decoded
from app.pipeline.delivery import Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.pipeline.undecoded import PIECE_BYTES
from app.settings import BatchSettings
from app.telemetry.ingest import IngestTelemetry
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread

DEADLINE_SECS = 10.0
DOWN = TryAgainLater("ClickHouse does not answer", code="517")
UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
NO_COORDINATOR = TryAgainLater("no coordinator", code=KafkaCode.NO_COORDINATOR)
P0 = Partition("logs", 0)


class Instance:
    """One instance of the service, without threads: `thread` replaces the one that calls ClickHouse."""

    def __init__(
        self,
        kafka: MemoryKafka,
        table: MemoryTable,
        clock: Clock,
        *,
        max_rows: int = 1000,
        max_bytes: int = 1024 * 1024,
        max_age_secs: float = 1.0,
        held_secs: float = 0.0,
        max_chunk_records: int = 500,
        piece_bytes: int = PIECE_BYTES,
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
            decode=self._decode,
            limits=BatchSettings(max_rows=max_rows, max_bytes=max_bytes, max_age_secs=max_age_secs),
            clock=clock,
            submit=self.thread.submit,
            sleep=clock.advance,
            has_room=lambda: self.has_room,
            held_secs=held_secs,
            piece_bytes=piece_bytes,
        )
        self.has_room = True
        self.while_decoding: Callable[[], None] = lambda: None
        """Called for each piece."""

    def step(self, times: int = 1) -> None:
        """Run the loop without the other thread."""
        with self.thread.asleep():
            for _ in range(times):
                self.ingest.step()

    def go_on(self) -> None:
        """Run the loop and the other thread as far as possible without time passing."""
        self.step()
        while self.thread.is_busy:
            self.thread.run()
            self.step()

    def hand_over(self) -> None:
        """Run the loop until an insert is submitted to the other thread, which has not started it."""
        self.step()
        while not self.has_handed_over:
            assert self.thread.is_busy, "there is nothing to be stored"
            self.thread.run()
            self.step()

    def _decode(self, chunk: RecordChunk) -> Decoded:
        self.while_decoding()
        return decode(chunk, EventTimeBounds.of_retention(30))

    @property
    def leases(self) -> list[Lease]:
        """Every committed lease, in order."""
        leased = [
            checkpoint.lease
            for commit in self.source.commits
            for checkpoint in commit.values()
            if checkpoint.lease is not None
        ]
        return list({lease.token: lease for lease in leased}.values())

    @property
    def has_handed_over(self) -> bool:
        """Whether there is a lease whose insert has not reached the table."""
        return bool(self.leases) and self.leases[-1].token not in self.table.tokens

    def settle(self, secs: int = 20) -> None:
        """Run the loop, the clock and the other thread until everything read is stored and committed."""
        for _ in range(secs):
            self.go_on()
            self.clock.advance(1.0)

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
        """An instance that has just started to read."""
        instance = self.instance(**options)
        instance.go_on()
        return instance

    def send(self, count: int, partition: int = 0) -> None:
        self.kafka.send(*(b'{"message": "%d"}' % n for n in range(count)), partition=partition)


def refuse(offset: int, partition: int = 0) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["_partition"] == partition and row["_offset"] == offset
