"""The old and the new service of a pair, and the measurements of each in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from app.backends.clickhouse.schema import statements
from bench.api_client import ApiClient
from bench.drain import measure_unmerged_drain
from bench.history import load_history, merge_days
from bench.latency import measure_latency
from bench.query_kinds import KINDS, SearchValues, sample_search_values
from bench.report import Measurements
from bench.service import Program, running_service
from bench.stack import BenchStack
from bench.workload import EVENTS_PER_SEC

QUERIES: Final = ("newest of all", "service and level", "rare word", "trace", "user", "errors by service 24 h")

_KINDS: Final = [kind for kind in KINDS if kind.name in QUERIES]
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Side:
    """The service of one commit and its table of history."""

    name: str
    program: Program

    @property
    def history(self) -> str:
        """Name of its table of history, and of the empty topic that it reads."""
        return f"{self.name}_history"

    def create_table(self, stack: BenchStack, table: str) -> None:
        """Create a table from the schema.sql of this side.

        Raises:
            BenchError: the engine refuses it.
        """
        schema = (self.program.directory / "schema.sql").read_text(encoding="utf-8")
        for statement in statements(stack.clickhouse_settings(table), schema):
            stack.query(statement)


def load_histories(stack: BenchStack, sides: Sequence[Side], rows: int) -> SearchValues:
    """Load the same history for every side, into a table of its own; returns search values that all of them hold.

    Raises:
        BenchError: the engine refuses it.
    """
    now = time.time()
    for side in sides:
        stack.create_topic(side.history)
        side.create_table(stack, side.history)
        load_history(stack, side.history, rows, now=now)
        merge_days(stack, side.history)
    stack.wait_until_idle()
    return sample_search_values(stack, sides[0].history, rows, Random(rows))


def drain(stack: BenchStack, side: Side, topic: str, events: int) -> Measurements:
    """Drain the topic with a new group into a new table; merges are stopped meanwhile.

    Raises:
        BenchError: the drain does not end.
    """
    table = f"{side.name}_drained"
    return measure_unmerged_drain(stack, side.program, topic, events, table, create=side.create_table)


def steady_load(stack: BenchStack, side: Side, secs: float) -> Measurements:
    """Measure latency under steady load.

    Raises:
        BenchError: the service does not keep up.
    """
    table = f"{side.name}_steady"
    measurements = measure_latency(stack, side.program, f"{table}_{time.time_ns()}", EVENTS_PER_SEC, secs, table)
    stack.drop_table(table)
    return measurements


def query_times(
    stack: BenchStack, sides: Sequence[Side], values: SearchValues, seed: int, count: int
) -> list[Measurements]:
    """Run the same queries on every side in turn, `count` of each kind; the median of each kind in milliseconds.

    Raises:
        BenchError: a query fails.
    """
    with ExitStack() as cleanup:
        clients = [cleanup.enter_context(_client(stack, side)) for side in sides]
        found: list[Measurements] = [{} for _ in sides]
        rng = Random(seed)
        for kind in _KINDS:
            millis: list[list[float]] = [[] for _ in sides]
            for number in range(_WARM_UP + count):
                parameters = kind.parameters(rng, values)
                in_turn = list(zip(clients, millis, strict=True))
                for client, mine in in_turn if number % 2 else reversed(in_turn):
                    mine.append(client.query(kind.path, parameters).millis)
            for measurements, mine in zip(found, millis, strict=True):
                measurements[kind.name] = median(mine[_WARM_UP:])
    return found


@contextmanager
def _client(stack: BenchStack, side: Side) -> Iterator[ApiClient]:
    with (
        running_service(stack, side.program, side.history, side.history) as service,
        closing(ApiClient(urlsplit(service.url).port or 0)) as client,
    ):
        yield client
