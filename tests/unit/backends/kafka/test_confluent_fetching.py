"""Fetching beside a member: what is fetched from where, and what happens to partitions with errors."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message
from kafka import TopicPartition
from kafka.errors import CorruptRecordError, LogTruncationError, OffsetOutOfRangeError, TopicAuthorizationFailedError

from app.backends.kafka.confluent_chunks import taken_of
from app.backends.kafka.confluent_fetching import ConfluentFetching
from app.backends.kafka.fetching_client import Taken
from app.domain.records import Position

FIRST, SECOND = TopicPartition("logs", 0), TopicPartition("logs", 1)


class Client:
    """A client that returns what a test hands it."""

    def __init__(self) -> None:
        self.fetched: dict[TopicPartition, int] = {}
        self.next: list[list[Message]] = []

    def fetch(self, starts: Mapping[TopicPartition, int]) -> None:
        self.fetched |= starts

    def stop(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            del self.fetched[partition]

    def take(self, max_count: int, timeout_secs: float, topic_ids: Mapping[str, str]) -> Taken:
        return taken_of(self.next.pop(0) if self.next else [], topic_ids, has_keys=False)

    def close(self) -> None: ...


class Member:
    """A member whose partitions are always the same."""

    def __init__(self) -> None:
        self._coordinator = SimpleNamespace(_join_task=None)
        self.waits: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        return {FIRST, SECOND}

    def pause(self, *partitions: TopicPartition) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...

    def poll(self, timeout_ms: int) -> dict[Any, Any]:
        self.waits.append(timeout_ms)
        return {}


class Case:
    """Both partitions are assigned at offset 10 and may be read."""

    def __init__(self) -> None:
        self.client, self.member, self.now = Client(), Member(), 0.0
        self.fetching = ConfluentFetching(
            self.member,
            self.client,
            max_poll_records=100,
            clock=lambda: self.now,
        )
        self.fetching.begin({FIRST: Position("id", 10), SECOND: Position("id", 10)})
        self.fetching.allow({FIRST, SECOND}, is_paused=False)

    def poll(self, *messages: Message) -> list[tuple[int, list[int]]]:
        """Partitions and offsets of the chunks."""
        self.client.next.append(list(messages))
        return [(chunk.partition.number, list(chunk.offsets)) for chunk in self.fetching.poll(0.1)]


@pytest.fixture
def case() -> Case:
    return Case()


def record(offset: int, partition: TopicPartition = FIRST) -> Message:
    return Message(topic=partition.topic, partition=partition.partition, offset=offset, value=b"v", timestamp=(1, 5))


def event(code: int, text: str = "", offset: int = -1001, partition: TopicPartition = FIRST) -> Message:
    error = KafkaError(code, text)
    return Message(topic=partition.topic, partition=partition.partition, offset=offset, error=error)


def test_partitions_are_fetched_from_their_positions_and_only_once_they_may_be_read(case: Case) -> None:
    case.fetching.allow({FIRST}, is_paused=False)
    case.poll()
    assert case.client.fetched == {FIRST: 10}

    case.poll(record(10), record(12))
    assert case.fetching.position(FIRST) == 13

    case.fetching.allow(set(), is_paused=False)
    case.fetching.allow({SECOND}, is_paused=False)
    case.poll()
    assert case.client.fetched == {SECOND: 10}


def test_records_of_several_partitions_become_a_chunk_of_each(case: Case) -> None:
    assert case.poll(record(10), record(10, SECOND), record(11), record(11, SECOND)) == [(0, [10, 11]), (1, [10, 11])]


def test_what_was_fetched_stays_while_paused_and_the_member_does_the_waiting(case: Case) -> None:
    case.poll(record(10))
    case.fetching.allow({FIRST, SECOND}, is_paused=True)

    assert case.poll(record(11)) == []
    assert case.client.fetched == {FIRST: 10, SECOND: 10}
    assert case.member.waits == [0, 100]

    case.fetching.allow({FIRST, SECOND}, is_paused=False)
    assert case.poll() == [(0, [11])]


def test_the_end_of_a_partition_is_its_position_whatever_stands_there(case: Case) -> None:
    assert case.poll(record(10), event(KafkaError._PARTITION_EOF, offset=12)) == [(0, [10])]
    assert case.fetching.position(FIRST) == 12

    assert case.poll(event(KafkaError._PARTITION_EOF, offset=12), record(12)) == [(0, [12])]
    assert case.fetching.position(FIRST) == 13


def test_nothing_behind_an_error_is_read_and_the_partition_is_tried_again_from_where_it_was(case: Case) -> None:
    assert case.poll(record(10), event(KafkaError._BAD_MSG), record(12), record(10, SECOND)) == [(0, [10]), (1, [10])]
    assert case.client.fetched == {SECOND: 10}
    with pytest.raises(CorruptRecordError):
        case.poll()
    case.poll(record(12))
    assert case.client.fetched == {SECOND: 10}

    case.now = 1.0
    case.poll()
    assert case.client.fetched == {SECOND: 10, FIRST: 11}


def test_an_error_of_kafka_is_raised_as_what_it_is(case: Case) -> None:
    case.poll(event(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    with pytest.raises(TopicAuthorizationFailedError):
        case.poll()


def test_an_offset_that_kafka_no_longer_has_is_raised_with_the_position(case: Case) -> None:
    case.poll(record(10), event(KafkaError._AUTO_OFFSET_RESET, "fetch failed: Broker: Offset out of range", 11))

    with pytest.raises(OffsetOutOfRangeError) as raised:
        case.poll()
    assert raised.value.args[0] == {FIRST: 11}

    case.fetching.seek(FIRST, 20)
    case.poll()
    assert case.client.fetched[FIRST] == 20


def test_records_that_kafka_has_lost_are_raised_with_the_offset_from_which_on(case: Case) -> None:
    sentence = KafkaError(KafkaError._LOG_TRUNCATION).str()
    case.poll(event(KafkaError._AUTO_OFFSET_RESET, f"detected: broker end offset is 7 (...): {sentence} (broker 1)"))

    with pytest.raises(LogTruncationError) as raised:
        case.poll()
    assert raised.value.divergent_offsets[FIRST].offset == 7


def test_a_new_assignment_forgets_errors_and_fetches_anew(case: Case) -> None:
    case.poll(event(KafkaError._BAD_MSG))
    case.fetching.begin({FIRST: Position("id", 5)})
    case.fetching.allow({FIRST}, is_paused=False)

    assert case.poll(record(5)) == [(0, [5])]
    assert case.client.fetched == {FIRST: 5}
