"""In-memory implementations of the ports, a clock that is advanced manually, and a thread that runs on request."""

from __future__ import annotations

import itertools
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.cancellation import Cancellation
from app.domain.missing import STORED_COLUMNS, missing_rows
from app.domain.records import Checkpoint, Headers, Lease, OneRecord, Partition, Polled, Position, RecordChunk
from app.domain.rows import SCHEMA, Rows
from app.domain.statement import Result, Statement
from app.domain.topics import FoundTopic, parse_topics
from app.errors import KafkaCode, NotOurs, Refused, TryAgainLater

if TYPE_CHECKING:
    from app.ports import LogPublisher, LogReader, LogWriter, OnDelivery, RecordSource

_Result = TypeVar("_Result")

RECORD_TIME_MS = 1_700_000_000_000


# Time and threads.


class Clock:
    """Time in seconds that stands still until it is advanced."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, secs: float) -> None:
        """Let time pass."""
        self.now += secs


class OtherThread:
    """Replaces the thread that runs calls: it runs them one by one on request of the test."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self.runs_when_waited_for = True

    def submit(self, call: Callable[[], _Result], /) -> Future[_Result]:
        """Take a call; see `app.pipeline.task.Submit`."""
        future: Future[_Result] = _Awaited(self)
        self._calls.append((call, future))
        return future

    @property
    def is_busy(self) -> bool:
        """Whether a call is waiting."""
        return bool(self._calls)

    def run(self) -> None:
        """Run every submitted call."""
        while self._calls:
            call, future = self._calls.popleft()
            try:
                future.set_result(call())
            except Exception as error:  # the waiting side handles it
                future.set_exception(error)

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """It runs nothing meanwhile, also when it is waited for."""
        before, self.runs_when_waited_for = self.runs_when_waited_for, False
        try:
            yield
        finally:
            self.runs_when_waited_for = before

    def waited_for(self, timeout_secs: float) -> None:
        """Called when a caller waits for an outcome: run the call, or let the time pass."""
        if self.runs_when_waited_for:
            self.run()
        else:
            self._clock.advance(timeout_secs)


class _Awaited(Future[_Result]):
    def __init__(self, thread: OtherThread) -> None:
        super().__init__()
        self._thread = thread

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if not self.done():
            self._thread.waited_for(timeout or 0.0)
        return super().exception(timeout=0)


# The table.


class Identity(NamedTuple):
    """The identity of a row."""

    topic_id: str
    partition: int
    offset: int
    item: int


@dataclass
class Insert:
    """A fault of one insert."""

    error: Exception
    stores: bool = False
    """The rows are stored, only the response is lost."""
    lands_later: bool = False
    """It is in flight until the test calls `land`, and then too late if its deadline has passed."""
    runs_on: bool = False
    """It is listed as running, and ends when the test calls `land`, however late."""
    keeps_token_only: bool = False
    """The server keeps the token but not the rows, as after a kill between writing the two."""


