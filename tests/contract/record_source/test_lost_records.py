"""Records that retention deleted, or that Kafka has lost."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.domain.records import Partition
from app.errors import KafkaCode, MustRejoin, TryAgainLater
from local.kafka import KafkaServer
from local.ports import free_port
from tests.contract.record_source.samples import MakeTopic
from tests.contract.topics import CLIENTS, LIBRDKAFKA, Client, KafkaTopic, Topic, kafka_clients, turn_until


def test_records_deleted_before_they_were_read_are_reported_and_reading_continues(topic: Topic) -> None:
    topic.send(*(b"%d" % n for n in range(10)))
    topic.set_committed(2)
    topic.delete_before(6)
    reader = topic.member()
    turn_until(lambda: len(reader.seen()) == 4, reader)

    assert reader.lost == [(Partition(topic.name, 0), 2, 6)]
    assert reader.offsets() == [6, 7, 8, 9]
    assert reader.halted == []


def test_a_new_group_misses_nothing_of_what_was_deleted_before_it(topic: Topic) -> None:
    topic.send(*(b"%d" % n for n in range(5)))
    topic.delete_before(3)
    reader = topic.member()
    turn_until(lambda: len(reader.seen()) == 2, reader)

    assert reader.offsets() == [3, 4]
    assert reader.lost == []


def test_a_partition_that_ends_before_what_was_read_of_it_is_halted(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    topic.send(b"a", b"b", partition=0)
    topic.send(b"a", partition=1)
    topic.set_committed(5, partition=0)
    reader = topic.member()

    turn_until(lambda: bool(reader.seen(1)), reader)

    [(partition, reason)] = reader.halted
    assert partition == Partition(topic.name, 0)
    assert "but Kafka ends at 2" in reason
    assert reader.assigned.keys() == {Partition(topic.name, 1)}
    assert reader.seen(0) == []


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the broker."""
    return tmp_path_factory.mktemp("kafka")


@pytest.fixture(scope="module")
def own_kafka(directory: Path) -> Iterator[KafkaServer]:
    """A broker that a test may kill, and starts again."""
    server = KafkaServer(directory, free_port())
    server.start()
    yield server
    server.kill()


@contextmanager
def own_topics(server: KafkaServer, *clients: Client, partitions: int) -> Iterator[list[KafkaTopic]]:
    """A topic for each client. Readers end with the block, also when it fails: their threads would disturb others."""
    with kafka_clients(server.bootstrap_servers) as (admin, producer), ExitStack() as closing_all:
        topics = [
            KafkaTopic(partitions, server.bootstrap_servers, admin, producer, client=client) for client in clients
        ]
        for topic in topics:
            closing_all.callback(topic.close)
        yield topics
    gc.collect()


# kafka-python leaves the sockets of failed connection attempts to the garbage collector.
leaves_sockets = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


@leaves_sockets
@pytest.mark.stack
def test_a_commit_that_kafka_does_not_answer_ends_the_membership(
    own_kafka: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Only on the real Kafka: the fake raises scripted errors. Commits are made by one client, whatever fetches."""
    caplog.set_level(logging.CRITICAL, "kafka")  # log records kept by pytest would keep its sockets too
    with own_topics(own_kafka, "kafka-python", partitions=1) as [topic]:
        topic.send(b"a", b"b")
        first = topic.member()
        turn_until(lambda: len(first.seen()) == 2, first)
        first.commit(1)  # also asks for the topic's id, as every commit after records; the next one is a commit only

        own_kafka.pause()
        try:
            with pytest.raises(MustRejoin):
                first.commit(2)
        finally:
            own_kafka.resume()
        first.source.close(timeout_secs=5)
        second = topic.member()
        turn_until(lambda: bool(second.assigned), second)

        assert second.assigned[Partition(topic.name, 0)].next_offset in (1, 2), "nobody can know which"
        second.commit(2)


@leaves_sockets
@pytest.mark.stack
def test_a_partition_of_which_kafka_lost_what_was_read_already_is_halted_and_the_others_are_read(
    own_kafka: KafkaServer, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only on the real Kafka: the fake notices it only at an assignment, the real source also while reading."""
    caplog.set_level(logging.CRITICAL, "kafka")  # log records kept by pytest would keep its sockets too
    with own_topics(own_kafka, *CLIENTS, partitions=2) as topics:
        for topic in topics:
            for n in range(10):  # a batch each
                topic.send(b"%d" % n)
        readers = [topic.member() for topic in topics]
        turn_until(lambda: all(len(reader.seen()) == 10 for reader in readers), *readers)
        for reader in readers:
            reader.commit(3)

        own_kafka.kill()
        for topic in topics:
            lose_end(directory / "data" / f"{topic.name}-0", keep=5 / 10)
        own_kafka.start()
        for topic in topics:
            topic.send(*(b"another %d" % n for n in range(10)))
            topic.send(b"goes on", partition=1)
        turn_until(lambda: all(r.halted and r.seen(1) for r in readers), *readers, through_trouble=True)
        for reader in readers * 20:
            reader.try_turn()

        assert [reader.halted for reader in readers] == [
            [
                (
                    Partition(topic.name, 0),
                    "Kafka has lost records that were read already, those from offset 5 on",
                )
            ]
            for topic in topics
        ]
        assert [reader.offsets(0) for reader in readers] == [list(range(10))] * len(CLIENTS)


@leaves_sockets
@pytest.mark.stack
@pytest.mark.parametrize("client", LIBRDKAFKA)
def test_reading_does_not_go_on_behind_a_batch_that_is_damaged(
    own_kafka: KafkaServer, directory: Path, client: Client
) -> None:
    """Only with librdkafka, which would go on: the fake has no disk, and kafka-python 3.0.12 does not return."""
    with own_topics(own_kafka, client, partitions=1) as [topic]:
        topic.send(b"before")
        topic.send(b"damaged")
        topic.send(b"after")
        log = directory / "data" / f"{topic.name}-0" / f"{0:020}.log"
        sound = log.read_bytes()
        overwrite(log, sound.replace(b"damaged", b"dam ged"))
        reader = topic.member()
        with pytest.raises(TryAgainLater) as raised:
            turn_until(lambda: len(reader.seen()) > 1, reader)
        assert raised.value.code == KafkaCode.INVALID_RECORD
        for _ in range(30):
            reader.try_turn()
        assert reader.values() == [b"before"]

        overwrite(log, sound)
        turn_until(lambda: len(reader.seen()) == 3, reader, through_trouble=True)

        assert reader.values() == [b"before", b"damaged", b"after"]


def overwrite(log: Path, content: bytes) -> None:
    """Replace what a log holds by as many bytes, while the broker has it open."""
    with log.open("r+b") as file:
        file.write(content)


def lose_end(directory: Path, *, keep: float) -> None:
    """Truncate the log of a partition, as after a power loss before everything was written."""
    log = directory / f"{0:020}.log"
    os.truncate(log, int(log.stat().st_size * keep))
    for index in directory.glob("*index"):
        index.unlink()
