"""A topic, in memory or in a real Kafka, and members of groups that read it, with the same interface."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import CoordinatorNotAvailableError, NoError
from kafka.protocol.consumer import IsolationLevel, OffsetSpec
from kafka.structs import OffsetAndMetadata

from app.backends.kafka.compiled_fetcher import NewFetcher
from app.backends.kafka.factory import open_source
from app.backends.kafka.topics import KafkaTopics
from app.build.native import installed
from app.domain.records import Checkpoint, Headers, Lease, Partition, Position, RecordChunk
from app.errors import TryAgainLater
from app.pipeline.commit_metadata import write_metadata
from app.ports import RecordSource
from app.service import submit_to_thread
from app.settings import KafkaSettings
from tests.fakes import RECORD_TIME_MS, MemoryKafka, MemorySource

SESSION_SECS = 6.0  # the minimum of both sides
TIMEOUT_SECS = 60.0  # waits end as soon as their condition holds
_POLL_SECS = 0.05
_METADATA_SECS = 0.5

StartFrom = Literal["earliest", "latest"]
Client = Literal["kafka-python", "confluent", "compiled"]
"""What fetches; `compiled` is librdkafka by compiled code."""
CLIENTS: tuple[Client, ...] = (
    "kafka-python",
    "confluent",
    *(() if installed().new_fetcher is None else ("compiled",)),  # `make native` installs it
)
LIBRDKAFKA = CLIENTS[1:]


def fetcher_of(client: Client) -> NewFetcher | None:
    """The compiled fetcher if this client is it."""
    return installed().new_fetcher if client == "compiled" else None


def setting_of(client: Client) -> Literal["kafka-python", "confluent"]:
    """The KAFKA_CLIENT of a client."""
    return "kafka-python" if client == "kafka-python" else "confluent"


class Seen(NamedTuple):
    """A record as returned by a source."""

    offset: int
    value: bytes | None
    headers: Headers
    timestamp_ms: int


@dataclass
class Reader:
    """A member of a group: starts its assigned partitions, and records its assignments and chunks."""

    source: RecordSource = field(init=False)
    starts_by_itself: bool = True
    assignments: list[Mapping[Partition, Position]] = field(default_factory=list)
    chunks: list[RecordChunk] = field(default_factory=list)
    lost: list[tuple[Partition, int, int]] = field(default_factory=list)
    halted: list[tuple[Partition, str]] = field(default_factory=list)
    unread: Mapping[str, str] = field(default_factory=dict)

    def note_unread(self, reasons: Mapping[str, str]) -> None:
        """Topics that are to be read and cannot be."""
        self.unread = reasons

    def turn(self, timeout_secs: float = _POLL_SECS) -> None:
        """Poll once."""
        polled = self.source.poll(timeout_secs)
        self.chunks += polled.chunks
        if polled.assigned is not None:
            self.assignments.append(polled.assigned)
            for partition in polled.assigned if self.starts_by_itself else ():
                self.source.start(partition)

    def commit(self, next_offset: int, partition: int = 0, *, lease: Lease | None = None) -> None:
        """Commit the stored offset, and optionally a lease."""
        [whole] = {chunk.partition.topic for chunk in self.chunks} | {p.topic for a in self.assignments for p in a}
        self.source.commit({Partition(whole, partition): Checkpoint(next_offset, lease)})

    def try_turn(self) -> None:
        """Poll once; if it fails, the next poll may succeed."""
        try:
            self.turn()
        except TryAgainLater:
            return

    @property
    def assigned(self) -> Mapping[Partition, Position]:
        """The last assignment."""
        return self.assignments[-1] if self.assignments else {}

    @property
    def numbers(self) -> set[int]:
        """Numbers of the assigned partitions."""
        return {partition.number for partition in self.assigned}

    def seen(self, partition: int = 0) -> list[Seen]:
        """Records of one partition, in order of arrival."""
        return [
            Seen(*record)
            for chunk in self.chunks
            if chunk.partition.number == partition
            for record in zip(chunk.offsets, chunk.values, chunk.headers, chunk.timestamps_ms, strict=True)
        ]

    def read(self) -> dict[str, list[bytes | None]]:
        """Values by topic, in order of arrival."""
        topics = sorted({chunk.partition.topic for chunk in self.chunks})
        return {t: [value for c in self.chunks if c.partition.topic == t for value in c.values] for t in topics}

    def topics(self) -> set[str]:
        """Topics of the assigned partitions."""
        return {partition.topic for partition in self.assigned}

    def offsets(self, partition: int = 0) -> list[int]:
        """Offsets of one partition, in order of arrival."""
        return [record.offset for record in self.seen(partition)]

    def values(self, partition: int = 0) -> list[bytes | None]:
        """Values of one partition, in order of arrival."""
        return [record.value for record in self.seen(partition)]


def turn_until(is_so: Callable[[], bool], *readers: Reader, through_trouble: bool = False) -> None:
    """Poll with each of the readers in turn until the condition holds."""
    deadline = time.monotonic() + TIMEOUT_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {TIMEOUT_SECS:g} s, by {readers}"
        for reader in readers:
            if through_trouble:
                reader.try_turn()
            else:
                reader.turn()


class Topic(Protocol):
    """A topic, as the suite uses it."""

    @property
    def name(self) -> str: ...

    def topic_id(self, name: str = "") -> str:
        """Id of the current topic, or of the other one of this name."""

    def send(
        self,
        *values: bytes | None,
        partition: int = 0,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp_ms: int = RECORD_TIME_MS,
        topic: str = "",
    ) -> None:
        """Append records, acknowledged when this returns; to another topic, if one is named."""

    def send_in_transaction(self, *values: bytes, is_committed: bool = True) -> None:
        """Append records to partition 0 in a transaction that is committed or aborted; the marker takes an offset."""

    def delete_before(self, offset: int, partition: int = 0) -> None:
        """Delete records as retention does."""

    def recreate(self, partitions: int, topic: str = "") -> None:
        """Delete the topic, or the other one of this name, and create another one with the same name."""

    def create(self, topic: str, partitions: int = 1) -> None:
        """Create another topic."""

    def delete(self, topic: str) -> None:
        """Delete another topic."""

    def add_partition(self) -> None:
        """Give the topic one more."""

    def set_committed(self, offset: int, partition: int = 0, topic_id: str | None = None) -> None:
        """Set the committed offset of the group, for another topic if an id is given.

        The group has no members yet.
        """

    def set_by_others(self, offset: int, partition: int = 0) -> None:
        """Set the group's offset as an operator does. The group has no members."""

    def expel_members(self) -> None:
        """Expel all members of the group."""

    def member(
        self,
        *,
        start_from: StartFrom = "earliest",
        starts_by_itself: bool = True,
        has_keys: bool = False,
        topics: str = "",
    ) -> Reader:
        """A new member of the group; `topics` are those that it reads too, as KAFKA_TOPICS names them."""

    def close(self) -> None:
        """End all members."""


