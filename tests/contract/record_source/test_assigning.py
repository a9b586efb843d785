"""Assigned partitions are reported first, then started; they can be paused and halted."""

from __future__ import annotations

import time

import pytest

from app.domain.records import Partition, Position
from tests.contract.record_source.samples import MORE_THAN_A_POLL, MakeTopic
from tests.contract.topics import SESSION_SECS, KafkaTopic, Topic, turn_until

# Being assigned partitions, and starting them.


def test_partitions_are_assigned_with_the_topics_id_and_the_committed_offset(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    topic.send(b"a", b"b", b"c", partition=1)
    topic.set_committed(2, partition=1)
    reader = topic.member()

    turn_until(lambda: bool(reader.assigned), reader)

    assert reader.assigned == {
        Partition(topic.name, 0): Position(topic.topic_id(), 0),
        Partition(topic.name, 1): Position(topic.topic_id(), 2),
    }


def test_partitions_are_assigned_before_any_record_of_them(topic: Topic) -> None:
    topic.send(b"a")
    reader = topic.member()

    turn_until(lambda: bool(reader.assigned or reader.chunks), reader)

    assert reader.chunks == []


def test_a_partition_that_was_not_started_yields_nothing(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    topic.send(b"not started", partition=0)
    reader = topic.member(starts_by_itself=False)
    turn_until(lambda: bool(reader.assigned), reader)

    reader.source.start(Partition(topic.name, 1))
    for _ in range(3):  # give records in flight time to arrive
        topic.send(b"started", partition=1)
        count = len(reader.seen(1))
        turn_until(lambda count=count: len(reader.seen(1)) > count, reader)  # type: ignore[misc]

    assert reader.seen(0) == []
    assert reader.source.positions().keys() == {Partition(topic.name, 1)}

    reader.source.start(Partition(topic.name, 0))
    turn_until(lambda: bool(reader.seen(0)), reader)
    assert reader.offsets(0) == [0]


@pytest.mark.parametrize("first", [0, 1])
def test_partitions_may_be_started_one_after_another_however_much_they_hold(make_topic: MakeTopic, first: int) -> None:
    topic = make_topic(partitions=2)
    values = [b"%d" % n for n in range(MORE_THAN_A_POLL)]
    for partition in (0, 1):
        topic.send(*values, partition=partition)
        topic.set_committed(0, partition)
    reader = topic.member(starts_by_itself=False)
    turn_until(lambda: reader.numbers == {0, 1}, reader)
    for _ in range(5):  # discards records that came with the assignment
        reader.turn()

    for partition in (first, 1 - first):
        reader.source.start(Partition(topic.name, partition))
        turn_until(lambda number=partition: len(reader.seen(number)) >= len(values), reader)  # type: ignore[misc]

    assert [reader.offsets(partition) for partition in (0, 1)] == [list(range(len(values)))] * 2


# Pausing and halting.


def test_nothing_is_yielded_while_paused_and_nothing_is_skipped(topic: Topic) -> None:
    reader = topic.member()
    topic.send(b"0")
    turn_until(lambda: bool(reader.seen()), reader)

    reader.source.pause()
    topic.send(b"1", b"2")
    for _ in range(20):
        reader.turn()
    assert reader.offsets() == [0]

    reader.source.resume()
    turn_until(lambda: len(reader.seen()) == 3, reader)
    assert reader.offsets() == [0, 1, 2]


def test_partitions_started_while_paused_wait_for_the_resume(topic: Topic) -> None:
    topic.send(b"0")
    reader = topic.member()
    reader.source.pause()
    turn_until(lambda: bool(reader.assigned), reader)
    for _ in range(20):
        reader.turn()
    assert reader.seen() == []

    reader.source.resume()
    turn_until(lambda: bool(reader.seen()), reader)


def test_a_halted_partition_is_read_no_more_and_the_others_are(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)

    reader.source.halt(Partition(topic.name, 0))
    topic.send(b"halted", partition=0)
    topic.send(b"goes on", partition=1)
    turn_until(lambda: bool(reader.seen(1)), reader)
    reader.source.pause()
    reader.source.resume()
    topic.send(b"goes on", partition=1)
    turn_until(lambda: len(reader.seen(1)) == 2, reader)

    assert reader.seen(0) == []
    assert reader.source.positions().keys() == {Partition(topic.name, 1)}


def test_a_halted_partition_is_read_again_by_its_next_owner(topic: Topic) -> None:
    topic.send(b"0")
    first = topic.member()
    turn_until(lambda: bool(first.seen()), first)
    first.source.halt(Partition(topic.name, 0))
    topic.expel_members()

    turn_until(lambda: len(first.seen()) == 2, first)

    assert first.offsets() == [0, 0]


def test_a_partition_that_was_halted_in_the_middle_is_read_whole_when_it_is_assigned_again(
    make_topic: MakeTopic,
) -> None:
    topic = make_topic(partitions=2)
    values = [b"%d" % n for n in range(MORE_THAN_A_POLL)]
    topic.send(*values, partition=0)
    reader = topic.member()
    turn_until(lambda: bool(reader.seen(0)), reader)
    reader.source.halt(Partition(topic.name, 0))
    topic.send(*values, partition=1)
    turn_until(lambda: len(reader.seen(1)) == len(values), reader)
    read_before = len(reader.seen(0))
    assignment_count = len(reader.assignments)
    topic.expel_members()

    turn_until(lambda: len(reader.assignments) > assignment_count and reader.numbers == {0, 1}, reader)
    turn_until(lambda: len(reader.seen(0)) >= read_before + len(values), reader)

    assert reader.offsets(0)[read_before:] == list(range(len(values)))


@pytest.mark.stack
def test_polling_while_paused_keeps_the_membership(real_topic: KafkaTopic) -> None:
    """Only on the real Kafka: the fake has no session timeout."""
    reader = real_topic.member()
    turn_until(lambda: bool(reader.assigned), reader)
    assignment_count = len(reader.assignments)
    reader.source.pause()

    deadline = time.monotonic() + SESSION_SECS + 1
    turn_until(lambda: time.monotonic() > deadline, reader)

    reader.commit(0)
    assert len(reader.assignments) == assignment_count
