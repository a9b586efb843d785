"""A delivery into an in-memory table, and its recorded events."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from app.domain.records import Lease, Partition, Position
from app.domain.rows import Rows
from app.errors import KafkaCode, TryAgainLater
from app.pipeline.backoff import Backoff
from app.pipeline.batch import Batch
from app.pipeline.delivery import CompletedTokens, Delivered, Delivery
from app.pipeline.progress import Progress
from app.pipeline.task import Steps, Task
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread

_Result = TypeVar("_Result")
P0, P1 = Partition("logs", 0), Partition("logs", 1)
DEADLINE_SECS = 10.0
FAR_MS = 10**15
DOWN = TryAgainLater("ClickHouse does not answer", code="517")
UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
DOUBTFUL = TryAgainLater("too many parts", code="252", max_attempts=3)
NO_COORDINATOR = TryAgainLater("no coordinator", code=KafkaCode.NO_COORDINATOR)


class Events:
    """DeliveryEvents, kept in lists."""

    def __init__(self) -> None:
        self.inserted_rows: list[int] = []
        self.insert_secs: list[float] = []
        self.failures: list[str] = []
        self.already_stored_rows: list[int] = []
        self.settled_in_secs: list[float] = []
        self.retries: list[tuple[str, int]] = []
        self.kafka_failures: list[str] = []
        self.answers = 0

    def inserted(self, rows: Rows, seconds: float) -> None:
        self.inserted_rows.append(rows.num_rows)
        self.insert_secs.append(seconds)

    def failed(self, result: str) -> None:
        self.failures.append(result)

    def already_stored(self, row_count: int) -> None:
        self.already_stored_rows.append(row_count)

    def waiting_out(self, deadline_in_secs: float) -> None:
        self.settled_in_secs.append(deadline_in_secs)

    def retrying(self, error: TryAgainLater, attempt: int) -> None:
        self.retries.append((error.code, attempt))

    def answered(self) -> None:
        self.answers += 1

    def kafka_failed(self, error: TryAgainLater) -> None:
        self.kafka_failures.append(error.code)


class Setup:
    """A delivery into an in-memory table, with three recovered partitions."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.kafka = MemoryKafka(partitions=3)
        self.source = MemorySource(self.kafka)
        self.table = MemoryTable(self.clock)
        self.thread = OtherThread(self.clock)
        self.events = Events()
        self.progress = Progress(self.source, on_committed=lambda _: None)
        for partition, position in (self.source.poll(0).assigned or {}).items():
            self.progress.take_over(partition, position)
        self.completed = CompletedTokens()
        self.new_token: Callable[[], str] = lambda: uuid.uuid4().hex
        self.delivery = self.new_delivery()

    def new_delivery(self) -> Delivery:
        """Another delivery in the same process."""
        return Delivery(
            self.table,
            self.progress,
            self.events,
            clock=self.clock,
            backoff=Backoff(1.0, 8.0),
            deadline_secs=DEADLINE_SECS,
            completed=self.completed,
            new_token=self.new_token,
        )

    def deliver(self, batch: Batch, meanwhile: Callable[[], None] = lambda: None) -> Delivered:
        """Deliver a batch to its end; `meanwhile` is called while it waits."""
        return self.finish(self.task(self.delivery.deliver(batch)), meanwhile)

    def recover(self, partition: Partition, position: Position, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Recover a partition."""
        return self.finish(self.task(self.delivery.recover(partition, position)), meanwhile)

    def task(self, steps: Steps[_Result]) -> Task[_Result]:
        return Task(steps, self.thread.submit, self.clock)

    def finish(self, task: Task[_Result], meanwhile: Callable[[], None] = lambda: None) -> _Result:
        """Run a task to its end: calls run at once, and pauses advance the clock."""

        def sleep(secs: float) -> None:
            meanwhile()
            self.clock.advance(secs)

        while not task.turn():
            task.wait(3600, sleep)
        return task.result()

    def lease(self, partition: int = 0) -> Lease | None:
        """The committed lease."""
        checkpoint = self.kafka.checkpoint(partition)
        return checkpoint.lease if checkpoint else None

    def store_earlier(self, rows: Rows) -> None:
        """Store rows as an earlier owner."""
        self.table.insert(rows, "earlier", FAR_MS)
        self.table.tokens.clear()
        self.table.deadlines_ms.clear()

    @property
    def leases(self) -> list[Lease]:
        """Every committed lease of the first partition, in order."""
        checkpoints = [commit[P0] for commit in self.source.commits if P0 in commit]
        return [checkpoint.lease for checkpoint in checkpoints if checkpoint.lease is not None]


def body_is(*bodies: str) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["Body"] in bodies


def offset_is(*offsets: int, partition: int = 0) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["_partition"] == partition and row["_offset"] in offsets


def position(lease: Lease | None = None, *, is_set_by_others: bool = False) -> Position:
    return Position("topic-1", 0, lease, is_set_by_others)
