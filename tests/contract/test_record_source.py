"""RecordSource: what `ports.py` promises, on MemoryKafka and on a real Kafka."""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.records import LastRecord, Lease, Partition, Position
from app.errors import MustRejoin, NotOurs
from local.kafka import KafkaServer
from local.ports import free_port
from tests.contract.topics import (
    SESSION_SECS,
    KafkaTopic,
    MemoryTopic,
    Seen,
    StartFrom,
    Topic,
    kafka_clients,
    turn_until,
)
from tests.fakes import RECORD_TIME_MS
from tests.support.servers import RunningKafka

MakeTopic = Callable[..., Topic]

MORE_THAN_A_POLL = 12_000  # records

LEASE = Lease("0123456789abcdef" * 2, 1_800_000_000_123, 10, LastRecord(9, 0xFFFFFFFF))


@pytest.fixture(scope="module")
def make_kafka_topic(kafka: RunningKafka) -> Iterator[Callable[[int], KafkaTopic]]:
    """Makes topics with names of their own, and ends their readers with the module."""
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


# What is read.


def test_every_record_comes_once_and_in_order(topic: Topic) -> None:
    reader = topic.member()
    values = [b"%d" % n for n in range(MORE_THAN_A_POLL)]
    topic.send(*values)

    turn_until(lambda: len(reader.offsets()) >= len(values), reader)

    assert reader.offsets() == list(range(len(values)))
    assert reader.values() == values


def test_a_record_comes_with_its_value_headers_and_time(topic: Topic) -> None:
    reader = topic.member()
    headers = [("content-type", b"text/plain"), ("twice", b"1"), ("twice", b"\xff\x00"), ("empty", None)]
    topic.send(b"\x00\xff value", headers=headers, timestamp_ms=RECORD_TIME_MS + 123)
    topic.send(b"", timestamp_ms=RECORD_TIME_MS - 456)

    turn_until(lambda: len(reader.seen()) == 2, reader)

    [first, second] = [record._replace(headers=list(record.headers)) for record in reader.seen()]
    assert first == Seen(0, b"\x00\xff value", headers, RECORD_TIME_MS + 123)
    assert second == Seen(1, b"", [], RECORD_TIME_MS - 456)


def test_a_tombstone_comes_as_none(topic: Topic) -> None:
    reader = topic.member()
    topic.send(b"before", None, b"after")

    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.values() == [b"before", None, b"after"]


def test_a_chunk_names_its_partition_its_topic_and_where_reading_goes_on(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    reader = topic.member()
    topic.send(b"a", b"b", b"c", partition=1)

    turn_until(lambda: len(reader.seen(1)) == 3, reader)

    assert {chunk.partition for chunk in reader.chunks} == {Partition(topic.name, 1)}
    assert {chunk.topic_id for chunk in reader.chunks} == {topic.topic_id()}
    assert reader.chunks[-1].next_offset == 3


def test_partitions_keep_their_records_apart(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=3)
    reader = topic.member()
    for partition in range(3):
        topic.send(*(b"%d of %d" % (n, partition) for n in range(5)), partition=partition)

    turn_until(lambda: len(reader.chunks) >= 3 and sum(len(reader.seen(p)) for p in range(3)) == 15, reader)

    assert [reader.values(p) for p in range(3)] == [[b"%d of %d" % (n, p) for n in range(5)] for p in range(3)]


def test_a_poll_that_finds_nothing_is_empty(topic: Topic) -> None:
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)

    polled = reader.source.poll(0.01)

    assert (list(polled.chunks), polled.assigned) == ([], None)


# Transactions.


def test_the_end_of_a_transaction_is_passed_by(topic: Topic) -> None:
    reader = topic.member()
    topic.send_in_transaction(b"a", b"b")
    topic.send(b"c")

    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.offsets() == [0, 1, 3]
    assert reader.chunks[-1].next_offset == 4


