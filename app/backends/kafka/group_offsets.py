"""Begin, end and committed offsets of partitions, read by one consumer."""

from collections.abc import Iterable, Mapping, Set
from typing import Literal

from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from app.domain.records import Checkpoint, Position
from app.pipeline.commit_metadata import read_metadata, write_metadata

_COMMITTED_SECS = 10.0
_OFFSETS_SECS = 5.0


class GroupOffsets:
    """Offsets of topics and of the consumer's group. Every call may raise KafkaError; belongs to one thread."""

    def __init__(self, consumer: KafkaConsumer, start_from: Literal["earliest", "latest"]) -> None:
        """`start_from` is where a new group begins."""
        self._consumer = consumer
        self._start_from = start_from

    def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The lowest offset that Kafka still has of each partition."""
        # Without a limit kafka-python retries for ever, also for a topic that no longer exists.
        return dict(self._consumer.beginning_offsets(list(partitions), timeout_ms=int(_OFFSETS_SECS * 1000)))

    def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset that the next record of each partition will get."""
        return dict(self._consumer.end_offsets(list(partitions), timeout_ms=int(_OFFSETS_SECS * 1000)))

    def starts(self, partitions: list[TopicPartition], *, recreated: Set[str]) -> dict[TopicPartition, int]:
        """Start offsets of partitions that the group has never read.

        The start policy counts for a new group, once: topics that appear later, or are in `recreated`, and partitions
        that are added start at their beginning.
        """
        if self._start_from == "earliest" or self._has_read_before():
            return self.beginnings(partitions)
        anew = [partition for partition in partitions if partition.topic in recreated]
        others = [partition for partition in partitions if partition.topic not in recreated]
        return (self.beginnings(anew) if anew else {}) | (self.ends(others) if others else {})

    def committed(self, partition: TopicPartition, topic_id: str) -> Position | None:
        """The group's committed position; None if none, or one of an earlier topic of the same name."""
        committed = self._consumer.committed(partition, metadata=True, timeout_ms=int(_COMMITTED_SECS * 1000))
        if committed is None:
            return None
        remembered = read_metadata(committed.metadata)
        if remembered is None:
            return Position(topic_id, int(committed.offset), is_set_by_others=True)
        if remembered.topic_id != topic_id:
            return None
        return Position(topic_id, int(committed.offset), remembered.lease)

    def _has_read_before(self) -> bool:
        partitions = [
            TopicPartition(topic, number)
            for topic in self._consumer.subscription()
            for number in self._consumer.partitions_for_topic(topic) or ()
        ]
        timeout_ms = int(_COMMITTED_SECS * 1000)
        return any(self._consumer.committed(partition, timeout_ms=timeout_ms) is not None for partition in partitions)


def to_commit(
    checkpoints: Mapping[TopicPartition, Checkpoint], topic_ids: Mapping[str, str]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Checkpoints in Kafka's own form; the topic's id and the lease are its metadata."""

    def committed(partition: TopicPartition, checkpoint: Checkpoint) -> OffsetAndMetadata:
        metadata = write_metadata(topic_ids[partition.topic], checkpoint.lease)
        return OffsetAndMetadata(checkpoint.next_offset, metadata, -1)

    return {partition: committed(partition, checkpoint) for partition, checkpoint in checkpoints.items()}