class MemoryTable:
    """A LogWriter that keeps its rows in a list. Faults are consumed in the order in which they were added."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self.blocks: list[Rows] = []
        self.tokens: list[str] = []
        """Token of each attempted insert, in order."""
        self.deadlines_ms: list[int] = []
        """Deadline of each of them."""
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _row: False
        self.meanwhile: Callable[[], None] = lambda: None
        """Called while an insert is in flight."""
        self.blocked: threading.Event | None = None
        """If set, calls block until the event is set."""
        self.look_count = 0
        self.clock_ahead_secs = 0.0
        """How far its clock is ahead of the given one."""
        self.removed: dict[Identity, int] = {}
        """How many rows the record has, of each row that was removed on purpose."""
        self._known_tokens: set[str] = set()
        self._insert_faults: deque[Insert] = deque()
        self._check_faults: deque[Exception] = deque()
        self._landing: list[tuple[Rows, str, int]] = []
        self._running_on: list[tuple[Rows, str]] = []
        self.busy_with: set[str] = set()
        """Tokens of running inserts of other clients."""

    # For tests.

    def next_insert(self, error: Exception, **how: bool) -> None:
        """One of the next inserts raises this."""
        self._insert_faults.append(Insert(error, **how))

    def next_check(self, error: Exception) -> None:
        """One of the next checks of the table raises this."""
        self._check_faults.append(error)

    def land(self) -> None:
        """End running inserts and let those in flight arrive: they are stored if their deadline has not passed."""
        while self._running_on:
            self._keep(*self._running_on.pop(0))
        while self._landing:
            rows, token, deadline_ms = self._landing.pop(0)
            if self._time_ms() < deadline_ms:
                self._keep(rows, token)

    def remove(self, offsets: Iterable[int]) -> None:
        """Remove rows on purpose."""
        wanted = pa.array(sorted(offsets), pa.uint64())
        for row in self.rows():
            if row["_offset"] in wanted.to_pylist():
                identity = Identity(row["_topic_id"], row["_partition"], row["_offset"], row["_item"])
                self.removed[identity] = row["_items"]
        self.blocks = [block.filter(pc.invert(pc.is_in(block["_offset"], value_set=wanted))) for block in self.blocks]

    def rows(self) -> list[dict[str, Any]]:
        """All stored rows, in the order of storage."""
        return [row for block in self.blocks for row in block.to_pylist()]

    def identities(self) -> list[Identity]:
        """Identities of all stored rows, sorted; equal ones are duplicates."""
        return sorted(
            Identity(row["_topic_id"], row["_partition"], row["_offset"], row["_item"]) for row in self.rows()
        )

    def offsets(self, partition: int = 0) -> list[int]:
        """Stored offsets of one partition, sorted; equal ones are duplicates."""
        return [identity.offset for identity in self.identities() if identity.partition == partition]

    # LogWriter.

    def insert(self, rows: Rows, token: str, deadline_ms: int) -> None:
        """See `ports.LogWriter`."""
        self._answer_or_hang()
        self.tokens.append(token)
        self.deadlines_ms.append(deadline_ms)
        self.meanwhile()
        fault = self._insert_faults.popleft() if self._insert_faults else None
        if fault is None and self._time_ms() >= deadline_ms:
            raise TryAgainLater("the insert came too late", code="469", max_attempts=8)
        if fault is None and any(self.refuses(row) for row in rows.to_pylist()):
            raise Refused("a row is refused", code="27")
        if fault is None or fault.stores:
            self._keep(rows, token)
        elif fault.lands_later:
            self._landing.append((rows, token, deadline_ms))
        elif fault.runs_on:
            self._running_on.append((rows, token))
        elif fault.keeps_token_only:
            self._known_tokens.add(token)
        if fault is not None:
            raise fault.error

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        self._answer_or_hang()
        self._fail_check()
        return missing_rows(rows, self._stored)

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        """See `ports.LogWriter`."""
        self._answer_or_hang()
        self._fail_check()
        identities = [*self.identities(), *self.removed]
        places = (identity for identity in identities if identity[:2] == (topic_id, partition))
        return max((place.offset for place in places), default=None)

    def now_ms(self) -> int:
        """See `ports.LogWriter`."""
        self._answer_or_hang()
        self._fail_check()
        return self._time_ms()

    def running(self) -> Set[str]:
        """See `ports.LogWriter`."""
        self._answer_or_hang()
        self._fail_check()
        return self.busy_with | {token for _, token in self._running_on}

    def _stored(self, topic_id: str, partition: int, first: int, last: int) -> pa.Table:
        stored = pa.Table.from_batches(self.blocks, schema=SCHEMA)
        is_mine = pc.and_(pc.equal(stored["_topic_id"], topic_id), pc.equal(stored["_partition"], partition))
        is_near = pc.and_(pc.greater_equal(stored["_offset"], first), pc.less_equal(stored["_offset"], last))
        there = stored.filter(pc.and_(is_mine, is_near)).select(STORED_COLUMNS)
        found = [
            (row.offset, row.item, items) for row, items in self.removed.items() if row[:2] == (topic_id, partition)
        ]
        columns = zip(there.schema, zip(*found, strict=True), strict=True) if found else ()
        removed = {field.name: pa.array(values, field.type) for field, values in columns}
        return pa.concat_tables([there, pa.table(removed)]) if removed else there

    def _time_ms(self) -> int:
        return int((self._clock.now + self.clock_ahead_secs) * 1000)

    def _keep(self, rows: Rows, token: str) -> None:
        if token not in self._known_tokens:
            self._known_tokens.add(token)
            self.blocks.append(rows)

    def _fail_check(self) -> None:
        self.look_count += 1
        if self._check_faults:
            raise self._check_faults.popleft()

    def _answer_or_hang(self) -> None:
        if self.blocked is not None:
            self.blocked.wait()


# The reader.


class ScriptedReader:
    """A LogReader that returns the results of a function and records statements; it first raises `errors` in order."""

    def __init__(self, answer: Callable[[Statement], Result] = lambda _: Result((), ())) -> None:
        self.answer = answer
        self.errors: deque[Exception] = deque()
        self.statements: list[Statement] = []
        self.timeouts_secs: list[float] = []
        self.ended: list[Statement] = []
        """Statements whose end was requested while they ran."""

    def run(self, statement: Statement, *, timeout_secs: float, cancellation: Cancellation | None = None) -> Result:
        """See `ports.LogReader`."""
        with (cancellation or Cancellation()).running(partial(self._end, statement)):
            self.statements.append(statement)
            self.timeouts_secs.append(timeout_secs)
            if self.errors:
                raise self.errors.popleft()
            return self.answer(statement)

    def _end(self, statement: Statement) -> bool:
        self.ended.append(statement)
        return True


class MemoryRecords:
    """A RecordReader over records by topic id, partition and offset; it first raises `errors` in order."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, int, int], OneRecord] = {}
        self.errors: deque[Exception] = deque()

    def read(self, topic_id: str, partition: int, offset: int) -> OneRecord | None:
        """See `ports.RecordReader`."""
        if self.errors:
            raise self.errors.popleft()
        return self.records.get((topic_id, partition, offset))


