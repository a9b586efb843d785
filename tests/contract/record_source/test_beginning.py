"""Where reading starts in a partition that was never read, or whose topic was created again."""

from __future__ import annotations

import pytest

from app.domain.records import Partition, Position
from app.errors import NotOurs
from tests.contract.topics import KafkaTopic, StartFrom, Topic, turn_until

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


# A topic that was created again.


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


def test_a_commit_for_an_earlier_topic_of_the_same_name_does_not_count_but_the_group_is_not_new(
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


@pytest.mark.stack
def test_nothing_is_committed_for_records_whose_topic_was_made_again_since_they_were_read(
    real_topic: KafkaTopic,
) -> None:
    """Only on the real Kafka, where they may be of either topic: both have records at these offsets."""
    real_topic.send(b"a", b"b")
    reader = real_topic.member()
    turn_until(lambda: len(reader.seen()) == 2, reader)

    real_topic.recreate(partitions=1)
    real_topic.send(b"c", b"d")

    with pytest.raises(NotOurs):
        reader.commit(2)
    turn_until(lambda: reader.values()[-2:] == [b"c", b"d"], reader, through_trouble=True)
    assert reader.chunks[-1].topic_id == real_topic.topic_id()
    reader.commit(2)
