"""KafkaPublisher against a real Kafka."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from app.backends.kafka.publisher import KafkaPublisher
from app.errors import KafkaCode, Refused, TryAgainLater
from app.settings import KafkaSettings
from local.kafka import KafkaServer

pytestmark = pytest.mark.stack

TIMEOUT_SECS = 30


class Kafka(Protocol):
    @property
    def bootstrap_servers(self) -> str: ...


MakePublisher = Callable[..., KafkaPublisher]


@pytest.fixture
def admin(kafka: Kafka) -> Iterator[Any]:
    client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    yield client
    client.close()


@pytest.fixture
def settings(kafka: Kafka, admin: Any) -> KafkaSettings:
    topic = f"publisher-{uuid.uuid4().hex[:12]}"
    admin.create_topics({topic: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
    return KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic=topic)


@pytest.fixture
def own_kafka(kafka: Kafka) -> KafkaServer:
    """The broker, where it is one that a test may pause."""
    if not isinstance(kafka, KafkaServer):
        pytest.skip("the broker at KAFKA_BOOTSTRAP_SERVERS is not ours to pause")
    return kafka


@contextmanager
def silence(kafka: KafkaServer) -> Iterator[None]:
    kafka.pause()
    try:
        yield
    finally:
        kafka.resume()


@pytest.fixture
def make_publisher(settings: KafkaSettings) -> Iterator[MakePublisher]:
    publishers: list[KafkaPublisher] = []

    def make(**options: Any) -> KafkaPublisher:
        publishers.append(KafkaPublisher(settings, **options))
        return publishers[-1]

    yield make
    for publisher in publishers:
        publisher.close(timeout_secs=5)


def records(settings: KafkaSettings) -> list[Any]:
    with KafkaConsumer(bootstrap_servers=settings.bootstrap_servers, auto_offset_reset="earliest") as consumer:
        partitions = [TopicPartition(settings.topic, n) for n in range(2)]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        found: list[Any] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for batch in consumer.poll(timeout_ms=200).values():
                found += batch
        return found


def test_an_acknowledged_record_is_in_the_topic_with_key_and_headers(
    make_publisher: MakePublisher, settings: KafkaSettings
) -> None:
    headers = [("content-type", b"application/x-ndjson")]
    acknowledgement = make_publisher().publish(b"value", key=b"key", headers=headers)

    acknowledgement.result(TIMEOUT_SECS)

    [record] = records(settings)
    assert (record.value, record.key, list(record.headers)) == (b"value", b"key", headers)


def test_the_callback_is_told_once_for_each_record(make_publisher: MakePublisher) -> None:
    publisher = make_publisher()
    told: list[TryAgainLater | Refused | None] = []

    for _ in range(100):
        publisher.publish(b"value", on_done=told.append)
    publisher.flush(TIMEOUT_SECS)

    assert told == [None] * 100


def test_threads_share_a_publisher(make_publisher: MakePublisher, settings: KafkaSettings) -> None:
    publisher = make_publisher()

    def publish(name: int) -> None:
        for n in range(200):
            publisher.publish(b"%d-%d" % (name, n))

    threads = [threading.Thread(target=publish, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher.flush(TIMEOUT_SECS)

    expected = Counter(b"%d-%d" % (name, n) for name in range(8) for n in range(200))
    assert Counter(record.value for record in records(settings)) == expected


def test_a_record_larger_than_the_topic_allows_is_refused(make_publisher: MakePublisher) -> None:
    publisher = make_publisher()

    with pytest.raises(Refused, match=r"a record of 2000000 bytes is larger than topic .* allows \(1048588 bytes\)"):
        publisher.publish(b"x" * 2_000_000)
    publisher.publish(b"small").result(TIMEOUT_SECS)


def test_a_record_that_the_broker_refuses_does_not_end_the_publisher(
    make_publisher: MakePublisher, settings: KafkaSettings, admin: Any
) -> None:
    publisher = make_publisher(compression="none")
    publisher.connect()
    limit = ConfigResource(ConfigResourceType.TOPIC, settings.topic, {"max.message.bytes": "300000"})
    admin.alter_configs([limit])

    with pytest.raises(Refused):
        publisher.publish(b"x" * 500_000).result(TIMEOUT_SECS)
    publisher.publish(b"after").result(TIMEOUT_SECS)

    assert [record.value for record in records(settings)] == [b"after"]
    assert publisher.connect() == 300_000


def test_a_missing_topic_is_to_be_tried_again(settings: KafkaSettings) -> None:
    publisher = KafkaPublisher(settings.model_copy(update={"topic": "missing"}))

    with pytest.raises(TryAgainLater, match=f"topic missing does not exist on {settings.bootstrap_servers}") as raised:
        publisher.publish(b"value")

    assert raised.value.code == KafkaCode.UNKNOWN_TOPIC


def test_while_the_broker_is_silent_no_more_is_taken_than_there_is_room_for(
    own_kafka: KafkaServer, make_publisher: MakePublisher, settings: KafkaSettings
) -> None:
    publisher = make_publisher(max_in_flight_bytes=1_000_000, room_timeout_secs=0.2)
    publisher.publish(b"connects").result(TIMEOUT_SECS)
    room = 1_000_000 // (10_000 + 1_024)

    with silence(own_kafka):
        for _ in range(room):
            publisher.publish(b"x" * 10_000)
        with pytest.raises(TryAgainLater, match="too many records wait") as raised:
            publisher.publish(b"x" * 10_000)
    publisher.flush(TIMEOUT_SECS)

    assert raised.value.code == KafkaCode.FULL
    assert len(records(settings)) == 1 + room


def test_a_record_that_is_not_acknowledged_in_time_fails_with_an_unknown_outcome(
    own_kafka: KafkaServer, make_publisher: MakePublisher
) -> None:
    publisher = make_publisher(delivery_timeout_secs=1.0)
    publisher.publish(b"connects").result(TIMEOUT_SECS)

    with silence(own_kafka), pytest.raises(TryAgainLater, match="not acknowledged within 1 s") as raised:
        publisher.publish(b"value").result(TIMEOUT_SECS)

    assert raised.value.is_outcome_unknown


def test_closing_fails_what_is_still_in_flight(own_kafka: KafkaServer, make_publisher: MakePublisher) -> None:
    publisher = make_publisher()
    told: list[TryAgainLater | Refused | None] = []
    publisher.publish(b"connects").result(TIMEOUT_SECS)

    with silence(own_kafka):
        publisher.publish(b"value", on_done=told.append)
        with pytest.raises(TryAgainLater):
            publisher.flush(timeout_secs=0.1)
        publisher.close(timeout_secs=0.1)

    [error] = told
    assert isinstance(error, TryAgainLater)
    assert error.is_outcome_unknown
    with pytest.raises(TryAgainLater, match="closed"):
        publisher.publish(b"too late")
