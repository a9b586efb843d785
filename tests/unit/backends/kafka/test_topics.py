"""Following which topics are to be read, and reading what Kafka says of them."""

from collections.abc import Mapping
from typing import Any

import pytest
from kafka.errors import LeaderNotAvailableError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from app.backends.kafka.topics import TopicWatch, found_topics
from app.domain.topics import NOT_THERE, FoundTopic, TopicsToRead, parse_topics
from app.errors import KafkaCode, TryAgainLater
from tests.fakes import Clock, OtherThread

AWAY = TryAgainLater("no answer", code=KafkaCode.TIMEOUT)


def to_read(*names: str, unread: Mapping[str, str] | None = None) -> TopicsToRead:
    return TopicsToRead({name: FoundTopic(name, name, 1) for name in names}, unread or {})


class Topics:
    """Answers what it is told to."""

    def __init__(self) -> None:
        self.answer: TopicsToRead | TryAgainLater = to_read("logs")
        self.is_closed = False

    def to_read(self) -> TopicsToRead:
        if isinstance(self.answer, TryAgainLater):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.is_closed = True


class World:
    def __init__(self) -> None:
        self.topics, self.clock = Topics(), Clock()
        self.thread = OtherThread(self.clock)
        self.unread: list[Mapping[str, str]] = []
        self.watch = TopicWatch(
            self.topics,  # type: ignore[arg-type]
            on_unread=self.unread.append,
            every_secs=10,
            clock=self.clock,
            submit=self.thread.submit,
        )


def test_a_change_is_told_once_when_kafka_has_answered() -> None:
    world = World()
    assert world.watch.names == {"logs"}

    world.topics.answer = to_read("logs", "web", unread={"billing": NOT_THERE})
    assert not world.watch.turn()
    world.clock.advance(10)
    assert not world.watch.turn()  # asks
    world.thread.run()
    assert world.watch.turn()

    assert world.watch.names == {"logs", "web"}
    assert world.unread == [{}, {"billing": NOT_THERE}]
    assert not world.watch.turn()


def test_a_kafka_that_does_not_answer_changes_nothing_and_is_asked_again_later() -> None:
    world = World()
    world.topics.answer = AWAY
    world.clock.advance(10)
    world.watch.turn()
    world.thread.run()

    with pytest.raises(TryAgainLater):
        world.watch.turn()
    assert world.watch.names == {"logs"}
    assert not world.watch.turn()

    world.topics.answer = to_read("web")
    world.clock.advance(10)
    world.watch.turn()
    world.thread.run()
    assert world.watch.turn()


def test_the_connection_ends_when_nobody_waits_for_it() -> None:
    world = World()
    world.clock.advance(10)
    world.watch.turn()

    world.watch.close()
    assert not world.topics.is_closed
    world.thread.run()
    assert world.topics.is_closed


class Admin:
    """Lists these topics, as kafka-python returns them."""

    def __init__(self, *topics: dict[str, Any]) -> None:
        self.topics = topics
        self.asked: list[list[str] | None] = []

    def describe_topics(self, names: list[str] | None) -> list[dict[str, Any]]:
        self.asked.append(names)
        return list(self.topics)


def listed(name: str, error: Any = None, rights: list[str] | None = None) -> dict[str, Any]:
    code = 0 if error is None else error.errno
    return {
        "name": name,
        "error_code": code,
        "topic_id": f"id-{name}",
        "partitions": [{}],
        "authorized_operations": rights,
    }


def test_topics_are_found_with_our_rights_on_them() -> None:
    admin = Admin(
        listed("a", rights=["READ", "DESCRIBE"]),
        listed("b", rights=["DESCRIBE"]),
        listed("c"),
        listed("d", error=TopicAuthorizationFailedError),
        listed("e", error=UnknownTopicOrPartitionError),
        listed("f", error=LeaderNotAvailableError),
    )

    assert found_topics(admin, parse_topics("a", "b,c,d,e,f")) == [
        FoundTopic("a", "id-a", 1),
        FoundTopic("b", "id-b", 1, may_read=False),
        FoundTopic("c", "id-c", 1),
        FoundTopic("d", "", 1, may_read=False),
        FoundTopic("f", "id-f", 1),
    ]
    assert admin.asked == [["a", "b", "c", "d", "e", "f"]]


def test_all_topics_are_listed_only_for_patterns() -> None:
    admin = Admin(listed("logs"), listed("app-1"), listed("else"))

    assert [topic.name for topic in found_topics(admin, parse_topics("logs", "app-*"))] == ["logs", "app-1"]
    assert admin.asked == [None]
