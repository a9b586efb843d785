"""What the engine pays to store rows: in the table of schema.sql, and in the same with less beside the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.preflight.table_definition import parse
from bench.engine_limit import BODY_ROWS
from bench.processes import cpu_secs
from bench.report import Figures
from bench.stack import DATABASE, BenchStack

_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Extra:
    """An index, a projection or a constraint of a table; `kind` is the word that ALTER TABLE takes for it."""

    kind: str
    name: str
    text: str


def extras_of(stack: BenchStack, table: str) -> list[Extra]:
    """Everything that the engine keeps or checks beside the columns of a table.

    Raises:
        BenchError: there is no such table.
    """
    definition = parse(stack.query(f"SHOW CREATE TABLE `{DATABASE}`.`{table}` FORMAT TSVRaw"))
    kinds = {"INDEX": definition.indexes, "PROJECTION": definition.projections, "CONSTRAINT": definition.constraints}
    return [Extra(kind, name, text) for kind, named in kinds.items() for name, text in named.items()]


def drop_extras(stack: BenchStack, table: str, extras: Sequence[Extra]) -> None:
    """Take extras from a table; columns (materialized ones too), codecs, order, partitions, TTL and settings stay.

    Raises:
        BenchError: the engine refuses it.
    """
    drops = ", ".join(f"DROP {extra.kind} `{extra.name}`" for extra in extras)
    stack.query(f"ALTER TABLE `{DATABASE}`.`{table}` {drops}")


def measure_storing(stack: BenchStack, table: str, inserts: Sequence[Callable[[], None]]) -> Figures:
    """CPU of the engine for these inserts of `BODY_ROWS` each, and for merging them into one part; named by the table.

    The table is empty afterwards. ClickHouse merges nothing of its own accord meanwhile: how much would be chance.

    Raises:
        BenchError: the engine refuses it.
    """
    stack.stop_merges(table)
    inserting = _cpu_secs(stack, inserts)
    stack.query(f"SYSTEM START MERGES `{DATABASE}`.`{table}`")
    merging = _cpu_secs(stack, [lambda: _merge(stack, table)])
    stack.query(f"TRUNCATE TABLE `{DATABASE}`.`{table}` SYNC")
    rows = len(inserts) * BODY_ROWS
    return {
        f"{table}_insert_cpu_secs_per_million": inserting / rows * _MILLION,
        f"{table}_merge_cpu_secs_per_million": merging / rows * _MILLION,
    }


def _merge(stack: BenchStack, table: str) -> None:
    stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`{table}` FINAL")


def _cpu_secs(stack: BenchStack, calls: Sequence[Callable[[], None]]) -> float:
    before = cpu_secs(stack.engine.pid)
    for call in calls:
        call()
    return cpu_secs(stack.engine.pid) - before