class MemoryTopic:
    """A topic of MemoryKafka."""

    def __init__(self, partitions: int) -> None:
        self._kafka = MemoryKafka(partitions=partitions, topic=_new_name())
        self.name = self._kafka.topic
        self.send = self._kafka.send
        self.delete_before = self._kafka.delete_before
        self.recreate = self._kafka.recreate
        self.add_partition = self._kafka.add_partition
        self.expel_members = self._kafka.rebalance
        self.delete = self._kafka.delete
        self.allow = self._kafka.allow

    def create(self, topic: str, partitions: int = 1) -> None:
        """See `Topic`."""
        self._kafka.recreate(partitions, topic)

    def topic_id(self, name: str = "") -> str:
        """See `Topic`."""
        return self._kafka.id_of(name or self.name)

    def send_in_transaction(self, *values: bytes, is_committed: bool = True) -> None:
        """See `Topic`."""
        for value in values:
            if is_committed:
                self._kafka.send(value)
            else:
                self._kafka.skip_offset()
        self._kafka.skip_offset()

    def set_committed(self, offset: int, partition: int = 0, topic_id: str | None = None) -> None:
        """See `Topic`."""
        self._kafka.remember(offset, partition, topic_id=topic_id)

    def set_by_others(self, offset: int, partition: int = 0) -> None:
        """See `Topic`."""
        self._kafka.set_offset(offset, partition)

    def member(
        self,
        *,
        start_from: StartFrom = "earliest",
        starts_by_itself: bool = True,
        has_keys: bool = False,
        topics: str = "",
    ) -> Reader:
        """See `Topic`."""
        reader = Reader(starts_by_itself=starts_by_itself)
        reader.source = MemorySource(
            self._kafka,
            start_from=start_from,
            on_lost=lambda *told: reader.lost.append(told),
            on_halted=lambda *told: reader.halted.append(told),
            on_unread=reader.note_unread,
            topics=topics,
            has_keys=has_keys,
        )
        return reader

    def close(self) -> None:
        """See `Topic`."""


