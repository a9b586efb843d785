"""A server for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.running import WAIT_SECS, Running


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.application.may_end.set()
    made.server.join(WAIT_SECS)
