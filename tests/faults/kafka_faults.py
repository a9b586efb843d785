"""F6 to F11: faults of Kafka and of the committed offsets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

from app.backends.kafka.topic import new_topic
from app.settings import KafkaSettings
from tests.faults.fault import Fault
from tests.faults.journal import RecordId
from tests.faults.kafka_proxy import Frame, with_errors, with_wrong_generation
from tests.faults.verdict import Deleted
from tests.faults.world import PARTITIONS, Setup, World

_PROXIED = Setup(is_proxied=True)
_THREE = Setup(brokers=3)
_NOBODY = -1
_OFFSETS = "__consumer_offsets"  # the leader of its only partition is what coordinates the group
_COMMIT_SECS = 5.0  # how long the service waits for the response to a commit

# Errors of a broker that has not accepted a commit: coordinator is loading, is not available, is another one; the
# group rebalances, is in another generation, does not know the member; the record could not be written.
_REFUSALS = (14, 15, 16, 27, 22, 25, 19)
# Errors when it may have: request timed out, unknown error.
_DOUBTS = (7, -1)


def _killed(world: World, _number: int) -> float:
    world.random_pause(1.0)
    struck_at = time.monotonic()
    world.kafka.kill()
    world.kafka.start()
    return world.recovery_secs(struck_at)


def _restarted(world: World, _number: int) -> float:
    world.random_pause(1.0)
    struck_at = time.monotonic()
    world.kafka.stop()
    world.kafka.start()
    return world.recovery_secs(struck_at)


def _stopped(secs: float, world: World, _number: int) -> float:
    world.random_pause(1.0)
    world.kafka.pause()
    try:
        world.pause(secs)
    finally:
        world.kafka.resume()
    return world.recovery_secs()


# One of three brokers.


def _leader_killed(topic: Callable[[World], str], world: World, _number: int) -> float:
    """It stays down until the two others have continued without it."""
    world.random_pause(1.0)
    name = topic(world)
    number, leader = world.rng.choice(sorted(_leaders(world, name).items()))
    struck_at = time.monotonic()
    world.brokers[leader - 1].kill()
    world.wait_until(lambda: _leaders(world, name).get(number, leader) not in (leader, _NOBODY), "another one leads")
    secs = world.recovery_secs(struck_at)
    world.brokers[leader - 1].start()
    world.wait_until(partial(_has_all_copies, world), "all copies are in sync again")
    world.recovery_secs()
    return secs


def _leaders(world: World, topic: str) -> dict[int, int]:
    return {partition["partition_index"]: partition["leader_id"] for partition in _partitions(world, topic)}


def _has_all_copies(world: World) -> bool:
    copies = [partition["isr_nodes"] for topic in (world.topic, _OFFSETS) for partition in _partitions(world, topic)]
    return len(copies) == PARTITIONS + 1 and all(len(nodes) == len(world.brokers) for nodes in copies)


def _partitions(world: World, topic: str) -> list[dict[str, Any]]:
    """Metadata of the partitions; empty if the queried broker was just killed."""
    with suppress(KafkaError), world.admin() as admin:
        [metadata] = admin.describe_topics([topic])
        return list(metadata["partitions"])
    return []


# Commits.


def _commit_request(world: World, how: Callable[[Frame], bytes | None]) -> None:
    world.kafka_proxy.strike(lambda frame: frame.holds_lease and not frame.is_reply, how)


def _commit_reply(world: World, how: Callable[[Frame], bytes | None]) -> None:
    world.kafka_proxy.strike(lambda frame: frame.holds_lease and frame.is_reply, how)


def _reply_lost(world: World, _number: int) -> float:
    _commit_reply(world, lambda _frame: None)
    return world.recovery_secs()


def _request_lost(world: World, _number: int) -> float:
    _commit_request(world, lambda _frame: None)
    return world.recovery_secs()


def _reply_late(world: World, _number: int) -> float:
    _commit_reply(world, partial(_late, world))
    return world.recovery_secs()


def _request_late(world: World, _number: int) -> float:
    """The broker receives it after the service has given up."""
    _commit_request(world, partial(_late, world))
    return world.recovery_secs()


def _late(world: World, frame: Frame) -> bytes:
    world.pause(1.6 * _COMMIT_SECS)
    return frame.data


def _commit_refused(world: World, number: int) -> float:
    """The broker rejects it, with each possible error."""
    code = _REFUSALS[number % len(_REFUSALS)]
    world.kafka_proxy.strike_both(
        lambda frame: frame.holds_lease,
        lambda frame: with_wrong_generation(frame.data),
        lambda frame: with_errors(frame, code),
    )
    return world.recovery_secs()


def _commit_in_doubt(world: World, number: int) -> float:
    """The broker accepts it and reports an unknown outcome."""
    code = _DOUBTS[number % len(_DOUBTS)]
    _commit_reply(world, lambda frame: with_errors(frame, code))
    return world.recovery_secs()


# Actions of an operator.


def _offsets_moved(move: Callable[[World], None], world: World, _number: int) -> float:
    world.service.hold()
    world.wait_until(partial(_is_done, partial(move, world)), "Kafka lets the offsets be changed")
    world.service.release()
    return world.recovery_secs()


def _is_done(change: Callable[[], None]) -> bool:
    """Whether the change succeeds: Kafka allows it once it has noticed that the last member is dead."""
    try:
        change()
    except KafkaError:
        return False
    return True


def _roll_back(records: int, world: World) -> None:
    offsets = {
        TopicPartition(world.topic, number): OffsetAndMetadata(max(0, offset - records), "", -1)
        for number, (offset, _) in world.committed().items()
    }
    with world.admin() as admin:
        for error in admin.alter_group_offsets(world.topic, offsets).values():
            if error is not NoError:
                raise error


def _delete_group(world: World) -> None:
    with world.admin() as admin:
        for answer in admin.delete_groups([world.topic]).values():
            if answer != "OK":
                raise KafkaError(str(answer))


def _topic_made_again(world: World, number: int) -> float:
    """With everything stored, while the service is running or stopped. Offsets begin at 0 again."""
    world.load.pause()
    world.drain()
    is_away = number % 2 == 1
    if is_away:
        world.service.hold()
    made_again(world)
    if is_away:
        world.service.release()
    world.renew_load()
    return world.recovery_secs()


def made_again(world: World, while_gone: Callable[[], None] = lambda: None) -> None:
    """Delete the topic and create it again; `while_gone` is called when no record gets into the old one any more."""
    settings = KafkaSettings(topic=world.topic, topic_partitions=PARTITIONS)
    with world.admin() as admin:
        admin.delete_topics([world.topic])
        world.wait_until(
            lambda: world.topic not in admin.list_topics() or world.is_another_topic(), "the topic is deleted"
        )
        while_gone()
        world.wait_until(partial(_is_done, partial(_create, world, settings)), "the topic can be created again")
    world.take_new_topic_id()


def _create(world: World, settings: KafkaSettings) -> None:
    with world.admin() as admin:
        try:
            admin.create_topics(new_topic(settings))
        except TopicAlreadyExistsError:
            if not world.is_another_topic():
                raise


def _records_deleted(world: World, _number: int) -> float:
    """The service is stopped while records arrive and are deleted, as by retention."""
    world.service.hold()
    before = world.load.last_acknowledged()
    world.wait_until(
        lambda: all(last > before[number] + 50 for number, last in world.load.last_acknowledged().items()),
        "records that are to be deleted",
    )
    firsts = {number: last - 20 for number, last in world.load.last_acknowledged().items()}
    with world.admin() as admin:
        admin.delete_records({TopicPartition(world.topic, number): first for number, first in firsts.items()})
    world.first_offsets.update(firsts)
    world.service.release()
    return world.recovery_secs()


def _record_deleted(world: World) -> None:
    """Record which records Kafka has deleted, and which of them the service has reported as lost."""
    announced = set()
    for first, last, number in re.findall(
        r"Kafka deleted offsets (\d+) to (\d+) of \S+/(\d+) before", world.service.log
    ):
        announced |= {RecordId(world.topic_id, int(number), offset) for offset in range(int(first), int(last) + 1)}
    assert announced, "nothing was deleted before it was read"
    world.load.pause()  # the acknowledged events must not change while they are counted
    by_kafka = {
        record_id
        for record_id in world.journal.acknowledged
        if record_id.offset < world.first_offsets[record_id.partition]
    }
    world.deleted = Deleted(by_kafka, announced)


def _transactions(world: World, number: int) -> float:
    """Some are committed, some aborted; each ends with a marker that takes up an offset."""
    for index in range(10):
        world.load.send_transaction(records=5, is_committed=(number + index) % 2 == 0)
    return world.recovery_secs()


def _end_with_marker(world: World) -> None:
    world.load.pause()
    for _ in range(PARTITIONS):
        world.load.send_transaction(records=4, is_committed=False)


def kafka_faults() -> Iterator[Fault]:
    """The rows of the matrix."""
    yield Fault("F6", "kill -9 of the broker", _killed, runs=280)
    yield Fault("F6", "restart of the broker", _restarted)
    yield Fault("F6", "broker stands still for 60 s", partial(_stopped, 60.0))
    yield Fault("F6", "broker stands still for 12 s", partial(_stopped, 12.0))
    for whom, topic in (
        ("leads a partition", lambda world: world.topic),
        ("coordinates the group", lambda _world: _OFFSETS),
    ):
        yield Fault("F6", f"kill -9 of the broker that {whom}, of three", partial(_leader_killed, topic), _THREE)
    yield Fault("F7", "connection breaks before the reply to a commit", _reply_lost, _PROXIED)
    yield Fault("F7", "connection breaks before a commit", _request_lost, _PROXIED)
    yield Fault("F7", "reply to a commit later than the service waits", _reply_late, _PROXIED)
    yield Fault("F7", "commit gets to the broker later than the service waits", _request_late, _PROXIED)
    yield Fault("F7", "commit not taken, error " + ", ".join(map(str, _REFUSALS)), _commit_refused, _PROXIED, runs=28)
    yield Fault("F7", "commit taken, error " + ", ".join(map(str, _DOUBTS)), _commit_in_doubt, _PROXIED)
    yield Fault("F8", "group rolled back by 2000 records", partial(_offsets_moved, partial(_roll_back, 2000)))
    yield Fault("F8", "group set back to the beginning", partial(_offsets_moved, partial(_roll_back, 1 << 60)))
    yield Fault("F8", "group deleted", partial(_offsets_moved, _delete_group))
    yield Fault("F9", "topic deleted and made again", _topic_made_again)
    yield Fault("F10", "records deleted by Kafka before they are read", _records_deleted, finish=_record_deleted)
    yield Fault("F11", "transactions, committed and aborted", _transactions, finish=_end_with_marker)
