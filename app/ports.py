"""The interfaces to the outside, as small protocols. Implemented in `backends/`, and in memory in `tests/fakes.py`."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Protocol

from app.domain.cancellation import Cancellation
from app.domain.group import GroupStanding
from app.domain.offsets import Bucket, Reading, Run, Span, TopicOffsets
from app.domain.records import Checkpoint, OneRecord, Partition, Polled
from app.domain.rows import Rows
from app.domain.statement import Result, Statement
from app.errors import Refused, TryAgainLater


class RecordSource(Protocol):
    """The source of records. Belongs to one thread."""

    def poll(self, timeout_secs: float) -> Polled:
        """Wait up to `timeout_secs` for records. Keeps this member in its group, also while everything is paused.

        Raises:
            TryAgainLater: Kafka does not answer, answers with an error, or a rebalance is going on.
            MustRejoin: see `commit`; a new group's start offsets are committed too.
        """

    def start(self, partition: Partition) -> None:
        """Let a newly assigned partition yield its records, from its committed offset on."""

    def pause(self) -> None:
        """Yield no records until `resume`."""

    def resume(self) -> None:
        """Undo `pause`. Partitions that were halted or not started stay as they are."""

    def halt(self, partition: Partition) -> None:
        """Stop reading one partition for good, until it is assigned again."""

    def commit(self, checkpoints: Mapping[Partition, Checkpoint]) -> None:
        """Commit these checkpoints for the group.

        Raises:
            NotOurs: a rebalance has overtaken us; the next poll assigns again, even if the partitions are the same.
            TryAgainLater: Kafka has not committed all of them, and will commit no more: none, or those of other topics
                than one that was deleted or may no longer be read.
            MustRejoin: Kafka may have committed them, or may still do so.
        """

    def positions(self) -> Mapping[Partition, int]:
        """Next offset to read of each partition that was started.

        Raises:
            TryAgainLater: a partition is being reassigned or has lost records; the next poll handles that.
        """

    def end_offsets(self) -> Mapping[Partition, int]:
        """Offset that the next record of each of our partitions will get (Kafka's end offset).

        Raises:
            TryAgainLater: Kafka does not answer in time.
        """

    def close(self, timeout_secs: float) -> None:
        """Leave the group."""


class LogWriter(Protocol):
    """Stores rows. May be called from any thread, one call at a time."""

    def insert(self, rows: Rows, token: str, deadline_ms: int) -> None:
        """Store all rows or raise; `token` is unique to this insert.

        `deadline_ms` is Unix time by ClickHouse's own clock: ClickHouse refuses an insert that arrives later.

        Raises:
            TryAgainLater: it failed, and may have stored some of the rows; if its outcome is unknown it may still run.
            Refused: ClickHouse does not accept these rows as they are.
        """

    def missing(self, rows: Rows) -> Rows:
        """What the table lacks of the records of `rows`, by the rule of `app.domain.missing`.

        Mostly these are rows that it does not hold, by their identity. Rows that were removed on purpose count as
        held; they are looked up after the others, since a row is noted as removed before it is deleted.

        Raises:
            TryAgainLater: ClickHouse does not answer.
        """

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        """The highest offset of a partition that the table holds, or that was removed on purpose; None without any.

        Raises:
            TryAgainLater: ClickHouse does not answer.
        """

    def now_ms(self) -> int:
        """ClickHouse's clock, Unix time in milliseconds.

        Raises:
            TryAgainLater: ClickHouse does not answer.
        """

    def running(self) -> Set[str]:
        """Tokens of the inserts that ClickHouse is running, from any sender.

        Raises:
            TryAgainLater: ClickHouse does not answer.
        """


class LogReader(Protocol):
    """Runs queries over the table. Safe to share between threads."""

    def run(self, statement: Statement, *, timeout_secs: float, cancellation: Cancellation | None = None) -> Result:
        """Run one read-only statement. With a `cancellation`, it ends at ClickHouse too when it is cancelled.

        Raises:
            Abandoned: it was cancelled, before or meanwhile.
            QueryTooExpensive: it needs more time, memory or rows than a query may use.
            TryAgainLater, Refused: ClickHouse returns no result.
        """


class RecordReader(Protocol):
    """Reads single records again that are stored already. Safe to share between threads."""

    def read(self, topic_id: str, partition: int, offset: int) -> OneRecord | None:
        """One record of the topic with this id; None if Kafka no longer has it. Takes a few seconds at most.

        Raises:
            TryAgainLater: Kafka does not answer.
        """


class Disk(Protocol):
    """The disk of ClickHouse's table."""

    def free_ratio(self) -> float | None:
        """The fraction that is free, from 0 to 1; None if unknown.

        Raises:
            TryAgainLater, Refused: ClickHouse returns no result.
        """


class Group(Protocol):
    """The consumer group, seen from outside."""

    def standing(self) -> GroupStanding:
        """The number of members and of partitions, and whether the group is stable.

        Raises:
            TryAgainLater: Kafka does not answer.
        """


OnDelivery = Callable[[TryAgainLater | Refused | None], None]
"""Called once per record: with None when all in-sync replicas have it, with the error otherwise."""


class LogPublisher(Protocol):
    """Puts records on the topic. Safe to share between threads.

    Memory is bounded: while too many records are in flight, `publish` waits, and raises when the caller's time is up
    (backpressure). A caller that is responsible for several records publishes each with a callback and waits for the
    callbacks until its own deadline; a record whose callback has not been called by then has an unknown outcome.
    """

    def connect(self, wait_secs: float | None = None) -> int:
        """Connect if not connected; returns the topic's limit for a record, in bytes.

        Waits up to `wait_secs` while another thread connects.

        Value, key and headers together must stay about a hundred bytes below it, which Kafka adds. The limit may
        change when the publisher reconnects, so call this each time; it is cheap while connected.

        Raises:
            TryAgainLater: Kafka does not answer (UNREACHABLE), the topic does not exist (UNKNOWN_TOPIC), or the
                publisher is closed (CLOSED).
        """

    def publish(
        self,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        wait_secs: float,
        on_delivery: OnDelivery,
    ) -> None:
        """Enqueue one record; it is sent in the background.

        Waits up to `wait_secs` for free memory, or for another thread that connects; connecting itself may take some
        seconds more. Records with the same key stay in order on one partition; those without a key spread over all.

        `on_delivery` is called on a thread that must not be held up, and not at all when `publish` raises.

        Raises:
            Refused: the record is larger than the topic allows (TOO_LARGE).
            TryAgainLater: no memory became free in time (FULL), or see `connect`. The record was not sent.
        """

    def flush(self, timeout_secs: float) -> None:
        """Wait until nothing is in flight: every record handed over is delivered or has failed.

        Raises:
            TryAgainLater: some are still in flight after `timeout_secs` (TIMEOUT).
        """

    def close(self, timeout_secs: float) -> None:
        """Wait for the records in flight, then disconnect. Those that remain fail with an unknown outcome (CLOSED).

        Closing again does nothing.
        """


class AuditedTopics(Protocol):
    """Topics as an audit reads them, independently of the consumer that reads them for the table."""

    def offsets(self, since_ms: int) -> Sequence[TopicOffsets]:
        """The group's committed offsets (read first), and Kafka's: begin, end, and the first since `since_ms`.

        Raises:
            TryAgainLater: Kafka does not answer.
        """

    def records(self, partition: Partition, span: Span, has_time: Callable[[], bool]) -> Reading:
        """The offsets in a span at which Kafka still has records; reads while `has_time` returns true.

        Raises:
            TryAgainLater: Kafka does not answer.
        """


class Ledger(Protocol):
    """The offsets that the table holds, with those of rows that were removed on purpose.

    Every call may raise TryAgainLater.
    """

    def rows_by_topic(self) -> Mapping[str, int]:
        """The number of rows that the table holds of each topic id."""

    def buckets(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Sequence[Bucket]]:
        """The buckets that overlap the spans, by partition; each counts all of its rows."""

    def buckets_of_several(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Set[int]]:
        """The numbers of the buckets that have rows of records with several rows, by partition.

        Rows that do not say how many their record has count as its only ones.
        """

    def runs(self, topic_id: str, partition: int, span: Span) -> Sequence[Run]:
        """The stored offsets of a span as runs, read row by row, in the order of the offsets."""

    def first_offset(self, topic_id: str, partition: int) -> int | None:
        """The lowest offset of all rows of a partition."""

    def first_ingested(self, topic_id: str, partition: int, below: int, since_ms: int) -> int | None:
        """The lowest offset below `below` that was stored since `since_ms` (Unix time)."""

    def last_before(self, topic_id: str, partition: int, offset: int) -> int | None:
        """The highest stored offset below `offset`."""
