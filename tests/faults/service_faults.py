"""F1 to F5 and F22: faults of the service."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial

import psutil

from app.pipeline.delivery import MARGIN_SECS
from tests.faults import http_proxy
from tests.faults.fault import Fault
from tests.faults.http_proxy import Exchange
from tests.faults.instance import Instance
from tests.faults.kafka_proxy import JOIN_GROUP, OFFSET_COMMIT, SYNC_GROUP, Frame
from tests.faults.world import DEADLINE_SECS, SESSION_SECS, Setup, World

Act = Callable[[], bool]
"""Acts on the service; returns whether the message in flight is still delivered."""
Moment = Callable[[World, Act], None]
"""Acts on the service at one point of its protocol, recognised by its messages on the wire: work that it has not sent
is the same to all others as not done."""

_PROXIED = Setup(is_proxied=True)


def _lease_requested(world: World, act: Act) -> None:
    world.kafka_proxy.strike(lambda frame: frame.holds_lease and not frame.is_reply, partial(_through, act))


def _lease_answered(world: World, act: Act) -> None:
    world.kafka_proxy.strike(lambda frame: frame.holds_lease and frame.is_reply, partial(_through, act))


def _idle_commit(world: World, act: Act) -> None:
    world.kafka_proxy.strike(
        lambda frame: frame.api == OFFSET_COMMIT and not frame.holds_lease and not frame.is_reply,
        partial(_through, act),
    )


def _half_a_body(world: World, act: Act) -> None:
    def how(exchange: Exchange) -> None:
        with closing(exchange.deliver_part(0.5)):
            act()

    world.engine_proxy.strike(how)


def _stored_and_not_answered(world: World, act: Act) -> None:
    def how(exchange: Exchange) -> None:
        reply = exchange.deliver()
        if act():
            exchange.answer(reply.whole)

    world.engine_proxy.strike(how)


def _running(world: World, act: Act) -> None:
    """ClickHouse receives the end of the insert after the service is gone: at once, or after a takeover."""
    late_secs = world.rng.uniform(0.0, 2 * DEADLINE_SECS + MARGIN_SECS)

    def how(exchange: Exchange) -> None:
        upstream = exchange.deliver_part(0.9)
        act()
        world.later(late_secs, partial(_deliver_rest, exchange, upstream))
        exchange.hang_up()

    world.engine_proxy.strike(how)


def _deliver_rest(exchange: Exchange, upstream: socket.socket) -> None:
    with suppress(OSError, EOFError):
        exchange.deliver_rest(upstream, 0.9)


def _answered(world: World, act: Act) -> None:
    def how(exchange: Exchange) -> None:
        exchange.relay()
        act()

    world.engine_proxy.strike(how)


def _in_recovery(world: World, act: Act) -> None:
    def how(exchange: Exchange) -> None:
        if act():
            exchange.relay()

    world.service.kill()
    world.engine_proxy.strike(how, meant=http_proxy.reads_last_offset)


def _in_the_rebalance(api: int) -> Moment:
    def moment(world: World, act: Act) -> None:
        world.service.kill()
        world.kafka_proxy.strike(lambda frame: frame.api == api and not frame.is_reply, partial(_through, act))

    return moment


def _through(act: Act, frame: Frame) -> bytes | None:
    return frame.data if act() else None


MOMENTS: dict[str, Moment] = {
    "before the lease": _lease_requested,
    "after the lease": _lease_answered,
    "in the middle of the insert's body": _half_a_body,
    "after the body, before its end gets to ClickHouse": _running,
    "after the insert, before the reply": _stored_and_not_answered,
    "after the reply": _answered,
    "before the next commit": _idle_commit,
    "in recovery": _in_recovery,
    "in the rebalance, joining": _in_the_rebalance(JOIN_GROUP),
    "in the rebalance, taking the partitions": _in_the_rebalance(SYNC_GROUP),
}


def _killed_at(moment: Moment, world: World, _number: int) -> float:
    def kill() -> bool:
        world.service.kill()
        return False

    moment(world, kill)
    return world.recovery_secs()


def _killed_once(world: World, _number: int) -> float:
    world.random_pause(4.0)
    world.service.kill()
    return world.recovery_secs()


def _killed_at_random(world: World, _number: int) -> float:
    """Kill it at random, sometimes again during recovery."""
    world.random_pause(2.0)
    world.service.kill()
    while world.rng.random() < 0.3:
        world.random_pause(2 * SESSION_SECS)
        world.service.kill()
    return world.recovery_secs()


def _stopped_at(moment: Moment, world: World, _number: int) -> float:
    """A zombie: it is paused, another instance takes over, and it resumes."""

    def stop() -> bool:
        world.service.pause()
        return True

    world.require_one_member()
    moment(world, stop)
    return _taken_over(world, world.service)


def _stopped_at_random(world: World, _number: int) -> float:
    world.require_one_member()
    world.random_pause(1.0)
    world.service.pause()
    return _taken_over(world, world.service)


def _taken_over(world: World, zombie: Instance) -> float:
    stopped_at = time.monotonic()
    other = world.new_instance()
    secs = world.recovery_secs(stopped_at)
    time.sleep(max(0.0, stopped_at + 2 * SESSION_SECS - time.monotonic()))  # the fault itself
    rejoined = zombie.log.count("Partitions assigned")
    zombie.resume()
    world.wait_until(lambda: zombie.log.count("Partitions assigned") > rejoined, "the zombie rejoins the group")
    world.remove(other)
    world.recovery_secs()
    return secs


def _lands_after_takeover(is_killed: bool, world: World, _number: int) -> float:
    """The end of its insert reaches ClickHouse after another instance has checked the table and stored missing rows."""
    held: list[tuple[Exchange, socket.socket]] = []

    def how(exchange: Exchange) -> None:
        held.append((exchange, exchange.deliver_part(0.9)))
        world.service.kill() if is_killed else world.service.pause()
        exchange.hang_up()

    world.require_one_member()
    world.engine_proxy.strike(how)
    stopped_at = time.monotonic()
    other = None if is_killed else world.new_instance()
    secs = world.recovery_secs(stopped_at)
    [(exchange, upstream)] = held
    reply = exchange.deliver_rest(upstream, 0.9)
    assert reply.error_code == _TOO_LATE, f"ClickHouse did not refuse the late insert: {reply.whole!r}"
    if other is not None:
        world.service.resume()
        world.remove(other)
        world.recovery_secs()
    return secs


def _joins_and_leaves(world: World, number: int) -> float:
    """A second instance joins and leaves every two seconds; it stops in order or is killed."""
    other = world.new_instance()
    world.pause(2.0)
    world.remove(other, gently=number % 2 == 0)
    world.pause(2.0)
    return world.recovery_secs()


def _poll_interval_passes(world: World, _number: int) -> float:
    """ClickHouse is so slow that a member that does not poll meanwhile would be expelled."""
    rebalances = world.service.log.count("Partitions assigned")
    world.engine_proxy.treat_all = http_proxy.swallow
    try:
        world.pause(_POLL_INTERVAL_SECS + SESSION_SECS)
    finally:
        world.engine_proxy.treat_all = None
    secs = world.recovery_secs()
    assert world.service.log.count("Partitions assigned") == rebalances, "the member was thrown out"
    return secs


_POLL_INTERVAL_SECS = 30.0
_SHORT_SECS = 5.0
_TOO_LATE = 469


def _without_descriptors(world: World, _number: int) -> float:
    """Close its connections to ClickHouse, and for a while it cannot open new ones."""
    process = psutil.Process(world.service.process.pid)
    _, most = process.rlimit(psutil.RLIMIT_NOFILE)
    before = world.service.log.count("Too many open files")
    process.rlimit(psutil.RLIMIT_NOFILE, (1, most))
    try:
        world.engine_proxy.listener.shut()
        world.engine_proxy.listener.open()
        world.wait_until(lambda: world.service.log.count("Too many open files") > before, "it runs out of descriptors")
        world.pause(_SHORT_SECS)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_NOFILE, (most, most))
    return world.recovery_secs()


def _without_memory(world: World, _number: int) -> float:
    """For a while it gets no more memory, not even for the stack of a thread, and may need a restart."""
    process = psutil.Process(world.service.process.pid)
    starts, before = world.service.starts, world.service.log.count("MemoryError")
    process.rlimit(psutil.RLIMIT_AS, (1, psutil.RLIM_INFINITY))
    try:
        world.wait_until(
            lambda: world.service.starts > starts or world.service.log.count("MemoryError") > before,
            "it runs out of memory",
        )
        world.pause(_SHORT_SECS)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    return world.recovery_secs()


def service_faults() -> Iterator[Fault]:
    """The rows of the matrix."""
    for where, moment in MOMENTS.items():
        yield Fault("F1", f"kill -9 of the service {where}", partial(_killed_at, moment), _PROXIED)
    yield Fault(
        "F1",
        "kill -9 of the service, its insert lands when the next one has taken over",
        partial(_lands_after_takeover, True),
        _PROXIED,
    )
    yield Fault("F2", "kill -9 of the service at random, also while it recovers", _killed_at_random, runs=60)
    yield Fault(
        "F2", "kill -9 of the service at random, settings as shipped", _killed_once, Setup(is_as_shipped=True), runs=100
    )
    for where, moment in MOMENTS.items():
        if where not in ("in recovery", "in the rebalance, joining", "in the rebalance, taking the partitions"):
            yield Fault(
                "F3",
                f"service stopped {where}, another takes over, it wakes up",
                partial(_stopped_at, moment),
                _PROXIED,
            )
    yield Fault(
        "F3",
        "service stopped, its insert lands when another has taken over, it wakes up",
        partial(_lands_after_takeover, False),
        _PROXIED,
    )
    yield Fault("F3", "service stopped at random, another takes over, it wakes up", _stopped_at_random)
    yield Fault("F4", "a second instance joins and leaves every 2 s", _joins_and_leaves, runs=60)
    yield Fault(
        "F5",
        "ClickHouse silent for longer than the poll interval",
        _poll_interval_passes,
        Setup(is_proxied=True, settings={"KAFKA_MAX_POLL_INTERVAL_SECS": f"{_POLL_INTERVAL_SECS:g}"}),
    )
    yield Fault("F22", "service out of file descriptors for a while", _without_descriptors, _PROXIED)
    yield Fault("F22", "service out of memory for a while", _without_memory, _PROXIED)