def test_records_of_an_aborted_transaction_are_not_shown(topic: Topic) -> None:
    reader = topic.member()
    topic.send_in_transaction(b"never", b"happened", is_committed=False)
    topic.send(b"c")

    turn_until(lambda: bool(reader.seen()), reader)

    assert [(record.offset, record.value) for record in reader.seen()] == [(3, b"c")]


def test_the_position_is_the_end_once_all_is_read_whatever_stands_there(topic: Topic) -> None:
    reader = topic.member()
    partition = Partition(topic.name, 0)
    topic.send_in_transaction(b"a")

    turn_until(lambda: reader.source.positions().get(partition) == 2, reader)

    assert reader.offsets() == [0]
    assert reader.source.end_offsets() == {partition: 2}


# Being assigned partitions, and starting them.


def test_partitions_are_told_with_the_topics_id_and_the_committed_offset(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    topic.send(b"a", b"b", b"c", partition=1)
    topic.set_committed(2, partition=1)
    reader = topic.member()

    turn_until(lambda: bool(reader.assigned), reader)

    assert reader.assigned == {
        Partition(topic.name, 0): Position(topic.topic_id(), 0),
        Partition(topic.name, 1): Position(topic.topic_id(), 2),
    }


def test_partitions_are_told_before_any_record_of_them(topic: Topic) -> None:
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
    for _ in range(3):  # whatever was on the way has time to come
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
    for _ in range(5):  # whatever came with the assignment is put aside
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


def test_a_halted_partition_is_read_again_by_whoever_is_assigned_it_next(topic: Topic) -> None:
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
    told = len(reader.assignments)
    topic.expel_members()

    turn_until(lambda: len(reader.assignments) > told and reader.numbers == {0, 1}, reader)
    turn_until(lambda: len(reader.seen(0)) >= read_before + len(values), reader)

    assert reader.offsets(0)[read_before:] == list(range(len(values)))


@pytest.mark.stack
def test_polling_while_paused_keeps_the_membership(real_topic: KafkaTopic) -> None:
    """Only on the real one: the fake knows no time after which a member counts as dead."""
    reader = real_topic.member()
    turn_until(lambda: bool(reader.assigned), reader)
    told = len(reader.assignments)
    reader.source.pause()

    deadline = time.monotonic() + SESSION_SECS + 1
    turn_until(lambda: time.monotonic() > deadline, reader)

    reader.commit(0)
    assert len(reader.assignments) == told


# Committing.


def test_the_next_member_goes_on_where_the_last_commit_says(topic: Topic) -> None:
    topic.send(*(b"%d" % n for n in range(10)))
    first = topic.member()
    turn_until(lambda: len(first.seen()) == 10, first)

    first.commit(7)
    first.source.close(timeout_secs=5)
    second = topic.member()
    turn_until(lambda: len(second.seen()) == 3, second)

    assert second.assigned[Partition(topic.name, 0)].next_offset == 7
    assert second.offsets() == [7, 8, 9]


def test_what_is_not_committed_is_read_again(topic: Topic) -> None:
    topic.send(b"a", b"b")
    first = topic.member()
    turn_until(lambda: len(first.seen()) == 2, first)

    first.source.close(timeout_secs=5)
    second = topic.member()
    turn_until(lambda: len(second.seen()) == 2, second)

    assert second.offsets() == [0, 1]


def test_the_same_commit_may_be_repeated(topic: Topic) -> None:
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)
    topic.send(b"a")

    reader.commit(1)
    reader.commit(1)


