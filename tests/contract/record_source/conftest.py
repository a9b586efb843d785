"""RecordSource: the contract of `ports.py`, on MemoryKafka and on a real Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.record_source.samples import MakeTopic
from tests.contract.topics import KafkaTopic, MemoryTopic, Topic, kafka_clients
from tests.support.servers import RunningKafka


@pytest.fixture(scope="module")
def make_kafka_topic(kafka: RunningKafka) -> Iterator[Callable[[int], KafkaTopic]]:
    """Creates topics with unique names, and closes their readers at the end of the module."""
    with kafka_clients(kafka.bootstrap_servers) as (admin, producer):
        yield lambda partitions: KafkaTopic(partitions, kafka.bootstrap_servers, admin, producer)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def make_topic(request: pytest.FixtureRequest) -> Iterator[MakeTopic]:
    topics: list[Topic] = []
    kind = MemoryTopic if request.param == "memory" else request.getfixturevalue("make_kafka_topic")

    def make(partitions: int = 1) -> Topic:
        topics.append(kind(partitions))
        return topics[-1]

    yield make
    for topic in topics:
        topic.close()


@pytest.fixture
def topic(make_topic: MakeTopic) -> Topic:
    """A topic of one partition."""
    return make_topic()


@pytest.fixture
def real_topic(make_kafka_topic: Callable[[int], KafkaTopic]) -> Iterator[KafkaTopic]:
    """A topic of one partition in a real Kafka."""
    topic = make_kafka_topic(1)
    yield topic
    topic.close()