# The source of records.


class Record(NamedTuple):
    """A record in memory."""

    offset: int
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    key: bytes | None = None


@dataclass
class _Log:
    records: list[Record] = field(default_factory=list)
    first_offset: int = 0
    next_offset: int = 0


@dataclass
class _Topic:
    topic_id: str
    logs: list[_Log]
    may_read: bool = True


class _Committed(NamedTuple):
    topic_id: str | None
    """None if another client has set the offset without the topic id."""
    checkpoint: Checkpoint


@dataclass
class _Group:
    committed: dict[Partition, _Committed] = field(default_factory=dict)
    members: list[MemorySource] = field(default_factory=list)


class MemoryKafka:
    """A main topic, others, and the groups that read them."""

    def __init__(self, *, partitions: int = 1, topic: str = "logs") -> None:
        self.topic = topic
        self._ids = itertools.count(1)
        self._groups: dict[str, _Group] = {}
        self._topics: dict[str, _Topic] = {}
        self.recreate(partitions)

    @property
    def topic_id(self) -> str:
        """The id of the main topic."""
        return self.id_of(self.topic)

    def id_of(self, topic: str) -> str:
        """The id of a topic."""
        return self._topics[topic].topic_id

    def recreate(self, partitions: int, topic: str = "") -> None:
        """Delete a topic, the main one unless another is named, and create another one with the same name."""
        self._topics[topic or self.topic] = _Topic(f"topic-{next(self._ids)}", [_Log() for _ in range(partitions)])
        self._rebalance_all()

    def delete(self, topic: str) -> None:
        """Delete a topic, and what groups have committed for it, as Kafka does."""
        del self._topics[topic]
        for group in self._groups.values():
            group.committed = {p: committed for p, committed in group.committed.items() if p.topic != topic}
        self._rebalance_all()

    def allow(self, topic: str, *, may_read: bool) -> None:
        """Grant or revoke the right to read a topic."""
        self._topics[topic].may_read = may_read
        self._rebalance_all()

    def add_partition(self) -> None:
        """Give the topic one more."""
        self._topics[self.topic].logs.append(_Log())
        self._rebalance_all()

    def found(self) -> list[FoundTopic]:
        """All topics, as Kafka lists them."""
        return [
            FoundTopic(name, topic.topic_id, len(topic.logs), topic.may_read) for name, topic in self._topics.items()
        ]

    def send(
        self,
        *values: bytes | None,
        partition: int = 0,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp_ms: int = RECORD_TIME_MS,
        topic: str = "",
    ) -> None:
        """Append records."""
        log = self.log(Partition(topic or self.topic, partition))
        for value in values:
            log.records.append(Record(log.next_offset, value, headers, timestamp_ms, key))
            log.next_offset += 1

    def skip_offset(self, partition: int = 0) -> None:
        """Use up an offset without a record, as the end of a transaction does."""
        self.log(Partition(self.topic, partition)).next_offset += 1

    def delete_before(self, offset: int, partition: int = 0) -> None:
        """Delete records as retention does."""
        log = self.log(Partition(self.topic, partition))
        log.first_offset = offset
        log.records = [record for record in log.records if record.offset >= offset]

    def truncate(self, offset: int, partition: int = 0) -> None:
        """Truncate the end of a partition, as an unclean election does."""
        log = self.log(Partition(self.topic, partition))
        log.next_offset = offset
        log.records = [record for record in log.records if record.offset < offset]

    def log(self, partition: Partition) -> _Log:
        """What a partition holds."""
        return self._topics[partition.topic].logs[partition.number]

    @property
    def partitions(self) -> list[Partition]:
        """All partitions of the main topic."""
        return self.partitions_of([self.topic])

    def partitions_of(self, topics: Iterable[str]) -> list[Partition]:
        """All partitions of these topics."""
        return [Partition(topic, number) for topic in topics for number in range(len(self._topics[topic].logs))]

    def group(self, name: str) -> _Group:
        """A group, new or not."""
        return self._groups.setdefault(name, _Group())

    def committed(self, partition: int = 0, group: str = "group") -> int | None:
        """The next offset that a group has committed for the current topic."""
        checkpoint = self.checkpoint(partition, group)
        return checkpoint.next_offset if checkpoint else None

    def checkpoint(self, partition: int = 0, group: str = "group") -> Checkpoint | None:
        """The checkpoint of a group for a partition of the current topic."""
        committed = self.group(group).committed.get(Partition(self.topic, partition))
        return committed.checkpoint if committed and committed.topic_id in (self.topic_id, None) else None

    def remember(
        self,
        next_offset: int,
        partition: int = 0,
        *,
        lease: Lease | None = None,
        topic_id: str | None = None,
        group: str = "group",
    ) -> None:
        """Set the checkpoint of a group as if a member had committed it, for another topic if an id is given."""
        checkpoint = Checkpoint(next_offset, lease)
        self.group(group).committed[Partition(self.topic, partition)] = _Committed(
            topic_id or self.topic_id, checkpoint
        )

    def set_offset(self, next_offset: int, partition: int = 0, group: str = "group") -> None:
        """Set an offset as an operator does, without our metadata."""
        self.group(group).committed[Partition(self.topic, partition)] = _Committed(None, Checkpoint(next_offset))

    def rebalance(self, group: str = "group") -> None:
        """Reassign the partitions; every member learns of it in its next poll."""
        members = self.group(group).members
        for index, member in enumerate(members):
            member.reassign(self.partitions_of(sorted(member.topics_to_read()))[index :: len(members)])

    def _rebalance_all(self) -> None:
        for group in self._groups:
            self.rebalance(group)


