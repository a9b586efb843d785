"""The in-memory world of a test, optionally with leftovers of an earlier instance."""

import pytest

from tests.unit.pipeline.ingest.world import Instance, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def died(world: World) -> Instance:
    """An instance that died after it had stored ten rows without committing them."""
    world.send(10)
    earlier = world.reading_instance(max_rows=10)
    earlier.hand_over()
    earlier.thread.run()
    earlier.source.close(1.0)
    return earlier
