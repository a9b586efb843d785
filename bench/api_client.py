"""Sends queries to the API one after another over one connection, and measures how long each takes."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlencode

from bench.errors import BenchError
from bench.query_kinds import Kind, Parameters, SearchValues

Query = tuple[str, Parameters]
"""A path below /api/v1, and its parameters."""

_SLOTS: Final = 4  # of a service as it is shipped
_TIMEOUT_SECS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One query: the time from the request to the last byte of the response, and what the engine read for it."""

    millis: float
    rows_read: int
    bytes_read: int
    row_count: int


class ApiClient:
    """One persistent connection to the API."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECS)

    def query(self, path: str, parameters: Parameters) -> Sample:
        """Run one query.

        Raises:
            BenchError: the API responds with an error.
        """
        path, parameters = _filled(path, dict(parameters))
        began = time.perf_counter()
        self._connection.request("GET", f"/api/v1{path}?{urlencode(parameters)}")
        response = self._connection.getresponse()
        body = response.read()
        millis = (time.perf_counter() - began) * 1000
        if response.status != http.client.OK:
            raise BenchError(f"{path} {parameters} returned status {response.status}: {body.decode()[:500]}")
        result: dict[str, Any] = json.loads(body)
        statistics = result["statistics"]
        return Sample(millis, statistics["rows_read"], statistics["bytes_read"], len(result["rows"]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def settings_for(clients: int) -> dict[str, str]:
    """Settings of a service that so many clients of one address are to keep busy: they wait for a slot, without a 429.

    As many may wait as there are slots.
    """
    slots = max(_SLOTS, -(-clients // 2))
    return {
        "QUERY_MAX_CONCURRENT": str(slots),
        "QUERY_MAX_SHARE_PERCENT": "100",
        "QUERY_QUEUE_SECS": "60",
        "HTTP_THREADS": str(4 * slots + 8),
    }


def run_side_by_side(port: int, queries: Sequence[Query], clients: int) -> Sequence[Sample]:
    """Run queries by several clients, each with a connection of its own; a client takes the next that is left.

    Raises:
        BenchError: the API responds with an error.
    """
    left = iter(queries)
    lock = threading.Lock()

    def ask(_client: int) -> list[Sample]:
        client = ApiClient(port)
        samples: list[Sample] = []
        while True:
            with lock:
                query = next(left, None)
            if query is None:
                client.close()
                return samples
            samples.append(client.query(*query))

    with ThreadPoolExecutor(clients) as threads:
        return [sample for samples in threads.map(ask, range(clients)) for sample in samples]


def first_log_millis(port: int, last_id: str) -> tuple[float, str]:
    """Milliseconds from the request until a tail sends the first log after a resume token, and the id of that event.

    Raises:
        BenchError: the tail ended without a log.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECS)
    resume_token = b""
    try:
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/logs/tail?{urlencode({'last_id': last_id} if last_id else {})}")
        response = connection.getresponse()
        for line in response:
            if line.startswith(b"id:"):
                resume_token = line[3:].strip()
            if line.startswith(b'data: {"'):
                return (time.perf_counter() - began) * 1000, resume_token.decode()
    finally:
        connection.close()
    raise BenchError(f"the tail returned status {response.status} and ended without a log")


def _filled(path: str, parameters: Parameters) -> tuple[str, Parameters]:
    if "{id}" in path:
        path = path.replace("{id}", quote(parameters.pop("id"), safe=""))
    return path, parameters


def run_queries(
    client: ApiClient,
    kind: Kind,
    values: SearchValues,
    rng: Random,
    count: int,
    *,
    before: Callable[[], None] = lambda: None,
) -> Sequence[Sample]:
    """Run `count` queries of one kind. `before` is called before each query and is not timed."""
    samples = []
    for _ in range(count):
        before()
        samples.append(client.query(kind.path, kind.parameters(rng, values)))
    return samples
