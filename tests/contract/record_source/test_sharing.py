"""Members of a group share the partitions."""

from __future__ import annotations

import time

from tests.contract.record_source.samples import MakeTopic
from tests.contract.topics import Topic, turn_until


def test_members_share_the_partitions_and_all_are_notified(make_topic: MakeTopic) -> None:
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


def test_a_member_that_leaves_releases_its_partitions(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    first, second = topic.member(), topic.member()
    turn_until(lambda: len(first.numbers) == len(second.numbers) == 1, first, second)
    topic.send(b"a", b"b", partition=next(iter(first.numbers)))
    [(left, _)] = first.assigned.items()
    first.commit(1, left.number)

    first.source.close(timeout_secs=5)
    turn_until(lambda: second.numbers == {0, 1}, second)

    assert second.assigned[left].next_offset == 1


def test_a_member_without_a_partition_is_notified(topic: Topic) -> None:
    first, second = topic.member(), topic.member()

    turn_until(lambda: bool(first.assignments and second.assignments), first, second)
    turn_until(lambda: len(first.numbers) + len(second.numbers) == 1, first, second)

    idle = second if first.numbers else first
    assert idle.source.end_offsets() == {}
    assert idle.source.positions() == {}


def test_a_member_that_polls_rarely_and_briefly_still_gets_its_partitions(topic: Topic) -> None:
    reader = topic.member()

    polls = 0
    while not reader.assigned and polls < 12:
        reader.turn(timeout_secs=0.005)
        time.sleep(0.5)  # a join takes less, so it ends between two polls
        polls += 1

    assert reader.numbers == {0}
