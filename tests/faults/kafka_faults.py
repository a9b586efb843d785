"""F6 to F11: what happens to Kafka."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from tests.faults.fault import Fault
from tests.faults.world import World


def _killed(world: World, _number: int) -> float:
    world.chance_pause(1.0)
    struck_at = time.monotonic()
    world.kafka.kill()
    world.kafka.start()
    return world.recovery_secs(struck_at)


def _restarted(world: World, _number: int) -> float:
    world.chance_pause(1.0)
    struck_at = time.monotonic()
    world.kafka.stop()
    world.kafka.start()
    return world.recovery_secs(struck_at)


def _stopped(secs: float, world: World, _number: int) -> float:
    world.chance_pause(1.0)
    world.kafka.pause()
    try:
        world.pause(secs)
    finally:
        world.kafka.resume()
    return world.recovery_secs()


def kafka_faults() -> Iterator[Fault]:
    """The rows of the matrix."""
    yield Fault("F6", "kill -9 of the broker", _killed)
    yield Fault("F6", "restart of the broker", _restarted)
    yield Fault("F6", "broker stands still for 60 s", partial(_stopped, 60.0), runs=5)
    yield Fault("F6", "broker stands still for 12 s", partial(_stopped, 12.0), runs=10)
