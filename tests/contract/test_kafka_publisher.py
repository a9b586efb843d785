"""LogPublisher: the contract of `ports.py`, on MemoryPublisher and on a real Kafka."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient

from app.backends.kafka.publisher import KafkaPublisher
from app.errors import KafkaCode, Refused, TryAgainLater
from app.ports import LogPublisher
from tests.contract.publishing import PARTITIONS, KafkaPublishedTopic, MemoryPublishedTopic, PublishedTopic
from tests.support.deliveries import Deliveries
from tests.support.servers import RunningKafka

TIMEOUT_SECS = 60.0


@pytest.fixture(scope="module")
def admin(kafka: RunningKafka) -> Iterator[Any]:
    client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    yield client
    client.close()


@pytest.fixture
def real_topic(kafka: RunningKafka, admin: Any) -> Iterator[KafkaPublishedTopic]:
    topic = KafkaPublishedTopic(kafka, admin)
    yield topic
    topic.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def topic(request: pytest.FixtureRequest) -> Iterator[PublishedTopic]:
    if request.param == "kafka":
        yield request.getfixturevalue("real_topic")
        return
    memory = MemoryPublishedTopic()
    yield memory
    memory.close()


def fill(publisher: LogPublisher, value: bytes, deliveries: Deliveries) -> tuple[int, TryAgainLater]:
    """Publish until the queue is full; returns the number of accepted records, and the error of the next one."""
    for count in range(1_000):
        try:
            publisher.publish(value, wait_secs=0.2, on_delivery=deliveries)
        except TryAgainLater as error:
            return count, error
    raise AssertionError("there is room without end")


def publish_and_wait(publisher: LogPublisher, value: bytes) -> TryAgainLater | Refused | None:
    """Publish one record; returns its outcome."""
    deliveries = Deliveries()
    publisher.publish(value, wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
    [outcome] = deliveries.wait_for(1)
    return outcome


# Publishing.


def test_a_delivered_record_is_in_the_topic_with_key_and_headers(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    headers = [("content-type", b"application/x-ndjson"), ("empty", b"")]

    publisher.publish(b"value", key=b"key", headers=headers, wait_secs=TIMEOUT_SECS, on_delivery=deliveries)

    assert deliveries.wait_for(1) == [None]
    [record] = topic.records()
    assert (record.value, record.key, record.headers) == (b"value", b"key", headers)


def test_a_caller_waits_for_all_of_its_records_at_once(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()

    for number in range(100):
        publisher.publish(b"%d" % number, wait_secs=TIMEOUT_SECS, on_delivery=deliveries)

    assert deliveries.wait_for(100) == [None] * 100
    assert {record.value for record in topic.records()} == {b"%d" % number for number in range(100)}


def test_after_a_flush_every_record_has_its_outcome_also_where_callbacks_are_slow(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()

    def take_time(error: TryAgainLater | Refused | None) -> None:
        time.sleep(0.2)
        deliveries(error)

    publisher.publish(b"value", wait_secs=TIMEOUT_SECS, on_delivery=take_time)

    publisher.flush(TIMEOUT_SECS)

    assert deliveries.outcomes == [None]


def test_records_of_a_key_keep_their_order_on_one_partition(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    for number in range(200):
        key = b"%d" % (number % 10)
        publisher.publish(b"%d" % number, key=key, wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
    deliveries.wait_for(200)

    records = topic.records()
    for digit in range(10):
        of_key = [record for record in records if record.key == b"%d" % digit]
        assert len({record.partition for record in of_key}) == 1
        assert [int(record.value) for record in of_key] == list(range(digit, 200, 10))


def test_records_without_a_key_spread_over_the_partitions(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    for _ in range(100):
        publisher.publish(b"x" * 50_000, wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
    deliveries.wait_for(100)

    assert {record.partition for record in topic.records()} == set(range(PARTITIONS))


def test_threads_share_a_publisher(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()

    def publish(name: int) -> None:
        for n in range(200):
            publisher.publish(b"%d-%d" % (name, n), wait_secs=TIMEOUT_SECS, on_delivery=deliveries)

    threads = [threading.Thread(target=publish, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert deliveries.wait_for(8 * 200) == [None] * 8 * 200
    expected = Counter(b"%d-%d" % (name, n) for name in range(8) for n in range(200))
    assert Counter(record.value for record in topic.records()) == expected


# Records that are too large.


def test_a_record_larger_than_the_topic_allows_is_refused_and_the_next_one_is_not(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    limit = publisher.connect()

    with pytest.raises(Refused, match=rf"a record of {limit + 1} bytes is larger than .* allows \({limit}") as raised:
        publisher.publish(b"x" * (limit + 1), wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
    outcome = publish_and_wait(publisher, b"x" * (limit - 100))

    assert raised.value.code == KafkaCode.TOO_LARGE
    assert (outcome, deliveries.outcomes) == (None, [])


@pytest.mark.stack
def test_a_record_that_the_broker_refuses_does_not_end_the_publisher(real_topic: KafkaPublishedTopic) -> None:
    publisher = real_topic.publisher(compression="none")
    publisher.connect()
    real_topic.set_limit(300_000)

    refused = publish_and_wait(publisher, b"x" * 500_000)
    after = publish_and_wait(publisher, b"after")

    assert isinstance(refused, Refused)
    assert refused.code == KafkaCode.TOO_LARGE
    assert after is None
    assert [record.value for record in real_topic.records()] == [b"after"]
    assert publisher.connect() == 300_000


# When Kafka does not answer.


@pytest.mark.stack
def test_a_missing_topic_is_to_be_retried(real_topic: KafkaPublishedTopic) -> None:
    settings = real_topic.settings.model_copy(update={"topic": "missing"})
    publisher = KafkaPublisher(settings)

    with pytest.raises(TryAgainLater, match=f"topic missing does not exist on {settings.bootstrap_servers}") as raised:
        publisher.publish(b"value", wait_secs=TIMEOUT_SECS, on_delivery=Deliveries())

    assert raised.value.code == KafkaCode.UNKNOWN_TOPIC


def test_without_acknowledgements_the_queue_is_bounded(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(max_in_flight_bytes=1_000_000), Deliveries()
    publish_and_wait(publisher, b"connects")

    with topic.paused():
        taken, error = fill(publisher, b"x" * 10_000, deliveries)
        assert deliveries.outcomes == []

    assert str(error) == "too many records wait for Kafka to acknowledge them"
    assert (error.code, error.is_outcome_unknown) == (KafkaCode.FULL, False)
    assert 50 <= taken <= 100
    assert deliveries.wait_for(taken) == [None] * taken
    assert len(topic.records()) == 1 + taken


def test_a_flush_reports_a_timeout(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    publish_and_wait(publisher, b"connects")

    with topic.paused():
        publisher.publish(b"value", wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
        with pytest.raises(TryAgainLater) as raised:
            publisher.flush(timeout_secs=0.1)

    assert (raised.value.code, raised.value.is_outcome_unknown) == (KafkaCode.TIMEOUT, True)
    assert deliveries.wait_for(1) == [None]


@pytest.mark.stack
def test_a_record_that_is_not_acknowledged_in_time_fails_with_an_unknown_outcome(
    real_topic: KafkaPublishedTopic,
) -> None:
    publisher = real_topic.publisher(delivery_timeout_secs=1.0)
    publish_and_wait(publisher, b"connects")

    with real_topic.paused():
        outcome = publish_and_wait(publisher, b"value")

    assert isinstance(outcome, TryAgainLater)
    assert str(outcome) == "not acknowledged within 1 s"
    assert (outcome.code, outcome.is_outcome_unknown) == (KafkaCode.TIMEOUT, True)


# The end.


def test_closing_waits_for_what_is_in_flight(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    for _ in range(100):
        publisher.publish(b"value", wait_secs=TIMEOUT_SECS, on_delivery=deliveries)

    publisher.close(TIMEOUT_SECS)

    assert deliveries.outcomes == [None] * 100
    assert len(topic.records()) == 100


def test_closing_fails_what_is_still_in_flight_and_takes_nothing_more(topic: PublishedTopic) -> None:
    publisher, deliveries = topic.publisher(), Deliveries()
    publish_and_wait(publisher, b"connects")

    with topic.paused():
        publisher.publish(b"value", wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
        publisher.close(timeout_secs=0.1)
        publisher.close(timeout_secs=0.1)

    [error] = deliveries.outcomes
    assert isinstance(error, TryAgainLater)
    assert (error.code, error.is_outcome_unknown) == (KafkaCode.CLOSED, True)
    with pytest.raises(TryAgainLater, match="closed") as raised:
        publisher.publish(b"too late", wait_secs=TIMEOUT_SECS, on_delivery=deliveries)
    with pytest.raises(TryAgainLater):
        publisher.connect()
    assert (raised.value.code, raised.value.is_outcome_unknown) == (KafkaCode.CLOSED, False)
