"""Asks the API questions one after another, as one person does, and notes how long each took."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from bench.errors import BenchError
from bench.questions import Facts, Kind, Parameters

_TIMEOUT_SECS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One question: from the request to the last byte of the answer, and what the engine read for it."""

    millis: float
    rows_read: int
    bytes_read: int
    row_count: int


class Asker:
    """One connection to the API, which stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECS)

    def ask(self, path: str, parameters: Parameters) -> Sample:
        """Ask once.

        Raises:
            BenchError: the answer is an error.
        """
        path, parameters = _filled(path, dict(parameters))
        began = time.perf_counter()
        self._connection.request("GET", f"/api/v1{path}?{urlencode(parameters)}")
        response = self._connection.getresponse()
        body = response.read()
        millis = (time.perf_counter() - began) * 1000
        if response.status != http.client.OK:
            raise BenchError(f"{path} {parameters} was answered with {response.status}: {body.decode()[:500]}")
        answer: dict[str, Any] = json.loads(body)
        statistics = answer["statistics"]
        return Sample(millis, statistics["rows_read"], statistics["bytes_read"], len(answer["rows"]))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def first_log_millis(port: int, last_id: str) -> tuple[float, str]:
    """How long a tail takes, from the request, to send the first log after a place; and the id of that event.

    Raises:
        BenchError: there was none.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECS)
    place = b""
    try:
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/logs/tail?{urlencode({'last_id': last_id} if last_id else {})}")
        response = connection.getresponse()
        for line in response:
            if line.startswith(b"id:"):
                place = line[3:].strip()
            if line.startswith(b'data: {"'):
                return (time.perf_counter() - began) * 1000, place.decode()
    finally:
        connection.close()
    raise BenchError(f"the tail was answered with {response.status}, and ended without a log")


def _filled(path: str, parameters: Parameters) -> tuple[str, Parameters]:
    if "{id}" in path:
        path = path.replace("{id}", quote(parameters.pop("id"), safe=""))
    return path, parameters


def ask_many(
    asker: Asker, kind: Kind, facts: Facts, rng: Random, count: int, *, before: Callable[[], None] = lambda: None
) -> Sequence[Sample]:
    """So many questions of one kind; `before` is called before each, and not timed."""
    samples = []
    for _ in range(count):
        before()
        samples.append(asker.ask(kind.path, kind.parameters(rng, facts)))
    return samples
