"""Commits are read back with their leases, unless they belong to others."""

from __future__ import annotations

import pytest

from app.domain.records import Partition, Position
from app.errors import NotOurs
from tests.contract.record_source.samples import LEASE, MakeTopic
from tests.contract.topics import Topic, turn_until


def test_the_next_member_continues_at_the_last_commit(topic: Topic) -> None:
    topic.send(*(b"%d" % n for n in range(10)))
    first = topic.member()
    turn_until(lambda: len(first.seen()) == 10, first)

    first.commit(7)
    first.source.close(timeout_secs=5)
    second = topic.member()
    turn_until(lambda: len(second.seen()) == 3, second)

    assert second.assigned[Partition(topic.name, 0)].next_offset == 7
    assert second.offsets() == [7, 8, 9]


def test_uncommitted_records_are_read_again(topic: Topic) -> None:
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


def test_nothing_can_be_committed_after_a_rebalance_until_the_next_poll(topic: Topic) -> None:
    partition = Partition(topic.name, 0)
    topic.send(b"a")
    reader = topic.member()
    turn_until(lambda: bool(reader.seen()), reader)
    topic.expel_members()

    with pytest.raises(NotOurs):
        reader.commit(1)
    assignment_count = len(reader.assignments)
    turn_until(lambda: len(reader.assignments) > assignment_count and partition in reader.assigned, reader)

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


def test_an_offset_that_another_client_has_set_is_marked_as_such(topic: Topic) -> None:
    topic.send(*[b"a"] * 10)
    first = topic.member()
    turn_until(lambda: bool(first.assigned), first)
    first.commit(8, lease=LEASE)
    first.source.close(timeout_secs=5)

    topic.set_by_others(3)
    second = topic.member()
    turn_until(lambda: bool(second.seen()), second)

    assert second.assigned == {Partition(topic.name, 0): Position(topic.topic_id(), 3, None, is_set_by_others=True)}
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
    assignment_count = len(reader.assignments)

    with pytest.raises(NotOurs):
        reader.commit(1, partition=7)
    turn_until(lambda: len(reader.assignments) > assignment_count, reader)

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
