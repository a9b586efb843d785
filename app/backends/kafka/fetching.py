"""How the records of a consumer's partitions are fetched: by the consumer itself, or by another client beside it."""

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from app.backends.kafka.workarounds import FetchCycles, keep_join_result, resume_parked_records
from app.domain.records import Partition, Position, RecordChunk


class Fetching(Protocol):
    """Fetches the records of partitions whose owner is a member of the group. Belongs to the thread of the member."""

    def begin(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Partitions were assigned: all that was fetched before is void. None yields records until it is allowed to."""

    def allow(self, readable: Set[TopicPartition], *, is_paused: bool) -> None:
        """Yield the records of these partitions and of no others, or of none while paused."""

    def poll(self, timeout_secs: float) -> Sequence[RecordChunk]:
        """Let the member do its part in the group, and wait for records up to `timeout_secs`.

        Raises:
            NoOffsetForPartitionError: the member has partitions without a position.
            OffsetOutOfRangeError, LogTruncationError: see `KafkaConsumer.poll`; partitions have lost records.
            KafkaError: Kafka does not answer, or answers with an error.
        """

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on reading a partition at this offset."""

    def position(self, partition: TopicPartition) -> int | None:
        """The next offset to read of a partition, None if it is unknown.

        Raises:
            KafkaError: the partition is being reassigned, or has lost records.
        """

    def close(self) -> None:
        """Fetch no more."""


class OwnFetching:
    """The consumer fetches by itself."""

    def __init__(self, consumer: KafkaConsumer, *, has_keys: bool) -> None:
        self._consumer = consumer
        self._has_keys = has_keys
        self._topic_ids: dict[str, str] = {}
        self._cycles = FetchCycles()

    def begin(self, positions: Mapping[TopicPartition, Position]) -> None:
        """See `Fetching`."""
        self._topic_ids = {partition.topic: position.topic_id for partition, position in positions.items()}
        for partition, position in positions.items():
            self._consumer.seek(partition, position.next_offset)

    def allow(self, readable: Set[TopicPartition], *, is_paused: bool) -> None:
        """See `Fetching`."""
        allowed = set() if is_paused else readable
        held = self._consumer.assignment() - allowed
        if held:
            self._consumer.pause(*held)
        if allowed:
            self._consumer.resume(*allowed)

    def poll(self, timeout_secs: float) -> Sequence[RecordChunk]:
        """See `Fetching`."""
        resume_parked_records(self._consumer)
        keep_join_result(self._consumer)
        records = self._consumer.poll(timeout_ms=int(timeout_secs * 1000))
        # Those of other topics are left from before the assignment.
        known = ((partition, batch) for partition, batch in records.items() if partition.topic in self._topic_ids)
        chunks = [self._chunk(partition, batch) for partition, batch in known]
        for chunk in chunks:
            self._cycles.read(chunk.values)
        return chunks

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `Fetching`."""
        self._consumer.seek(partition, offset)

    def position(self, partition: TopicPartition) -> int | None:
        """See `Fetching`."""
        offset = self._consumer.position(partition, timeout_ms=0)
        return None if offset is None else int(offset)

    def close(self) -> None:
        """See `Fetching`: the consumer is closed by its owner."""

    def _chunk(self, partition: TopicPartition, records: list[ConsumerRecord]) -> RecordChunk:
        return RecordChunk(
            partition=Partition(*partition),
            topic_id=self._topic_ids[partition.topic],
            offsets=[record.offset for record in records],
            timestamps_ms=[record.timestamp for record in records],
            values=[record.value for record in records],
            headers=[record.headers for record in records],
            next_offset=records[-1].offset + 1,
            keys=[record.key for record in records] if self._has_keys else None,
        )
