"""The fixed cost of a query: the newest log of a small table through the API, against SELECT 1 at ClickHouse."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from bench.errors import BenchError
from bench.service import running_service
from bench.stack import BenchStack

_CALLS: Final = 60
_WARM_UP: Final = 10
_TIMEOUT_SECS: Final = 30.0
_PATIENCE_SECS: Final = 60.0


def measure_small_query(stack: BenchStack, python: str, table: str) -> float:
    """Median time of the query, as a multiple of that of SELECT 1; both over a connection that stays open, in turn.

    Raises:
        BenchError: one of them was not answered.
    """
    topic = f"idle-{table}"
    stack.create_topic(topic)
    with running_service(stack, python, topic, table) as service:
        service.wait_until(lambda _scrape: True, _PATIENCE_SECS)
        api, engine = _connection(service.url), _connection(stack.engine.url)
        newest = _timed(api, "/api/v1/logs?limit=1&start=now-1d")
        select_1 = _timed(engine, "/?query=SELECT%201")
        pairs = [(newest(), select_1()) for _ in range(_WARM_UP + _CALLS)][_WARM_UP:]
    return median(query for query, _ in pairs) / median(fixed for _, fixed in pairs)


def _connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_SECS)


def _timed(connection: http.client.HTTPConnection, path: str) -> Callable[[], float]:
    def call() -> float:
        began = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise BenchError(f"{path} was answered with {response.status}: {body.decode()[:500]}")
        return time.perf_counter() - began

    return call