def test_a_partition_that_moved_to_another_member_cannot_be_committed(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    first = topic.member()
    turn_until(lambda: first.numbers == {0, 1}, first)
    second = topic.member()
    turn_until(lambda: len(first.numbers) == len(second.numbers) == 1, first, second)

    [kept], [moved] = first.numbers, second.numbers
    first.commit(0, kept)
    with pytest.raises(NotOurs):
        first.commit(1, moved)


def test_nothing_can_be_committed_once_the_group_has_moved_on_until_the_next_poll_tells(topic: Topic) -> None:
    partition = Partition(topic.name, 0)
    topic.send(b"a")
    reader = topic.member()
    turn_until(lambda: bool(reader.seen()), reader)
    topic.expel_members()

    with pytest.raises(NotOurs):
        reader.commit(1)
    told = len(reader.assignments)
    turn_until(lambda: len(reader.assignments) > told and partition in reader.assigned, reader)

    assert reader.assigned[partition].next_offset == 0
    reader.commit(1)


def test_a_lease_comes_back_with_the_offset_that_it_was_committed_with(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    topic.send(*[b"a"] * 10, partition=1)
    first = topic.member()
    turn_until(lambda: first.numbers == {0, 1}, first)

    first.commit(4, 1, lease=LEASE)
    first.source.close(timeout_secs=5)
    second = topic.member()
    turn_until(lambda: bool(second.assigned), second)

    assert second.assigned == {
        Partition(topic.name, 0): Position(topic.topic_id(), 0),
        Partition(topic.name, 1): Position(topic.topic_id(), 4, LEASE),
    }


def test_a_commit_without_a_lease_clears_it(topic: Topic) -> None:
    topic.send(*[b"a"] * 10)
    first = topic.member()
    turn_until(lambda: bool(first.assigned), first)

    first.commit(0, lease=LEASE)
    first.commit(0)
    first.source.close(timeout_secs=5)
    second = topic.member()
    turn_until(lambda: bool(second.assigned), second)

    assert second.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 0)}


def test_an_offset_that_others_have_set_is_told_as_such(topic: Topic) -> None:
    topic.send(*[b"a"] * 10)
    first = topic.member()
    turn_until(lambda: bool(first.assigned), first)
    first.commit(8, lease=LEASE)
    first.source.close(timeout_secs=5)

    topic.set_by_others(3)
    second = topic.member()
    turn_until(lambda: bool(second.seen()), second)

    assert second.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 3, None, is_foreign=True)}
    assert second.offsets() == list(range(3, 10))


def test_a_partition_that_ends_before_the_end_of_a_lease_is_halted(topic: Topic) -> None:
    topic.send(*[b"a"] * 10)
    first = topic.member()
    turn_until(lambda: bool(first.assigned), first)
    first.commit(8, lease=LEASE._replace(end=12))
    first.source.close(timeout_secs=5)

    second = topic.member()
    turn_until(lambda: bool(second.halted), second)

    [(partition, reason)] = second.halted
    assert partition == Partition(topic.name, 0)
    assert "read up to" in reason
    assert "12" in reason
    assert second.assigned == {}


def test_after_a_commit_that_was_refused_the_next_poll_assigns_anew_also_without_a_rebalance(topic: Topic) -> None:
    topic.send(b"a", b"b")
    reader = topic.member()
    turn_until(lambda: len(reader.seen()) == 2, reader)
    reader.commit(1)
    told = len(reader.assignments)

    with pytest.raises(NotOurs):
        reader.commit(1, partition=7)
    turn_until(lambda: len(reader.assignments) > told, reader)

    assert reader.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 1)}
    turn_until(lambda: len(reader.seen()) == 3, reader)
    assert reader.offsets() == [0, 1, 1]


def test_after_a_commit_that_was_refused_nothing_is_committed_before_the_next_poll(topic: Topic) -> None:
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)
    topic.send(b"a")
    with pytest.raises(NotOurs):
        reader.commit(1, partition=7)

    with pytest.raises(NotOurs):
        reader.commit(1)


# Sharing partitions.


def test_members_share_the_partitions_and_all_are_told(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=4)
    first = topic.member()
    turn_until(lambda: first.numbers == {0, 1, 2, 3}, first)
    second = topic.member()

    turn_until(lambda: len(first.numbers) == len(second.numbers) == 2, first, second)

    assert first.numbers | second.numbers == {0, 1, 2, 3}


