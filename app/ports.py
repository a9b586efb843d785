"""The interfaces to the outside, as small protocols. Implemented in `backends/`, and in memory in `tests/fakes.py`."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Protocol

from app.domain.group import GroupStanding
from app.domain.offsets import Bucket, Reading, Run, Span, TopicOffsets
from app.domain.records import Checkpoint, Partition, Polled
from app.domain.rows import Rows
from app.domain.statement import Result, Statement
from app.errors import Refused, TryAgainLater


class RecordSource(Protocol):
    """Where records come from. Belongs to one thread."""

    def poll(self, timeout_secs: float) -> Polled:
        """Wait up to `timeout_secs` for records. Keeps this member in its group, also while everything is paused.

        Raises:
            TryAgainLater: Kafka does not answer as it should now.
            MustRejoin: see `commit`; where a group begins to read is committed too.
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
        """Commit these checkpoints for the group, all or none of them.

        Raises:
            NotOurs: the group has moved on without us; the next poll assigns anew, even if the partitions are the same.
            TryAgainLater: nothing was remembered.
            MustRejoin: they may have been remembered, or may yet be.
        """

    def positions(self) -> Mapping[Partition, int]:
        """Next offset to read of each partition that was started.

        Raises:
            TryAgainLater: partitions are changing hands; the next poll tells more.
        """

    def end_offsets(self) -> Mapping[Partition, int]:
        """Offset that the next record of each of our partitions will get.

        Raises:
            TryAgainLater: Kafka does not tell at once.
        """

    def close(self, timeout_secs: float) -> None:
        """Leave the group."""


class LogWriter(Protocol):
    """Where rows end up. May be called from any thread, one call at a time."""

    def insert(self, rows: Rows, token: str, deadline_ms: int) -> None:
        """Store all rows or raise; `token` names this insert and no other.

        ClickHouse's own clock decides whether it is before the deadline: an insert that gets there later is refused.

        Raises:
            TryAgainLater: it failed, and may have stored a part of the rows; if its outcome is unknown it may go on.
            Refused: ClickHouse will not have these rows as they are.
        """

    def missing(self, rows: Rows) -> Rows:
        """The rows that the table does not hold, by their identity.

        Raises:
            TryAgainLater: there is no answer now.
        """

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        """The highest offset of a partition that the table holds.

        Raises:
            TryAgainLater: there is no answer now.
        """

    def now_ms(self) -> int:
        """ClickHouse's clock, Unix time.

        Raises:
            TryAgainLater: there is no answer now.
        """

    def running(self) -> Set[str]:
        """Tokens of the inserts that ClickHouse is running, from any sender.

        Raises:
            TryAgainLater: there is no answer now.
        """


class LogReader(Protocol):
    """Runs queries over the table. Safe to share between threads."""

    def ask(self, statement: Statement, *, timeout_secs: float) -> Result:
        """Run one statement, which changes nothing.

        Raises:
            QueryTooExpensive: it needs more time, memory or rows than a query may use.
            TryAgainLater, Refused: there is no answer.
        """


class Disk(Protocol):
    """Where ClickHouse keeps the table."""

    def free_ratio(self) -> float | None:
        """The free part of it, from 0 to 1; None where that is unknown.

        Raises:
            TryAgainLater, Refused: there is no answer.
        """


class Group(Protocol):
    """The consumer group, seen from outside."""

    def standing(self) -> GroupStanding:
        """How many members share how many partitions.

        Raises:
            TryAgainLater: Kafka does not answer.
        """


OnDelivery = Callable[[TryAgainLater | Refused | None], None]
"""Called once per record: with None when all in-sync replicas have it, with the error otherwise."""


class LogPublisher(Protocol):
    """Puts records on the topic. Safe to share between threads.

    Memory is bounded: while too many records are in flight, `publish` waits, and raises when the caller's time is up
    (backpressure). A caller that answers for several records publishes each with a callback and waits for these
    callbacks until its own deadline; of what has not been called by then the outcome is unknown.
    """

    def connect(self) -> int:
        """Connect, unless that was done before; returns the topic's limit for a record, in bytes.

        Value, key and headers together must stay about a hundred bytes below it, which Kafka adds. The limit may
        change when the publisher has to connect anew, so ask each time; the answer is at hand while connected.

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
        """Hand over one record; it is sent in the background.

        Waits up to `wait_secs` for room, or for another thread that connects; connecting itself may take some seconds
        more. Records with the same key stay in order on one partition; those without a key spread over all.

        `on_delivery` is called on a thread that must not be held up, and not at all when `publish` raises.

        Raises:
            Refused: the record is larger than the topic allows (TOO_LARGE).
            TryAgainLater: there was no room in time (FULL), or see `connect`. The record was not sent.
        """

    def flush(self, timeout_secs: float) -> None:
        """Wait until nothing is in flight: every record handed over is delivered or has failed.

        Raises:
            TryAgainLater: that took longer (TIMEOUT).
        """

    def close(self, timeout_secs: float) -> None:
        """Wait for what is in flight, then disconnect. What remains fails with an unknown outcome (CLOSED).

        Closing again does nothing.
        """


class AuditedTopic(Protocol):
    """A topic as an audit sees it, apart from the consumer that reads it for the table."""

    def offsets(self, since_ms: int) -> TopicOffsets:
        """What the group had committed, and then what Kafka holds, altogether and since a moment.

        Raises:
            TryAgainLater: there is no answer now.
        """

    def records(self, partition: int, span: Span, has_time: Callable[[], bool]) -> Reading:
        """Where in a span Kafka still returns records, read for as long as there is time.

        Raises:
            TryAgainLater: there is no answer now.
        """


class Ledger(Protocol):
    """The offsets that the table holds. Every call may raise TryAgainLater."""

    def rows_by_topic(self) -> Mapping[str, int]:
        """How many rows there are of each topic id."""

    def buckets(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Sequence[Bucket]]:
        """The buckets of which offsets lie in the spans, by partition; with all of their rows."""

    def runs(self, topic_id: str, partition: int, span: Span) -> Sequence[Run]:
        """What is stored of a span, row by row, in the order of the offsets."""

    def first_offset(self, topic_id: str, partition: int) -> int | None:
        """The lowest offset of all rows of a partition."""

    def first_ingested(self, topic_id: str, partition: int, below: int, since_ms: int) -> int | None:
        """The lowest offset that was stored since a moment, of those below an offset."""

    def last_before(self, topic_id: str, partition: int, offset: int) -> int | None:
        """The highest offset below another one."""
