"""Single records of a real Kafka, read again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from app.backends.kafka.single_records import KafkaRecords
from app.backends.kafka.topic import TopicAdmin
from app.errors import TryAgainLater
from app.settings import KafkaSettings
from local.ports import free_port
from tests.contract.topics import KafkaTopic, kafka_clients
from tests.support.servers import RunningKafka

TIME_MS = 1_700_000_000_000  # that of all records of `KafkaTopic.send`

pytestmark = pytest.mark.stack


class Topic:
    """A topic of one partition, and what reads its records."""

    def __init__(self, topic: KafkaTopic, bootstrap_servers: str) -> None:
        self.send = topic.send
        self.delete_before = topic.delete_before
        settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic=topic.name)
        admin = TopicAdmin(settings)
        self.id = admin.topic_id()
        admin.close()
        # The topic is found by its id alone: its records may be wanted when it is no longer read.
        self.records = KafkaRecords(settings.model_copy(update={"topic": "another"}))


@pytest.fixture
def topic(kafka: RunningKafka) -> Iterator[Topic]:
    with kafka_clients(kafka.bootstrap_servers) as (admin, producer):
        made = KafkaTopic(1, kafka.bootstrap_servers, admin, producer)
        yield Topic(made, kafka.bootstrap_servers)
        made.close()


def test_a_record_is_read_at_its_offset(topic: Topic) -> None:
    topic.send(b"a", b"b", b"c")

    found = topic.records.read(topic.id, 0, 1)

    assert found is not None
    assert (found.value, found.time_ms) == (b"b", TIME_MS)


def test_a_record_that_kafka_has_deleted_is_none(topic: Topic) -> None:
    topic.send(b"a", b"b", b"c")
    topic.delete_before(2)

    assert topic.records.read(topic.id, 0, 1) is None


def test_a_record_of_another_topic_of_the_same_name_is_none(topic: Topic) -> None:
    topic.send(b"a")

    assert topic.records.read(str(uuid.uuid4()), 0, 0) is None
    assert topic.records.read("another", 0, 0) is None


def test_a_kafka_that_does_not_answer_is_given_up_soon() -> None:
    records = KafkaRecords(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}", topic="logs"))
    started_at = time.monotonic()

    with pytest.raises(TryAgainLater):
        records.read(str(uuid.uuid4()), 0, 0)
    assert time.monotonic() - started_at < 10