def test_a_member_reads_no_partition_that_it_gave_away(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    first = topic.member()
    turn_until(lambda: first.numbers == {0, 1}, first)
    second = topic.member()
    turn_until(lambda: len(first.numbers) == len(second.numbers) == 1, first, second)

    for partition in (0, 1):
        topic.send(b"a", partition=partition)
    [own], [given] = first.numbers, second.numbers
    turn_until(lambda: bool(first.seen(own)) and bool(second.seen(given)), first, second)

    assert first.seen(given) == []
    assert second.seen(own) == []
    assert first.source.positions().keys() == first.source.end_offsets().keys() == first.assigned.keys()


def test_a_member_that_leaves_hands_its_partitions_back(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    first, second = topic.member(), topic.member()
    turn_until(lambda: len(first.numbers) == len(second.numbers) == 1, first, second)
    topic.send(b"a", b"b", partition=next(iter(first.numbers)))
    [(left, _)] = first.assigned.items()
    first.commit(1, left.number)

    first.source.close(timeout_secs=5)
    turn_until(lambda: second.numbers == {0, 1}, second)

    assert second.assigned[left].next_offset == 1


def test_a_member_without_a_partition_is_told_so(topic: Topic) -> None:
    first, second = topic.member(), topic.member()

    turn_until(lambda: bool(first.assignments and second.assignments), first, second)
    turn_until(lambda: len(first.numbers) + len(second.numbers) == 1, first, second)

    idle = second if first.numbers else first
    assert idle.source.end_offsets() == {}
    assert idle.source.positions() == {}


def test_a_member_that_polls_seldom_and_briefly_is_told_its_partitions_all_the_same(topic: Topic) -> None:
    reader = topic.member()

    polls = 0
    while not reader.assigned and polls < 12:
        reader.turn(timeout_secs=0.005)
        time.sleep(0.5)  # a join takes less: it ends between two polls
        polls += 1

    assert reader.numbers == {0}


# Where partitions begin.


def test_a_new_group_begins_at_the_beginning_with_earliest(topic: Topic) -> None:
    topic.send(b"before")
    reader = topic.member(start_from="earliest")
    turn_until(lambda: bool(reader.seen()), reader)

    assert reader.offsets() == [0]


def test_a_new_group_begins_at_the_end_with_latest(topic: Topic) -> None:
    topic.send(b"before", b"before")
    reader = topic.member(start_from="latest")
    turn_until(lambda: bool(reader.assigned), reader)
    topic.send(b"after")
    turn_until(lambda: bool(reader.seen()), reader)

    assert reader.offsets() == [2]


def test_a_group_begins_at_the_end_only_once(topic: Topic) -> None:
    topic.send(b"before")
    first = topic.member(start_from="latest")
    turn_until(lambda: bool(first.assigned), first)
    first.source.close(timeout_secs=5)
    topic.send(b"while nobody was there")

    second = topic.member(start_from="latest")
    turn_until(lambda: bool(second.seen()), second)

    assert second.offsets() == [1]


def test_a_partition_added_later_begins_at_its_beginning_whatever_the_policy(topic: Topic) -> None:
    topic.send(b"before")
    first = topic.member(start_from="latest")
    turn_until(lambda: bool(first.assigned), first)
    topic.add_partition()
    topic.send(b"first of the new one", partition=1)
    turn_until(lambda: bool(first.seen(1)), first)

    assert first.offsets(1) == [0]
    assert first.offsets(0) == []


# A topic that was made again.


def test_a_topic_made_again_is_another_one_and_old_commits_do_not_count(topic: Topic) -> None:
    topic.send(b"old", b"old")
    first = topic.member()
    turn_until(lambda: len(first.seen()) == 2, first)
    first.commit(2)
    first.source.close(timeout_secs=5)
    old_id = topic.topic_id()

    topic.recreate(partitions=1)
    topic.send(b"new", b"new", b"new")
    second = topic.member()
    turn_until(lambda: len(second.seen()) == 3, second)

    assert topic.topic_id() != old_id
    assert second.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 0)}
    assert {chunk.topic_id for chunk in second.chunks} == {topic.topic_id()}
    assert second.offsets() == [0, 1, 2]