class MemorySource:
    """A RecordSource on MemoryKafka. `next_poll` and `next_commit` script errors; `commit_error` lasts until unset."""

    def __init__(
        self,
        kafka: MemoryKafka,
        *,
        group: str = "group",
        start_from: Literal["earliest", "latest"] = "earliest",
        on_lost: Callable[[Partition, int, int], None] = lambda *_: None,
        on_halted: Callable[[Partition, str], None] = lambda *_: None,
        on_unread: Callable[[Mapping[str, str]], None] = lambda _: None,
        topics: str = "",
        max_chunk_records: int = 500,
        has_keys: bool = False,
    ) -> None:
        """`topics` are those that are read besides the main one, as KAFKA_TOPICS names them."""
        self._kafka = kafka
        self._choice = parse_topics(kafka.topic, topics)
        self._on_unread = on_unread
        self._unread: Mapping[str, str] = {}
        self._has_keys = has_keys
        self._group_name = group
        self._group = kafka.group(group)
        self._start_from = start_from
        self._on_lost = on_lost
        self._on_halted = on_halted
        self._max_chunk_records = max_chunk_records
        self._assigned: list[Partition] = []
        self._positions: dict[Partition, int] = {}
        self._started: set[Partition] = set()
        self._halted: set[Partition] = set()
        self._is_reassigned = False
        self.last_timeout_secs = 0.0  # of the last poll
        self._poll_faults: deque[Exception] = deque()
        self._commit_faults: deque[Exception] = deque()
        self.commit_error: Exception | None = None
        self.commits: list[dict[Partition, Checkpoint]] = []
        """Every successful commit, in order."""
        self.is_paused = False
        self.is_closed = False
        self._group.members.append(self)
        kafka.rebalance(group)

    # For tests.

    def next_poll(self, error: Exception) -> None:
        """One of the next polls raises this."""
        self._poll_faults.append(error)

    def next_commit(self, error: Exception) -> None:
        """One of the next commits raises this."""
        self._commit_faults.append(error)

    @property
    def faults_left(self) -> int:
        """How many added errors have not been raised yet."""
        return len(self._poll_faults) + len(self._commit_faults)

    @property
    def started(self) -> set[Partition]:
        """Partitions that were started since the last assignment."""
        return set(self._started)

    def topics_to_read(self) -> Set[str]:
        """The topics that it reads as they are now; reports the others."""
        found = self._choice.among(self._kafka.found())
        if found.unread != self._unread:
            self._unread = found.unread
            self._on_unread(found.unread)
        return found.topics.keys()

    def reassign(self, partitions: Sequence[Partition]) -> None:
        """Called when partitions are reassigned."""
        self._assigned = list(partitions)
        self._is_reassigned = True

    # RecordSource.

    def poll(self, timeout_secs: float) -> Polled:
        """See `ports.RecordSource`. Never waits."""
        self.last_timeout_secs = timeout_secs
        if self._poll_faults:
            raise self._poll_faults.popleft()
        if self._is_reassigned:
            return Polled(assigned=self._take_assignment())
        if self.is_paused:
            return Polled()
        return Polled(list(self._chunks()))

    def start(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._started.add(partition)

    def pause(self) -> None:
        """See `ports.RecordSource`."""
        self.is_paused = True

    def resume(self) -> None:
        """See `ports.RecordSource`."""
        self.is_paused = False

    def halt(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._halted.add(partition)

    def commit(self, checkpoints: Mapping[Partition, Checkpoint]) -> None:
        """See `ports.RecordSource`."""
        error = self._commit_faults.popleft() if self._commit_faults else self.commit_error
        if isinstance(error, NotOurs):
            self._is_reassigned = True
        if error is not None:
            raise error
        if self._is_reassigned or not checkpoints.keys() <= set(self._assigned):
            self._is_reassigned = True
            raise NotOurs("partitions are being reassigned")
        self.commits.append(dict(checkpoints))
        for partition, checkpoint in checkpoints.items():
            self._group.committed[partition] = _Committed(self._kafka.id_of(partition.topic), checkpoint)

    def positions(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        return {partition: self._positions[partition] for partition in self._readable()}

    def end_offsets(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        return {partition: self._kafka.log(partition).next_offset for partition in self._assigned}

    def close(self, timeout_secs: float) -> None:
        """See `ports.RecordSource`."""
        if not self.is_closed:
            self.is_closed = True
            self._group.members.remove(self)
            self._kafka.rebalance(self._group_name)

    def _take_assignment(self) -> dict[Partition, Position]:
        self._is_reassigned = False
        self._started.clear()
        self._halted.clear()
        is_new_group = not self._group.committed
        if is_new_group and self._start_from == "latest":
            for partition in self._kafka.partitions_of(self.topics_to_read()):
                end, topic_id = self._kafka.log(partition).next_offset, self._kafka.id_of(partition.topic)
                self._group.committed[partition] = _Committed(topic_id, Checkpoint(end))
        positions = {}
        for partition in self._assigned:
            log, current_id = self._kafka.log(partition), self._kafka.id_of(partition.topic)
            of_topic, checkpoint = self._group.committed.get(partition, _Committed("", Checkpoint(0)))
            if of_topic not in (current_id, None):
                checkpoint = Checkpoint(log.first_offset)
                self._group.committed[partition] = _Committed(current_id, checkpoint)
            read_up_to = max(checkpoint.next_offset, checkpoint.lease.end if checkpoint.lease else 0)
            if read_up_to > log.next_offset:
                self._on_halted(partition, f"read up to {read_up_to}, but Kafka ends at {log.next_offset}")
            else:
                positions[partition] = Position(current_id, *checkpoint, is_set_by_others=of_topic is None)
        self._positions = {partition: position.next_offset for partition, position in positions.items()}
        return positions

    def _readable(self) -> list[Partition]:
        return [p for p in self._assigned if p in self._started and p not in self._halted]

    def _chunks(self) -> Iterator[RecordChunk]:
        for partition in self._readable():
            log, position = self._kafka.log(partition), self._positions[partition]
            if position < log.first_offset:
                self._on_lost(partition, position, log.first_offset)
                position = log.first_offset
            waiting = [record for record in log.records if record.offset >= position]
            taken = waiting[: self._max_chunk_records]
            self._positions[partition] = log.next_offset if taken == waiting else taken[-1].offset + 1
            if taken:
                yield RecordChunk(
                    partition=partition,
                    topic_id=self._kafka.id_of(partition.topic),
                    offsets=[record.offset for record in taken],
                    timestamps_ms=[record.timestamp_ms for record in taken],
                    values=[record.value for record in taken],
                    headers=[record.headers for record in taken],
                    next_offset=taken[-1].offset + 1,
                    keys=[record.key for record in taken] if self._has_keys else None,
                )


# The publisher.


class _InFlight(NamedTuple):
    value: bytes
    key: bytes | None
    headers: Headers
    on_delivery: OnDelivery


class MemoryPublisher:
    """A LogPublisher on MemoryKafka that never waits. Callbacks run before `publish` returns, unless it is paused."""

    def __init__(
        self,
        kafka: MemoryKafka | None = None,
        *,
        max_record_bytes: int = 1_000_000,
        max_in_flight_bytes: int = 32 * 1024 * 1024,
        answer: Callable[[bytes], TryAgainLater | Refused | None] = lambda _: None,
    ) -> None:
        """`answer` decides the outcome of a record: None if Kafka accepts it, otherwise the error."""
        self.kafka = kafka or MemoryKafka()
        self.max_record_bytes = max_record_bytes
        self.failure: TryAgainLater | None = None
        """While set, connecting fails with it."""
        self.meanwhile: Callable[[], object] = lambda: None
        """Called when a record has been published."""
        self.is_closed = False
        self._max_in_flight_bytes = max_in_flight_bytes
        self._answer = answer
        self._is_silent = False
        self._in_flight: deque[_InFlight] = deque()
        self._turns = itertools.count()
        self._lock = threading.RLock()

    # For tests.

    @property
    def records(self) -> list[Record]:
        """Delivered records, by partition."""
        return [record for partition in self.kafka.partitions for record in self.kafka.log(partition).records]

    def stop_acknowledging(self) -> None:
        """Acknowledge nothing until `acknowledge` is called."""
        self._is_silent = True

    def acknowledge(self) -> None:
        """Acknowledge waiting and further records."""
        with self._lock:
            self._is_silent = False
            while self._in_flight:
                self._deliver(self._in_flight.popleft())

    # LogPublisher.

    def connect(self, wait_secs: float | None = None) -> int:
        """See `ports.LogPublisher`."""
        if self.is_closed:
            raise TryAgainLater("the publisher is closed", code=KafkaCode.CLOSED)
        if self.failure is not None:
            raise self.failure
        return self.max_record_bytes

    def publish(
        self,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        wait_secs: float,
        on_delivery: OnDelivery,
    ) -> None:
        """See `ports.LogPublisher`."""
        if len(value) + len(key or b"") > self.connect():
            reason = f"a record of {len(value)} bytes is larger than the topic allows ({self.max_record_bytes} bytes)"
            raise Refused(reason, code=KafkaCode.TOO_LARGE)
        with self._lock:
            bytes_in_flight = sum(len(record.value) for record in self._in_flight)
            if bytes_in_flight and bytes_in_flight + len(value) > self._max_in_flight_bytes:
                raise TryAgainLater("too many records wait for Kafka to acknowledge them", code=KafkaCode.FULL)
            record = _InFlight(value, key, headers, on_delivery)
            if self._is_silent:
                self._in_flight.append(record)
            else:
                self._deliver(record)
        self.meanwhile()

    def flush(self, timeout_secs: float) -> None:
        """See `ports.LogPublisher`."""
        if self._in_flight:
            raise TryAgainLater("not everything is acknowledged", code=KafkaCode.TIMEOUT, is_outcome_unknown=True)

    def close(self, timeout_secs: float) -> None:
        """See `ports.LogPublisher`."""
        self.is_closed = True
        with self._lock:
            while self._in_flight:
                reason = "not acknowledged before the publisher was closed"
                error = TryAgainLater(reason, code=KafkaCode.CLOSED, is_outcome_unknown=True)
                self._in_flight.popleft().on_delivery(error)

    def _deliver(self, record: _InFlight) -> None:
        error = self._answer(record.value)
        if error is None:
            turn = zlib.crc32(record.key) if record.key is not None else next(self._turns)
            partition = turn % len(self.kafka.partitions)
            self.kafka.send(record.value, partition=partition, key=record.key, headers=record.headers)
        record.on_delivery(error)


if TYPE_CHECKING:

    def _fits(
        table: MemoryTable,
        reader: ScriptedReader,
        source: MemorySource,
        publisher: MemoryPublisher,
    ) -> tuple[LogWriter, LogReader, RecordSource, LogPublisher]:
        return table, reader, source, publisher
