"""The world of a test, and what an earlier instance has left in it."""

import pytest

from tests.unit.pipeline.ingest.world import Instance, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def died(world: World) -> Instance:
    """An instance that died when it had stored ten rows and not committed them."""
    world.send(10)
    earlier = world.reading_instance(max_rows=10)
    earlier.hand_over()
    earlier.thread.run()
    earlier.source.close(1.0)
    return earlier