def test_a_commit_for_an_earlier_topic_of_the_same_name_does_not_count_and_tells_of_a_group_that_is_not_new(
    topic: Topic,
) -> None:
    topic.send(b"a", b"b", b"c")
    topic.set_committed(2, topic_id="of-an-earlier-one")
    reader = topic.member(start_from="latest")
    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 0)}


@pytest.mark.parametrize("start_from", ["earliest", "latest"])
@pytest.mark.parametrize("new_count", [1, 5], ids=["fewer records", "more records"])
def test_a_topic_made_again_while_it_is_read_is_read_from_its_beginning(
    topic: Topic, new_count: int, start_from: StartFrom
) -> None:
    topic.send(b"before")
    reader = topic.member(start_from=start_from)
    turn_until(lambda: bool(reader.assigned), reader)
    topic.send(b"old", b"old", b"old")
    turn_until(lambda: reader.values()[-3:] == [b"old"] * 3, reader)
    reader.commit(4)

    topic.recreate(partitions=1)
    topic.send(*(b"new %d" % n for n in range(new_count)))

    def new_values() -> list[bytes | None]:
        return [v for chunk in reader.chunks if chunk.topic_id == topic.topic_id() for v in chunk.values]

    turn_until(lambda: len(new_values()) >= new_count, reader, through_trouble=True)

    assert new_values() == [b"new %d" % n for n in range(new_count)]
    assert reader.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 0)}
    assert (reader.halted, reader.lost) == ([], [])


# Records that are gone.


def test_records_deleted_before_they_were_read_are_told_and_reading_goes_on(topic: Topic) -> None:
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


# kafka-python leaves the sockets of its attempts to reach a broker that is away to the garbage collector.
leaves_sockets = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


@leaves_sockets
@pytest.mark.stack
def test_a_commit_that_kafka_does_not_answer_ends_the_membership(
    own_kafka: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Only on the real one: the fake is told what to raise."""
    caplog.set_level(logging.CRITICAL, "kafka")  # what pytest keeps of its log would keep its sockets too
    with kafka_clients(own_kafka.bootstrap_servers) as (admin, producer):
        topic = KafkaTopic(1, own_kafka.bootstrap_servers, admin, producer)
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
        topic.close()
    gc.collect()


@leaves_sockets
@pytest.mark.stack
def test_a_partition_of_which_kafka_lost_what_was_read_already_is_halted_and_the_others_are_read(
    own_kafka: KafkaServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only on the real one: the fake finds out when partitions are assigned, the real one while it reads too."""
    caplog.set_level(logging.CRITICAL, "kafka")  # what pytest keeps of its log would keep its sockets too
    with kafka_clients(own_kafka.bootstrap_servers) as (admin, producer):
        topic = KafkaTopic(2, own_kafka.bootstrap_servers, admin, producer)
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
        topic.close()
    gc.collect()


def lose_end(directory: Path, *, keep: float) -> None:
    """Cut the log of a partition, as a machine does that loses power before it has written everything."""
    log = directory / f"{0:020}.log"
    os.truncate(log, int(log.stat().st_size * keep))
    for index in directory.glob("*index"):
        index.unlink()


# Positions and ends.


def test_positions_follow_what_was_read(topic: Topic) -> None:
    partition = Partition(topic.name, 0)
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)
    assert reader.source.positions() == {partition: 0}

    topic.send(b"a", b"b")
    turn_until(lambda: len(reader.seen()) == 2, reader)

    assert reader.source.positions() == {partition: 2}


def test_end_offsets_tell_of_records_that_are_not_read(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    reader = topic.member(starts_by_itself=False)
    turn_until(lambda: bool(reader.assigned), reader)

    topic.send(b"a", b"b", b"c", partition=1)

    assert reader.source.end_offsets() == {Partition(topic.name, 0): 0, Partition(topic.name, 1): 3}


def test_closing_twice_is_harmless(topic: Topic) -> None:
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)

    reader.source.close(timeout_secs=5)
    reader.source.close(timeout_secs=5)
