"""AuditedTopics on Kafka: reads offsets, and single spans of records. Joins no group and commits nothing."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from kafka import IsolationLevel, KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from app.backends.kafka.errors import try_again
from app.backends.kafka.options import groupless_consumer_options
from app.backends.kafka.probe import with_coordinator
from app.backends.kafka.topic import open_admin
from app.backends.kafka.topics import found_topics
from app.backends.kafka.unreachable import explained_unreachable
from app.backends.kafka.workarounds import open_client
from app.domain.offsets import PartitionOffsets, Reading, Span, TopicOffsets
from app.domain.records import Partition
from app.domain.topics import NOT_THERE
from app.errors import KafkaCode, TryAgainLater
from app.pipeline.commit_metadata import read_metadata
from app.settings import KafkaSettings

_REQUEST_MS = 10_000
_POLL_SECS = 0.5
_NO_PROGRESS_SECS = 10.0
_MAX_POLL_RECORDS = 5_000


class _Known(NamedTuple):
    """The result of the last poll: all records in a span of a partition."""

    partition: Partition | None
    span: Span
    offsets: Sequence[int]


class KafkaOffsets:
    """Topics and one group, read from outside the group. See `ports.AuditedTopics`. One thread at a time."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Connect.

        Raises:
            TryAgainLater: Kafka does not answer.
        """
        self._settings = settings
        self._clock = clock
        self._consumer: KafkaConsumer | None = None
        self._known = _Known(None, Span(0, 0), ())
        self._admin = open_admin(settings)

    def offsets(self, since_ms: int) -> Sequence[TopicOffsets]:
        """See `ports.AuditedTopics`."""
        try:
            return self._offsets(since_ms)
        except (KafkaError, OSError) as error:
            raise try_again(error, f"read offsets of {self._settings.topics_in_words}") from error

    def records(self, partition: Partition, span: Span, has_time: Callable[[], bool]) -> Reading:
        """See `ports.AuditedTopics`."""
        try:
            return self._records(partition, span, has_time)
        except (KafkaError, OSError) as error:
            raise try_again(error, f"read offsets {span} of {partition}") from error

    def close(self) -> None:
        """End the connections."""
        self._admin.close()
        if self._consumer is not None:
            self._consumer.close(autocommit=False)

    def _offsets(self, since_ms: int) -> Sequence[TopicOffsets]:
        choice = self._settings.topic_choice
        # Also those that we may not read: what was read of them before, and their offsets, may still be compared.
        topics = [topic for topic in sorted(found_topics(self._admin, choice)) if topic.topic_id]
        if not topics:
            raise TryAgainLater(f"topic {choice.main} {NOT_THERE}", code=KafkaCode.UNKNOWN_TOPIC)
        # Read first: otherwise records that arrive meanwhile would look committed but missing.
        committed = self._committed({topic.name: topic.topic_id for topic in topics})
        partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partition_count)]
        begins = _list_offsets(self._admin, partitions, OffsetSpec.EARLIEST)
        ends = _list_offsets(self._admin, partitions, OffsetSpec.LATEST)
        since = _list_offsets(self._admin, partitions, since_ms)

        def found(partition: TopicPartition) -> PartitionOffsets:
            begin, end, first = begins[partition], ends[partition], since[partition]
            return PartitionOffsets(begin, end, end if first < 0 else max(begin, first), committed.get(partition))

        return [
            TopicOffsets(
                topic.name,
                topic.topic_id,
                {partition.partition: found(partition) for partition in partitions if partition.topic == topic.name},
            )
            for topic in topics
        ]

    def _committed(self, topic_ids: Mapping[str, str]) -> dict[TopicPartition, int]:
        """The group's committed offsets of these topics, without those of an earlier topic of the same name."""
        group = self._settings.group_id
        found = with_coordinator(lambda: self._admin.list_group_offsets([group]))[group]
        return {
            partition: int(checkpoint.offset)
            for partition, checkpoint in found.items()
            if checkpoint.offset >= 0
            and partition.topic in topic_ids
            and _is_of(checkpoint, topic_ids[partition.topic])
        }

    def _records(self, partition: Partition, span: Span, has_time: Callable[[], bool]) -> Reading:
        found: list[Span] = []
        begin, position = 0, span.first
        while position < span.next and has_time():
            if not self._covers(partition, position):
                try:
                    self._known = self._read(partition, position)
                except OffsetOutOfRangeError:
                    begin = self._begin(partition)
                    if begin <= position:
                        raise
                    position = min(begin, span.next)
                    continue
            _extend(found, (offset for offset in self._known.offsets if position <= offset < span.next))
            position = min(self._known.span.next, span.next)
        return Reading(found, begin, position)

    def _covers(self, partition: Partition, position: int) -> bool:
        return partition == self._known.partition and self._known.span.first <= position < self._known.span.next

    def _read(self, partition: Partition, position: int) -> _Known:
        """The records of one poll, from `position` on, and the position after them."""
        consumer, topic_partition = self._open(), TopicPartition(*partition)
        if consumer.assignment() != {topic_partition}:
            consumer.assign([topic_partition])
        consumer.seek(topic_partition, position)
        deadline = self._clock() + _NO_PROGRESS_SECS
        while self._clock() < deadline:
            polled = consumer.poll(timeout_ms=int(_POLL_SECS * 1000))
            # The position moves even over offsets without records.
            reached = consumer.position(topic_partition, timeout_ms=_REQUEST_MS)
            if reached is not None and reached > position:
                offsets = [record.offset for record in polled.get(topic_partition, ())]
                return _Known(partition, Span(position, reached), offsets)
        reason = f"Kafka returns nothing from offset {position:,} of {topic_partition}"
        raise TryAgainLater(reason, code=KafkaCode.TIMEOUT)

    def _begin(self, partition: Partition) -> int:
        wanted = TopicPartition(*partition)
        return _list_offsets(self._admin, [wanted], OffsetSpec.EARLIEST)[wanted]

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            options = groupless_consumer_options(
                self._settings, "log-ingest-audit", request_ms=_REQUEST_MS, max_poll_records=_MAX_POLL_RECORDS
            )
            with explained_unreachable(self._settings.bootstrap_servers):
                self._consumer = open_client(KafkaConsumer, options)
        return self._consumer


def _list_offsets(
    admin: KafkaAdminClient, partitions: Iterable[TopicPartition], wanted: OffsetSpec | int
) -> dict[TopicPartition, int]:
    found = admin.list_partition_offsets(
        dict.fromkeys(partitions, wanted), isolation_level=IsolationLevel.READ_COMMITTED
    )
    return {partition: int(listed.offset) for partition, listed in found.items()}


def _is_of(checkpoint: OffsetAndMetadata, topic_id: str) -> bool:
    remembered = read_metadata(checkpoint.metadata)
    return remembered is None or remembered.topic_id == topic_id


def _extend(spans: list[Span], offsets: Iterable[int]) -> None:
    """Add ascending offsets; consecutive ones become one span."""
    for offset in offsets:
        if spans and spans[-1].next == offset:
            spans[-1] = Span(spans[-1].first, offset + 1)
        else:
            spans.append(Span(offset, offset + 1))
