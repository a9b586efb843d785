"""Records that retention deleted, or that Kafka has lost."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.domain.records import Partition
from app.errors import MustRejoin
from local.kafka import KafkaServer
from local.ports import free_port
from tests.contract.record_source.samples import MakeTopic
from tests.contract.topics import KafkaTopic, Topic, kafka_clients, turn_until


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


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that a test may kill."""
    server = KafkaServer(tmp_path / "kafka", free_port())
    server.start()
    yield server
    server.kill()


@contextmanager
def own_topic(server: KafkaServer, *, partitions: int) -> Iterator[KafkaTopic]:
    """A topic whose readers end with the block, also when it fails: their threads would disturb other tests."""
    with (
        kafka_clients(server.bootstrap_servers) as (admin, producer),
        closing(KafkaTopic(partitions, server.bootstrap_servers, admin, producer)) as topic,
    ):
        yield topic
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
    """Only on the real Kafka: the fake raises scripted errors."""
    caplog.set_level(logging.CRITICAL, "kafka")  # log records kept by pytest would keep its sockets too
    with own_topic(own_kafka, partitions=1) as topic:
        topic.send(b"a", b"b")
        first = topic.member()
        turn_until(lambda: len(first.seen()) == 2, first)

        own_kafka.pause()
        try:
            with pytest.raises(MustRejoin):
                first.commit(2)
        finally:
            own_kafka.resume()
        first.source.close(timeout_secs=5)
        second = topic.member()
        turn_until(lambda: bool(second.assigned), second)

        assert second.assigned[Partition(topic.name, 0)].next_offset in (0, 2), "nobody can know which"
        second.commit(2)


@leaves_sockets
@pytest.mark.stack
def test_a_partition_of_which_kafka_lost_what_was_read_already_is_halted_and_the_others_are_read(
    own_kafka: KafkaServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only on the real Kafka: the fake notices it only at an assignment, the real source also while reading."""
    caplog.set_level(logging.CRITICAL, "kafka")  # log records kept by pytest would keep its sockets too
    with own_topic(own_kafka, partitions=2) as topic:
        for n in range(10):  # a batch each
            topic.send(b"%d" % n)
        reader = topic.member()
        turn_until(lambda: len(reader.seen()) == 10, reader)
        reader.commit(3)

        own_kafka.kill()
        lose_end(tmp_path / "kafka" / "data" / f"{topic.name}-0", keep=5 / 10)
        own_kafka.start()
        topic.send(*(b"another %d" % n for n in range(10)))
        topic.send(b"goes on", partition=1)
        turn_until(lambda: bool(reader.halted and reader.seen(1)), reader, through_trouble=True)
        for _ in range(20):
            reader.try_turn()

        [(partition, reason)] = reader.halted
        assert partition == Partition(topic.name, 0)
        assert reason == "Kafka has lost records that were read already, those from offset 5 on"
        assert reader.offsets(0) == list(range(10))


def lose_end(directory: Path, *, keep: float) -> None:
    """Truncate the log of a partition, as after a power loss before everything was written."""
    log = directory / f"{0:020}.log"
    os.truncate(log, int(log.stat().st_size * keep))
    for index in directory.glob("*index"):
        index.unlink()
