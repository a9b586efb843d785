"""F18 to F23 and F26: what happens to ClickHouse."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from tests.faults.fault import Fault
from tests.faults.world import World


def _killed(world: World, _number: int) -> float:
    """kill -9 at a random moment; started again at once."""
    world.chance_pause(1.0)
    os.kill(world.engine.pid, signal.SIGKILL)
    world.engine.kill()
    world.engine.start()
    return world.recovery_secs()


def engine_faults() -> Iterator[Fault]:
    """The rows of the matrix."""
    yield Fault("F18", "kill -9 of ClickHouse at random", _killed, runs=300)
