"""Several topics, by name and by pattern: each is read exactly, whatever happens to the others."""

from __future__ import annotations

import pytest

from app.domain.records import Checkpoint, Partition, Position
from app.domain.topics import NOT_ALLOWED, NOT_THERE
from tests.contract.record_source.samples import LEASE, MakeTopic
from tests.contract.topics import MemoryTopic, Reader, Topic, turn_until


def values(reader: Reader, topic: str) -> list[bytes | None]:
    return reader.read().get(topic, [])


def test_two_named_topics_are_read_each_with_its_id_and_its_own_offsets(topic: Topic) -> None:
    other = f"{topic.name}-web"
    topic.create(other, partitions=2)
    topic.send(b"main")
    topic.send(b"0", b"1", topic=other, partition=1)
    reader = topic.member(topics=other)

    turn_until(lambda: reader.read() == {topic.name: [b"main"], other: [b"0", b"1"]}, reader)

    assert reader.assigned == {
        Partition(topic.name, 0): Position(topic.topic_id(), 0),
        Partition(other, 0): Position(topic.topic_id(other), 0),
        Partition(other, 1): Position(topic.topic_id(other), 0),
    }
    assert {chunk.partition.topic: chunk.topic_id for chunk in reader.chunks} == {
        topic.name: topic.topic_id(),
        other: topic.topic_id(other),
    }
    assert reader.unread == {}


def test_one_commit_holds_for_all_topics_with_the_lease_of_each(topic: Topic) -> None:
    other = f"{topic.name}-web"
    topic.create(other)
    for name in (topic.name, other):
        topic.send(*[b"x"] * 10, topic=name)
    first = topic.member(topics=other)
    turn_until(lambda: first.topics() == {topic.name, other}, first)

    first.source.commit({Partition(topic.name, 0): Checkpoint(3, LEASE), Partition(other, 0): Checkpoint(7)})
    first.source.close(timeout_secs=5)
    second = topic.member(topics=other)
    turn_until(lambda: second.topics() == {topic.name, other}, second)

    assert second.assigned == {
        Partition(topic.name, 0): Position(topic.topic_id(), 3, LEASE),
        Partition(other, 0): Position(topic.topic_id(other), 7),
    }


def test_topics_that_match_a_pattern_are_read_and_others_are_not(topic: Topic) -> None:
    wildcard, expression, neither = f"{topic.name}-web", f"{topic.name}.team.a", f"{topic.name}_x"
    for name in (wildcard, expression, neither, f"_{topic.name}-hidden"):
        topic.create(name)
        topic.send(name.encode(), topic=name)
    reader = topic.member(topics=rf"*{topic.name}-*,^{topic.name}\.team\.")

    turn_until(lambda: reader.read().keys() == {wildcard, expression}, reader)

    assert reader.topics() == {topic.name, wildcard, expression}
    assert reader.unread == {}


