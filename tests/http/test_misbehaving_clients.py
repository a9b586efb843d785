"""Clients of every bad kind at the same time: others are served meanwhile, memory stays flat, no connection is left."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest

from local.paths import ROOT
from local.ports import LOOPBACK, free_port, is_listening
from local.process import ChildProcess
from tests.e2e.pipeline import wait_until
from tests.http.misbehaving import CLOSED_BY_THE_SERVER, misbehave

pytestmark = pytest.mark.stack  # real sockets

_WAIT_SECS = 20.0
_SECS = 3.0
_OF_EACH = 4
_MOST_MB = 120.0  # more than before: three times what it takes; a leak takes more than that within seconds


class Served:
    """The API in a process of its own."""

    def __init__(self, log_file: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.http.served", str(self.port)]
        self.child = ChildProcess("the API", command, log_file, environment=dict(os.environ), directory=ROOT)
        self.child.start()
        self.child.wait_until(lambda: is_listening(self.port), _WAIT_SECS)
        self._process = psutil.Process(self.child.pid)

    def get(self, path: str) -> int:
        """The status of a response that was read to its end."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}{path}", timeout=_WAIT_SECS) as response:
            response.read()
            return int(response.status)

    def memory_mb(self) -> float:
        """Its resident memory."""
        return float(self._process.memory_info().rss) / 1e6

    def connections(self) -> int:
        """How many it has."""
        return len([1 for one in self._process.net_connections("tcp") if one.status != psutil.CONN_LISTEN])


class Other(threading.Thread):
    """A thread that does the same again and again, and keeps its results, until it is told to stop."""

    def __init__(self, does: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self.results: list[float] = []
        self._does = does
        self._may_end = threading.Event()

    def run(self) -> None:
        while not self._may_end.wait(0.02):
            self.results.append(self._does())

    def stop(self) -> list[float]:
        """The results."""
        self._may_end.set()
        self.join(_WAIT_SECS)
        return self.results


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "served.log")
    yield made
    made.child.stop()


def test_clients_that_misbehave_take_nothing_from_others(served: Served) -> None:
    paths = ("/live", "/api/v1/stats?query=level:error", "/api/v1/logs?limit=250")
    assert {served.get(path) for path in paths} == {200}
    before_mb = served.memory_mb()
    others = [Other(partial(served.get, path)) for path in paths]
    memory = Other(served.memory_mb)

    for thread in (*others, memory):
        thread.start()
    with ThreadPoolExecutor(1) as executor:  # this one may have an event loop, of Playwright's
        ended = executor.submit(asyncio.run, misbehave((LOOPBACK, served.port), _SECS, _OF_EACH)).result()
    statuses = [Counter(thread.stop()) for thread in others]
    memory_mb = memory.stop()

    assert all(set(seen) == {200} for seen in statuses), statuses
    assert max(memory_mb) < before_mb + _MOST_MB
    assert all(ended[name] for name in CLOSED_BY_THE_SERVER), ended
    wait_until(lambda: served.connections() == 0, "no connection is left")