class KafkaTopic:
    """A topic of a real Kafka, read by the source that the service reads with."""

    def __init__(
        self,
        partitions: int,
        bootstrap_servers: str,
        admin: KafkaAdminClient,
        producer: Producer,
        configs: Mapping[str, str] | None = None,
        client: Client = "kafka-python",
    ) -> None:
        self._client: Client = client
        self.name = _new_name()
        self._servers = bootstrap_servers
        self._admin = admin
        self._producer = producer
        self._topics = KafkaTopics(self._settings("earliest"))
        self._readers: list[Reader] = []
        self._configs = {"retention.ms": "-1"} | dict(configs or {})  # the tests' records are old
        self.create(self.name, partitions)

    def topic_id(self, name: str = "") -> str:
        """See `Topic`."""
        return self._topics.ids({name or self.name})[name or self.name]

    def send(
        self,
        *values: bytes | None,
        partition: int = 0,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp_ms: int = RECORD_TIME_MS,
        topic: str = "",
    ) -> None:
        """See `Topic`."""
        to = topic or self.name
        send(self._producer, to, values, partition=partition, key=key, headers=headers, timestamp_ms=timestamp_ms)

    def send_in_transaction(self, *values: bytes, is_committed: bool = True) -> None:
        """See `Topic`."""
        end = self._end() + len(values) + 1
        producer = Producer({"bootstrap.servers": self._servers, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions(TIMEOUT_SECS)
        producer.begin_transaction()
        send(producer, self.name, values)
        if is_committed:
            producer.commit_transaction(TIMEOUT_SECS)
        else:
            producer.abort_transaction(TIMEOUT_SECS)
        wait_until(lambda: self._end() == end)  # Kafka writes the end of a transaction a little later

    def delete_before(self, offset: int, partition: int = 0) -> None:
        """See `Topic`."""
        self._admin.delete_records({TopicPartition(self.name, partition): offset})

    def recreate(self, partitions: int, topic: str = "") -> None:
        """See `Topic`."""
        self.delete(topic or self.name)
        self.create(topic or self.name, partitions)

    def delete(self, topic: str) -> None:
        """See `Topic`."""
        self._admin.delete_topics([topic])
        wait_until(lambda: topic not in self._admin.list_topics())

    def add_partition(self) -> None:
        """See `Topic`."""
        [topic] = self._admin.describe_topics([self.name])
        count = len(topic["partitions"]) + 1
        self._admin.create_partitions({self.name: count})
        self._wait_for_partitions(self.name, count)

    def set_committed(self, offset: int, partition: int = 0, topic_id: str | None = None) -> None:
        """See `Topic`."""
        self._set_offset(offset, partition, write_metadata(topic_id or self.topic_id(), None))

    def set_by_others(self, offset: int, partition: int = 0) -> None:
        """See `Topic`."""
        self._set_offset(offset, partition, "")

    def expel_members(self) -> None:
        """See `Topic`."""
        [group] = self._admin.describe_groups([self._group]).values()
        members = [MemberToRemove(member_id=member["member_id"]) for member in group["members"]]
        self._admin.remove_group_members(self._group, members)

    def member(
        self,
        *,
        start_from: StartFrom = "earliest",
        starts_by_itself: bool = True,
        has_keys: bool = False,
        topics: str = "",
    ) -> Reader:
        """See `Topic`."""
        reader = Reader(starts_by_itself=starts_by_itself)
        reader.source = open_source(
            self._settings(start_from, topics),
            on_lost=lambda *told: reader.lost.append(told),
            on_halted=lambda *told: reader.halted.append(told),
            on_unread=reader.note_unread,
            submit=submit_to_thread,
            metadata_secs=_METADATA_SECS,
            has_keys=has_keys,
            new_fetcher=fetcher_of(self._client),
        )
        self._readers.append(reader)
        return reader

    def close(self) -> None:
        """See `Topic`."""
        for reader in self._readers:
            reader.source.close(timeout_secs=1)
        self._topics.close()

    def stored_bytes(self) -> int:
        """Size of the topic on disk."""
        directories = [directory for broker in self._admin.describe_log_dirs() for directory in broker["log_dirs"]]
        logs = [log for directory in directories for log in directory["topics"] if log["name"] == self.name]
        return sum(int(partition["partition_size"]) for log in logs for partition in log["partitions"])

    def _set_offset(self, offset: int, partition: int, metadata: str) -> None:
        committed = OffsetAndMetadata(offset, metadata, -1)
        wait_until(lambda: self._takes_offset(TopicPartition(self.name, partition), committed))

    def _takes_offset(self, partition: TopicPartition, committed: OffsetAndMetadata) -> bool:
        try:
            answers = self._admin.alter_group_offsets(self._group, {partition: committed})
        except CoordinatorNotAvailableError:  # a new broker creates the topic of its groups on first use
            return False
        return answers[partition] is NoError  # and then reads it

    @property
    def _group(self) -> str:
        return f"group-of-{self.name}"

    def _settings(self, start_from: StartFrom, topics: str = "") -> KafkaSettings:
        return KafkaSettings(
            bootstrap_servers=self._servers,
            topic=self.name,
            topics=topics,
            group_id=self._group,
            start_from=start_from,
            session_timeout_secs=SESSION_SECS,
            client=setting_of(self._client),
        )

    def create(self, topic: str, partitions: int = 1) -> None:
        """See `Topic`."""
        wanted = {"num_partitions": partitions, "replication_factor": 1, "configs": self._configs}
        self._admin.create_topics({topic: wanted}, wait_for_metadata=True)
        self._wait_for_partitions(topic, partitions)

    def _wait_for_partitions(self, topic: str, count: int) -> None:
        def known() -> int:
            return len(self._producer.list_topics(topic, TIMEOUT_SECS).topics[topic].partitions)

        wait_until(lambda: known() == count)

    def _end(self) -> int:
        """End of partition 0 for readers of committed records."""
        partition = TopicPartition(self.name, 0)
        found = self._admin.list_partition_offsets(
            {partition: OffsetSpec.LATEST}, isolation_level=IsolationLevel.READ_COMMITTED
        )
        return int(found[partition].offset)


def open_quiet_source(settings: KafkaSettings, new_fetcher: NewFetcher | None = None) -> RecordSource:
    """A source that loses and halts nothing, and reads all of its topics."""

    def never(*told: object) -> None:
        raise AssertionError(told)

    return open_source(
        settings, on_lost=never, on_halted=never, on_unread=never, submit=submit_to_thread, new_fetcher=new_fetcher
    )


def _new_name() -> str:
    return f"source-{uuid.uuid4().hex[:12]}"


def wait_until(is_so: Callable[[], bool]) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + TIMEOUT_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {TIMEOUT_SECS:g} s"
        time.sleep(0.01)


@contextmanager
def kafka_clients(bootstrap_servers: str) -> Iterator[tuple[KafkaAdminClient, Producer]]:
    """Clients to create topics and to send to them."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        yield admin, ordered_producer(bootstrap_servers)
    finally:
        admin.close()


def ordered_producer(bootstrap_servers: str, **options: str | int) -> Producer:
    """A producer with at most one request in flight, so that records arrive in order.

    Not an idempotent one: on a new partition, librdkafka treats the first of two requests as stored when it has to
    repeat it after the second.
    """
    names = {name.replace("_", "."): value for name, value in options.items()}
    settings = {"bootstrap.servers": bootstrap_servers, "acks": "all", "max.in.flight": 1, "linger.ms": 0}
    quiet = {"log_level": 2}  # otherwise it would log twice a second that a stopped broker is unavailable
    return Producer(settings | quiet | names)


def send(
    producer: Producer,
    topic: str,
    values: Sequence[bytes | None],
    *,
    partition: int = 0,
    key: bytes | None = None,
    headers: Headers = (),
    timestamp_ms: int = RECORD_TIME_MS,
) -> None:
    """Append records to a partition, and wait until Kafka has acknowledged all of them."""
    errors: list[Any] = []
    for number, value in enumerate(values):
        if number == 1:
            # librdkafka may have to repeat the first record of a new partition, and would send later ones before it.
            producer.flush(TIMEOUT_SECS)
        producer.produce(
            topic,
            value,
            key,
            partition=partition,
            headers=list(headers),
            timestamp=timestamp_ms,
            on_delivery=lambda error, _: errors.append(error),
        )
    assert producer.flush(TIMEOUT_SECS) == 0
    assert errors == [None] * len(values)