def test_a_topic_that_is_made_while_others_are_read_is_read_from_its_beginning(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    topic.send(b"0")
    reader = topic.member(topics=f"{topic.name}-*", start_from="latest")
    turn_until(lambda: bool(reader.assigned), reader)
    topic.send(b"1")
    turn_until(lambda: values(reader, topic.name) == [b"1"], reader)
    reader.source.commit({Partition(topic.name, 0): Checkpoint(2)})

    new = f"{topic.name}-new"
    topic.create(new)
    topic.send(b"first", topic=new)
    turn_until(lambda: values(reader, new) == [b"first"], reader, through_trouble=True)
    topic.send(b"2")
    turn_until(lambda: values(reader, topic.name) == [b"1", b"2"], reader)

    assert reader.assigned[Partition(new, 0)] == Position(topic.topic_id(new), 0)
    assert reader.assigned[Partition(topic.name, 0)] == Position(topic.topic_id(), 2)


def test_a_topic_that_is_made_again_is_read_from_its_beginning_and_the_other_goes_on(topic: Topic) -> None:
    other = f"{topic.name}-web"
    topic.create(other)
    topic.send(b"old 0", b"old 1", topic=other)
    topic.send(b"0")
    reader = topic.member(topics=other, start_from="earliest")
    turn_until(lambda: reader.read() == {topic.name: [b"0"], other: [b"old 0", b"old 1"]}, reader)
    reader.source.commit({Partition(topic.name, 0): Checkpoint(1), Partition(other, 0): Checkpoint(2)})
    old_id = topic.topic_id(other)

    topic.recreate(1, other)
    topic.send(b"new 0", topic=other)
    turn_until(lambda: b"new 0" in values(reader, other), reader, through_trouble=True)
    topic.send(b"1")
    turn_until(lambda: b"1" in values(reader, topic.name), reader, through_trouble=True)

    assert topic.topic_id(other) != old_id
    assert [value for value in values(reader, other) if value and value.startswith(b"new")] == [b"new 0"]
    assert values(reader, topic.name) == [b"0", b"1"]
    assert {chunk.topic_id for chunk in reader.chunks if chunk.values[0] == b"new 0"} == {topic.topic_id(other)}
    assert {chunk.topic_id for chunk in reader.chunks if chunk.values[0] == b"old 0"} == {old_id}
    assert (reader.halted, reader.lost) == ([], [])


def test_a_named_topic_that_is_deleted_is_reported_and_the_other_goes_on(topic: Topic) -> None:
    other = f"{topic.name}-web"
    topic.create(other)
    reader = topic.member(topics=other)
    turn_until(lambda: reader.topics() == {topic.name, other}, reader)
    topic.send(b"0")
    turn_until(lambda: values(reader, topic.name) == [b"0"], reader)
    reader.source.commit({Partition(topic.name, 0): Checkpoint(1)})

    topic.delete(other)
    turn_until(lambda: reader.topics() == {topic.name} and bool(reader.unread), reader, through_trouble=True)
    topic.send(b"1")
    turn_until(lambda: values(reader, topic.name) == [b"0", b"1"], reader, through_trouble=True)

    assert reader.unread == {other: NOT_THERE}
    reader.source.commit({Partition(topic.name, 0): Checkpoint(2)})


def test_a_named_topic_that_is_not_there_yet_is_reported_until_it_is(topic: Topic) -> None:
    late = f"{topic.name}-late"
    reader = topic.member(topics=late)
    turn_until(lambda: bool(reader.assigned), reader)
    assert reader.unread == {late: NOT_THERE}
    assert reader.topics() == {topic.name}

    topic.create(late)
    topic.send(b"0", topic=late)
    turn_until(lambda: values(reader, late) == [b"0"], reader, through_trouble=True)

    assert reader.unread == {}


@pytest.mark.parametrize("partitions", [1, 3])
def test_members_share_the_partitions_of_all_topics_evenly(make_topic: MakeTopic, partitions: int) -> None:
    topic = make_topic(partitions=partitions)
    names = [topic.name, f"{topic.name}-a", f"{topic.name}-b", f"{topic.name}-c"]
    for name in names[1:]:
        topic.create(name, partitions)
    readers = [topic.member(topics=f"{topic.name}-*") for _ in range(2)]

    turn_until(
        lambda: [len(reader.assigned) for reader in readers] == [2 * partitions] * 2, *readers, through_trouble=True
    )

    assert {p for reader in readers for p in reader.assigned} == {
        Partition(name, number) for name in names for number in range(partitions)
    }


def test_a_topic_that_may_not_be_read_is_reported_and_the_others_are_read() -> None:
    """Only in memory: tests/e2e/test_check_rights.py has a Kafka that grants rights one by one."""
    topic = MemoryTopic(1)
    secret = f"{topic.name}-secret"
    topic.create(secret)
    topic.allow(secret, may_read=False)
    reader = topic.member(topics=f"{topic.name}-*")
    topic.send(b"0")
    turn_until(lambda: values(reader, topic.name) == [b"0"], reader)
    assert reader.unread == {secret: NOT_ALLOWED}

    topic.send(b"1", topic=secret)
    topic.allow(secret, may_read=True)
    turn_until(lambda: values(reader, secret) == [b"1"], reader)
    assert reader.unread == {}
