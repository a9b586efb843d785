"""Measures a query that reads almost nothing through the HTTP API, and `SELECT 1` on the engine for comparison."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

from bench.api_client import ApiClient
from bench.errors import BenchError
from bench.latency import quantile
from bench.processes import cpu_secs
from bench.report import Measurements
from bench.service import Program, running_service
from bench.stack import BenchStack
from bench.workload import load
from local.service import ServiceProcess

ROWS: Final = 1_000

_TOPIC: Final = "few"
_QUERY: Final = {"start": "now-1h", "limit": "1"}
_TIMEOUT_SECS: Final = 60.0
_QUERIES, _CONSTANTS = 10, 40  # per round: about the same time for each
_UNDISTURBED: Final = 0.1


@contextmanager
def service_with_few_rows(stack: BenchStack, program: Program) -> Iterator[ServiceProcess]:
    """Run an otherwise idle service that has stored a few rows.

    Raises:
        BenchError: Kafka did not acknowledge them.
        local.errors.LocalError: they were not stored.
    """
    stack.create_topic(_TOPIC)
    load(stack.kafka.bootstrap_servers, _TOPIC, ROWS)
    with running_service(stack, program, _TOPIC, _TOPIC) as service:
        service.wait_until_stored(ROWS, _TIMEOUT_SECS)
        yield service


def measure_small_query(stack: BenchStack, service: ServiceProcess, rounds: int) -> Measurements:
    """CPU and time of a query for the newest row and of `SELECT 1`, in turn over one connection each.

    A round is a few queries and then a few `SELECT 1`, so that a machine that slows down affects both.

    Raises:
        BenchError: a query fails.
    """
    engine = http.client.HTTPConnection("127.0.0.1", stack.engine.port, timeout=_TIMEOUT_SECS)
    with closing(ApiClient(urlsplit(service.url).port or 0)) as api, closing(engine):
        query = _Timed([service.pid, stack.engine.pid], lambda: api.query("/logs", _QUERY))
        constant = _Timed([stack.engine.pid], lambda: _select_1(engine))
        for _ in range(rounds):
            query.call(_QUERIES)
            constant.call(_CONSTANTS)
    return {
        "query_cpu_millis": query.cpu_millis(),
        "query_millis": query.millis(),
        "select_1_cpu_millis": constant.cpu_millis(),
        "select_1_millis": constant.millis(),
    }


def _select_1(engine: http.client.HTTPConnection) -> None:
    engine.request("POST", "/", b"SELECT 1")
    response = engine.getresponse()
    if (body := response.read()) != b"1\n":
        raise BenchError(f"SELECT 1 returned status {response.status}: {body.decode()[:500]}")


class _Timed:
    """Times a repeated call, and the CPU that some processes use for it."""

    def __init__(self, pids: Sequence[int], call: Callable[[], object]) -> None:
        self._pids = pids
        self._call = call
        self._millis: list[float] = []
        self._cpu_secs = 0.0
        call()  # opens the connections

    def call(self, count: int) -> None:
        before = self._used()
        for _ in range(count):
            began = time.perf_counter()
            self._call()
            self._millis.append((time.perf_counter() - began) * 1000)
        self._cpu_secs += self._used() - before

    def cpu_millis(self) -> float:
        """Average CPU time of one call."""
        return self._cpu_secs / len(self._millis) * 1000

    def millis(self) -> float:
        """Duration of an undisturbed call: the fastest tenth of the calls is faster."""
        return quantile(sorted(self._millis), _UNDISTURBED)

    def _used(self) -> float:
        return sum(map(cpu_secs, self._pids))
