"""A topic to publish to, in memory or in a real Kafka, with the same interface."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, Protocol

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from app.backends.kafka.publisher import KafkaPublisher
from app.ports import LogPublisher
from app.settings import KafkaSettings
from local.kafka import KafkaServer
from tests.fakes import MemoryKafka, MemoryPublisher
from tests.support.servers import RunningKafka

PARTITIONS = 2


class Published(NamedTuple):
    """A record as it is in the topic."""

    partition: int
    value: bytes
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]


class PublishedTopic(Protocol):
    """A topic of two partitions, as the suite uses it."""

    def publisher(self, *, max_in_flight_bytes: int = ...) -> LogPublisher:
        """A new publisher; it is closed with the topic."""

    def records(self) -> list[Published]:
        """All records of the topic, by partition."""

    def paused(self) -> AbstractContextManager[None]:
        """While the block lasts, Kafka accepts and acknowledges nothing; publishers are already connected."""

    def close(self) -> None:
        """Close the publishers."""


class MemoryPublishedTopic:
    """A topic in memory."""

    def __init__(self) -> None:
        self._kafka = MemoryKafka(partitions=PARTITIONS)
        self._publishers: list[MemoryPublisher] = []

    def publisher(self, *, max_in_flight_bytes: int = 32 * 1024 * 1024) -> MemoryPublisher:
        """See `PublishedTopic`."""
        self._publishers.append(MemoryPublisher(self._kafka, max_in_flight_bytes=max_in_flight_bytes))
        return self._publishers[-1]

    def records(self) -> list[Published]:
        """See `PublishedTopic`."""
        return [
            Published(partition.number, record.value or b"", record.key, [(k, v or b"") for k, v in record.headers])
            for partition in self._kafka.partitions
            for record in self._kafka.log(partition).records
        ]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """See `PublishedTopic`."""
        for publisher in self._publishers:
            publisher.stop_acknowledging()
        try:
            yield
        finally:
            for publisher in self._publishers:
                publisher.acknowledge()

    def close(self) -> None:
        """See `PublishedTopic`."""
        for publisher in self._publishers:
            publisher.close(timeout_secs=0)


class KafkaPublishedTopic:
    """A topic of a real Kafka."""

    def __init__(self, kafka: RunningKafka, admin: Any) -> None:
        self._kafka = kafka
        self._admin = admin
        self._publishers: list[KafkaPublisher] = []
        name = f"publisher-{uuid.uuid4().hex[:12]}"
        admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True)
        self.settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic=name)

    def publisher(self, **options: Any) -> KafkaPublisher:
        """See `PublishedTopic`; takes every option of KafkaPublisher."""
        self._publishers.append(KafkaPublisher(self.settings, **options))
        return self._publishers[-1]

    def records(self) -> list[Published]:
        """See `PublishedTopic`."""
        servers = self.settings.bootstrap_servers
        with KafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
            partitions = [TopicPartition(self.settings.topic, number) for number in range(PARTITIONS)]
            ends = consumer.end_offsets(partitions)
            consumer.assign(partitions)
            found: list[Any] = []
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                for batch in consumer.poll(timeout_ms=200).values():
                    found += batch
        found.sort(key=lambda record: record.partition)  # stable, so the order within a partition stays
        return [Published(record.partition, record.value, record.key, list(record.headers)) for record in found]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """See `PublishedTopic`."""
        if not isinstance(self._kafka, KafkaServer):
            pytest.skip("the broker at KAFKA_BOOTSTRAP_SERVERS is not ours to pause")
        self._kafka.pause()
        try:
            yield
        finally:
            self._kafka.resume()

    def set_limit(self, max_record_bytes: int) -> None:
        """Set the maximum record size of the topic."""
        limit = {"max.message.bytes": str(max_record_bytes)}
        self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.settings.topic, limit)])

    def close(self) -> None:
        """See `PublishedTopic`."""
        for publisher in self._publishers:
            publisher.close(timeout_secs=5)
