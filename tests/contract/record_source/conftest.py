"""RecordSource: the contract of `ports.py`, on MemoryKafka and on a real Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.record_source.samples import MakeTopic
from tests.contract.topics import CLIENTS, Client, KafkaTopic, MemoryTopic, Topic, kafka_clients
from tests.support.servers import RunningKafka


@pytest.fixture(scope="module")
def make_kafka_topic(kafka: RunningKafka) -> Iterator[Callable[[int, Client], KafkaTopic]]:
    """Creates topics with unique names, and closes their readers at the end of the module."""
    with kafka_clients(kafka.bootstrap_servers) as (admin, producer):
        yield lambda partitions, client: KafkaTopic(partitions, kafka.bootstrap_servers, admin, producer, client=client)


@pytest.fixture(params=["memory", *(pytest.param(client, marks=pytest.mark.stack) for client in CLIENTS)])
def make_topic(request: pytest.FixtureRequest) -> Iterator[MakeTopic]:
    topics: list[Topic] = []

    def make(partitions: int = 1) -> Topic:
        if request.param == "memory":
            topics.append(MemoryTopic(partitions))
        else:
            topics.append(request.getfixturevalue("make_kafka_topic")(partitions, request.param))
        return topics[-1]

    yield make
    for topic in topics:
        topic.close()


@pytest.fixture
def topic(make_topic: MakeTopic) -> Topic:
    """A topic of one partition."""
    return make_topic()


@pytest.fixture(params=CLIENTS)
def real_topic(
    make_kafka_topic: Callable[[int, Client], KafkaTopic], request: pytest.FixtureRequest
) -> Iterator[KafkaTopic]:
    """A topic of one partition in a real Kafka."""
    topic = make_kafka_topic(1, request.param)
    yield topic
    topic.close()
