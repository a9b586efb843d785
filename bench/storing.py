"""Measures what storing rows costs the engine, in the table of schema.sql and in tables with fewer extras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.rows import Rows
from app.preflight.table_definition import parse
from bench.engine_limit import insert_call
from bench.processes import cpu_secs
from bench.report import Measurements
from bench.stack import DATABASE, BenchStack

_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Extra:
    """An index, a projection or a constraint of a table; `kind` is its keyword in ALTER TABLE."""

    kind: str
    name: str
    text: str


def extras_of(stack: BenchStack, table: str) -> list[Extra]:
    """The indexes, projections and constraints of a table.

    Raises:
        BenchError: the table does not exist.
    """
    definition = parse(stack.query(f"SHOW CREATE TABLE `{DATABASE}`.`{table}` FORMAT TSVRaw"))
    kinds = {"INDEX": definition.indexes, "PROJECTION": definition.projections, "CONSTRAINT": definition.constraints}
    return [Extra(kind, name, text) for kind, named in kinds.items() for name, text in named.items()]


def drop_extras(stack: BenchStack, table: str, extras: Sequence[Extra]) -> None:
    """Drop extras of a table; columns (also materialized ones), codecs, order, partitions, TTL and settings stay.

    Raises:
        BenchError: the engine refuses it.
    """
    drops = ", ".join(f"DROP {extra.kind} `{extra.name}`" for extra in extras)
    stack.query(f"ALTER TABLE `{DATABASE}`.`{table}` {drops}")


def measure_storing(stack: BenchStack, table: str, blocks: Sequence[Rows]) -> Measurements:
    """CPU of the engine for an insert of each of these blocks, and for merging them into one part, by table name.

    The table is empty afterwards. Automatic merges are stopped meanwhile, because their number is random.

    Raises:
        BenchError: the engine refuses it.
    """
    writer = ClickHouseWriter(stack.clickhouse_settings(table))
    stack.stop_merges(table)
    inserting = _cpu_secs(stack, [insert_call(writer, block) for block in blocks])
    stack.query(f"SYSTEM START MERGES `{DATABASE}`.`{table}`")
    merging = _cpu_secs(stack, [lambda: _merge(stack, table)])
    stack.query(f"TRUNCATE TABLE `{DATABASE}`.`{table}` SYNC")
    rows = sum(block.num_rows for block in blocks)
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
