"""The listener of syslog over a publisher in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.syslog.listener import Listener


@pytest.fixture
def new_listener() -> Iterator[Callable[..., Listener]]:
    """Starts listeners for one test."""
    made: list[Listener] = []

    def new(**options: object) -> Listener:
        made.append(Listener(**options))  # type: ignore[arg-type]
        return made[-1]

    yield new
    for listener in made:
        listener.stop()


@pytest.fixture
def listener(new_listener: Callable[..., Listener]) -> Listener:
    """TCP and UDP on free ports."""
    return new_listener()
