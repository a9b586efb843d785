"""F28 to F30: faults while clients of several protocols post logs, which are verified by attempt.

Events of a request with a 2xx are there exactly once; those of any other answer, or of none, at most once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from kafka.admin import ConfigResource, ConfigResourceType

from tests.faults.fault import Fault
from tests.faults.kafka_faults import made_again
from tests.faults.kafka_proxy import PRODUCE, Frame
from tests.faults.world import Setup, World

_TIMEOUT_SECS = 2.0
_FAULT_SECS = 3 * _TIMEOUT_SECS
_END_SECS = 10.0
_NOBODY_SECS = 0.5  # in which nobody listens

_SETTINGS = {"ROLES": "ingest,receive", "RECEIVE_TIMEOUT_SECS": f"{_TIMEOUT_SECS:g}"}
_POSTED = Setup(is_posted_to=True, settings=_SETTINGS)
_POSTED_THREE = Setup(is_posted_to=True, brokers=3, settings=_SETTINGS)
_POSTED_PROXIED = Setup(is_posted_to=True, is_proxied=True, settings=_SETTINGS)


def _killed(world: World, number: int) -> float:
    """The broker and the service in turn."""
    world.random_pause(1.0)
    struck_at = time.monotonic()
    if number % 2:
        with _failing(world):
            world.service.kill()
        return world.recovery_secs(struck_at)
    with _failing(world):
        world.kafka.kill()
        world.kafka.start()
    return world.recovery_secs(struck_at)


def _stopped(world: World, _number: int) -> float:
    """Requests get a 503 meanwhile; whether Kafka takes their records when it wakes up is not known."""
    world.kafka.pause()
    try:
        with _failing(world):
            world.pause(_FAULT_SECS)
    finally:
        world.kafka.resume()
    return world.recovery_secs()


# The connection between service and broker.


def _reply_lost(world: World, _number: int) -> float:
    """The broker has the records: sent again, they must not be there twice."""
    world.kafka_proxy.strike(_is_produce_reply, lambda _frame: None)
    return world.recovery_secs()


def _request_lost(world: World, _number: int) -> float:
    world.kafka_proxy.strike(_is_produce_request, lambda _frame: None)
    return world.recovery_secs()


def _reply_late(world: World, _number: int) -> float:
    with _failing(world):
        world.kafka_proxy.strike(_is_produce_reply, partial(_late, world))
    return world.recovery_secs()


def _request_late(world: World, _number: int) -> float:
    """The broker gets the records when their requests have had their 503 for long."""
    with _failing(world):
        world.kafka_proxy.strike(_is_produce_request, partial(_late, world))
    return world.recovery_secs()


def _is_produce_request(frame: Frame) -> bool:
    return frame.api == PRODUCE and not frame.is_reply


def _is_produce_reply(frame: Frame) -> bool:
    return frame.api == PRODUCE and frame.is_reply


def _late(world: World, frame: Frame) -> bytes:
    world.pause(_FAULT_SECS)
    return frame.data


# What the broker does not take.


def _all_copies_wanted(world: World) -> None:
    change = ConfigResource(ConfigResourceType.TOPIC, world.topic, {"min.insync.replicas": str(len(world.brokers))})
    with world.admin() as admin:
        admin.alter_configs([change])


def _too_few_copies(world: World, number: int) -> float:
    """One of three brokers is away, and all three copies are wanted."""
    broker = world.brokers[number % len(world.brokers)]
    with _failing(world):
        broker.kill()
        world.pause(_FAULT_SECS)
    broker.start()
    return world.recovery_secs()


def _topic_made_again(world: World, _number: int) -> float:
    """Logs are posted while there is no topic, too. What was in the deleted topic has been stored before."""
    world.load.pause()
    world.posting.pause()
    world.drain()
    world.keep_posted_records()
    made_again(world, while_gone=world.posting.flow)
    world.renew_load()
    return world.recovery_secs()


# The end of the service.


def _ended(world: World, _number: int) -> float:
    """SIGTERM: what it has accepted is sent, and it ends in time."""
    world.random_pause(1.0)
    struck_at = time.monotonic()
    with _failing(world):
        code = world.service.ask_to_end()
        secs = time.monotonic() - struck_at
        world.pause(_NOBODY_SECS)
    assert code == 0, f"it ended with {code}"
    assert secs < _END_SECS, f"it took {secs:.1f} s to end"
    world.service.release()
    return world.recovery_secs(struck_at)


@contextmanager
def _failing(world: World) -> Iterator[None]:
    """Attempts must fail because of what happens in this block, or soon after it."""
    before = world.posting.failed()
    yield
    world.wait_until(lambda: world.posting.failed() > before, "the clients notice the fault")


def receive_faults() -> Iterator[Fault]:
    """The rows of the matrix."""
    yield Fault("F28", "kill -9 of broker and service in turn, logs are posted", _killed, _POSTED, runs=40)
    yield Fault("F28", "broker stands still, logs are posted", _stopped, _POSTED)
    yield Fault("F28", "service ended by SIGTERM, logs are posted", _ended, _POSTED)
    yield Fault("F29", "connection breaks before the reply to posted logs", _reply_lost, _POSTED_PROXIED)
    yield Fault("F29", "connection breaks before posted logs", _request_lost, _POSTED_PROXIED)
    yield Fault("F29", "reply to posted logs later than a request waits", _reply_late, _POSTED_PROXIED)
    yield Fault("F29", "posted logs get to the broker later than a request waits", _request_late, _POSTED_PROXIED)
    yield Fault(
        "F30", "too few copies in sync for posted logs", _too_few_copies, _POSTED_THREE, prepare=_all_copies_wanted
    )
    yield Fault("F30", "topic deleted and made again, logs are posted", _topic_made_again, _POSTED)
