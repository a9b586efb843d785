"""The two services of a pair, an old one and a new one, and what is measured of each in turn."""

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
from bench.asking import Asker
from bench.drain import measure_drain
from bench.history import load_history, merge_days
from bench.latency import measure_latency
from bench.questions import KINDS, Facts, facts_of
from bench.report import Figures
from bench.service import Program, running_service
from bench.stack import BenchStack
from bench.workload import EVENTS_PER_SEC

QUERIES: Final = ("newest of all", "service and level", "rare word", "trace", "user", "errors by service 24 h")

_KINDS: Final = [kind for kind in KINDS if kind.name in QUERIES]
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Side:
    """The service of one commit, and the table of history that it answers from."""

    name: str
    program: Program

    @property
    def history(self) -> str:
        """Its table of history, which also names the topic that it reads meanwhile and that stays empty."""
        return f"{self.name}_history"

    def create_table(self, stack: BenchStack, table: str) -> None:
        """Make a table from its own schema.sql.

        Raises:
            BenchError: the engine refuses it.
        """
        schema = (self.program.directory / "schema.sql").read_text(encoding="utf-8")
        for statement in statements(stack.clickhouse_settings(table), schema):
            stack.query(statement)


def load_histories(stack: BenchStack, sides: Sequence[Side], rows: int) -> Facts:
    """Give every side the same history, in a table of its own; what can be looked for in each of them.

    Raises:
        BenchError: the engine refuses it.
    """
    now = time.time()
    for side in sides:
        stack.create_topic(side.history)
        side.create_table(stack, side.history)
        load_history(stack, side.history, rows, now=now)
        merge_days(stack, side.history)
    stack.settle()
    return facts_of(stack, sides[0].history, rows, Random(rows))


def drain(stack: BenchStack, side: Side, topic: str, events: int) -> Figures:
    """Drain the topic with a new group into a new table, which nothing is merged in meanwhile.

    Raises:
        BenchError: the drain does not end.
    """
    table = f"{side.name}_drained"
    side.create_table(stack, table)
    stack.stop_merges(table)
    figures = measure_drain(stack, side.program, topic, events, table)
    stack.drop_table(table)
    return figures


def steady_load(stack: BenchStack, side: Side, secs: float) -> Figures:
    """How late rows are stored while traffic is steady.

    Raises:
        BenchError: the service does not keep up.
    """
    table = f"{side.name}_steady"
    figures = measure_latency(stack, side.program, f"{table}_{time.time_ns()}", EVENTS_PER_SEC, secs, table)
    stack.drop_table(table)
    return figures


def query_times(stack: BenchStack, sides: Sequence[Side], facts: Facts, seed: int, count: int) -> list[Figures]:
    """Ask every side the same, query by query in turn, and so many of each kind; the median of each kind in ms.

    Raises:
        BenchError: an answer is an error.
    """
    with ExitStack() as cleanup:
        askers = [cleanup.enter_context(_asker(stack, side)) for side in sides]
        found: list[Figures] = [{} for _ in sides]
        chance = Random(seed)
        for kind in _KINDS:
            millis: list[list[float]] = [[] for _ in sides]
            for number in range(_WARM_UP + count):
                parameters = kind.parameters(chance, facts)
                in_turn = list(zip(askers, millis, strict=True))
                for asker, mine in in_turn if number % 2 else reversed(in_turn):
                    mine.append(asker.ask(kind.path, parameters).millis)
            for figures, mine in zip(found, millis, strict=True):
                figures[kind.name] = median(mine[_WARM_UP:])
    return found


@contextmanager
def _asker(stack: BenchStack, side: Side) -> Iterator[Asker]:
    with (
        running_service(stack, side.program, side.history, side.history) as service,
        closing(Asker(urlsplit(service.url).port or 0)) as asker,
    ):
        yield asker
