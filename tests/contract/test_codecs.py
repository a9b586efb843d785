"""Records in every compression and size of Kafka, read with the service's source."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import psutil
import pytest
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from tests.contract.topics import (
    CLIENTS,
    LIBRDKAFKA,
    Client,
    KafkaTopic,
    kafka_clients,
    ordered_producer,
    send,
    turn_until,
)
from tests.support.servers import RunningKafka

pytestmark = pytest.mark.stack

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
USUAL_MAX_BYTES = 1_048_588  # Kafka's own limit for a batch of records
BATCH_OVERHEAD_BYTES = 61 + 11  # overhead of a batch with one record of about 1 MiB

MakeTopic = Callable[..., KafkaTopic]


@pytest.fixture(params=CLIENTS)
def make_topic(kafka: RunningKafka, request: pytest.FixtureRequest) -> Iterator[MakeTopic]:
    """Topics that are read with each of the clients."""
    with kafka_clients(kafka.bootstrap_servers) as (admin, producer):
        topics: list[KafkaTopic] = []

        def make(partitions: int = 1, configs: Mapping[str, str] | None = None) -> KafkaTopic:
            topics.append(KafkaTopic(partitions, kafka.bootstrap_servers, admin, producer, configs, request.param))
            return topics[-1]

        yield make
        for topic in topics:
            topic.close()


def send_by_librdkafka(servers: str, topic: str, values: Sequence[bytes], codec: str) -> None:
    producer = ordered_producer(servers, compression_type=codec, linger_ms=100, message_max_bytes=100_000_000)
    send(producer, topic, values)


def send_by_kafka_python(servers: str, topic: str, values: Sequence[bytes], codec: str) -> None:
    producer = KafkaProducer(
        bootstrap_servers=servers,
        acks="all",
        compression_type=None if codec == "none" else codec,
        linger_ms=100,
        max_request_size=100_000_000,
    )
    try:
        for acknowledgement in [producer.send(topic, value) for value in values]:
            acknowledgement.get(20)
    finally:
        producer.close()


every_sender = pytest.mark.parametrize("send_by", [send_by_librdkafka, send_by_kafka_python])


@every_sender
@pytest.mark.parametrize("codec", CODECS)
def test_records_of_every_compression_are_read(
    kafka: RunningKafka,
    make_topic: MakeTopic,
    send_by: Callable[[str, str, Sequence[bytes], str], None],
    codec: str,
) -> None:
    topic = make_topic()
    values = [b"%d \x00\xff " % n + b"as repetitive as a log " * (n % 100) for n in range(1000)]
    sent_bytes = sum(len(value) for value in values)

    send_by(kafka.bootstrap_servers, topic.name, values, codec)
    reader = topic.member()
    turn_until(lambda: len(reader.seen()) >= len(values), reader)

    assert reader.values() == values
    assert (topic.stored_bytes() < sent_bytes / 2) == (codec != "none")


def test_codecs_may_change_from_batch_to_batch(kafka: RunningKafka, make_topic: MakeTopic) -> None:
    topic = make_topic()
    for codec in CODECS:
        send_by_librdkafka(kafka.bootstrap_servers, topic.name, [codec.encode()], codec)

    reader = topic.member()
    turn_until(lambda: len(reader.seen()) == len(CODECS), reader)

    assert reader.values() == [codec.encode() for codec in CODECS]


def test_the_largest_record_that_a_topic_usually_allows_is_read(kafka: RunningKafka, make_topic: MakeTopic) -> None:
    topic = make_topic()
    largest = USUAL_MAX_BYTES - BATCH_OVERHEAD_BYTES

    with pytest.raises(MessageSizeTooLargeError):
        send_by_kafka_python(kafka.bootstrap_servers, topic.name, [b"x" * (largest + 1)], "none")
    send_by_kafka_python(kafka.bootstrap_servers, topic.name, [b"before", b"x" * largest, b"after"], "none")
    reader = topic.member()
    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.values() == [b"before", b"x" * largest, b"after"]


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_a_record_larger_than_a_fetch_is_read(kafka: RunningKafka, make_topic: MakeTopic, codec: str) -> None:
    topic = make_topic(configs={"max.message.bytes": "20000000"})
    values = [b"before", bytes(range(256)) * 50_000, b"after"]  # 12.8 MB, where a fetch asks for 8

    send_by_librdkafka(kafka.bootstrap_servers, topic.name, values, codec)
    reader = topic.member()
    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.values() == values


@pytest.fixture
def rare_collections() -> Iterator[None]:
    """Run the garbage collector as rarely as the service, which has many objects and few cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    yield
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("rare_collections")
def test_large_records_do_not_stay_in_memory(kafka: RunningKafka, make_topic: MakeTopic) -> None:
    large, count = 40_000_000, 8
    topic = make_topic(configs={"max.message.bytes": "50000000"})
    send_by_librdkafka(kafka.bootstrap_servers, topic.name, [bytes(large)] * count, "none")
    reader, process = topic.member(), psutil.Process()
    turn_until(lambda: bool(reader.assignments), reader)
    before, read, most = process.memory_info().rss, 0, 0

    def has_read_all() -> bool:
        nonlocal read, most
        read += len(reader.seen())
        reader.chunks.clear()
        most = max(most, process.memory_info().rss)
        return read == count

    turn_until(has_read_all, reader)

    assert most - before < 0.75 * count * large


def test_many_large_records_are_read_from_several_partitions(kafka: RunningKafka, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=4)
    values = [b"%d " % n + bytes([n]) * 900_000 for n in range(10)]
    for partition in range(4):
        topic.send(*values, partition=partition)

    reader = topic.member()
    turn_until(lambda: sum(len(reader.seen(partition)) for partition in range(4)) >= 40, reader)

    sums = [zlib.crc32(value) for value in values]
    for partition in range(4):
        assert [zlib.crc32(value or b"") for value in reader.values(partition)] == sums


class NotUtf8(str):
    """A name of a header that a client in another language may send."""

    def encode(self, *_: object) -> bytes:
        return b"\xff"


@pytest.mark.parametrize("client", LIBRDKAFKA)
def test_a_record_whose_header_has_a_name_that_is_not_utf_8_comes_without_its_headers(
    kafka: RunningKafka, client: Client
) -> None:
    """Only with librdkafka: kafka-python 3.0.12 cannot read on."""
    with kafka_clients(kafka.bootstrap_servers) as (admin, producer):
        topic = KafkaTopic(1, kafka.bootstrap_servers, admin, producer, client=client)
        odd = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
        for value, name in ((b"before", "fine"), (b"odd", NotUtf8("x")), (b"after", "fine")):
            odd.send(topic.name, value, headers=[(name, b"v")]).get(20)
        odd.close()
        reader = topic.member()
        turn_until(lambda: len(reader.seen()) == 3, reader)
        topic.close()

    assert [(record.value, list(record.headers)) for record in reader.seen()] == [
        (b"before", [("fine", b"v")]),
        (b"odd", []),
        (b"after", [("fine", b"v")]),
    ]
