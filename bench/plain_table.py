"""What the table's indexes, projections, codecs and constraint cost ClickHouse, against a plain table."""

from __future__ import annotations

import time
import uuid
from statistics import median
from typing import Final

from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.rows import Rows
from bench.engine_limit import batches
from bench.processes import cpu_secs
from bench.stack import DATABASE, BenchStack

_BATCHES: Final = 3
_DEADLINE_SECS: Final = 60.0


def measure_tables(stack: BenchStack) -> float:
    """CPU of an insert into the table of schema.sql, as a multiple of one into the plain table; the median of some.

    Merges are stopped: which parts ClickHouse puts together while it is watched is chance.
    """
    name = uuid.uuid4().hex
    ours, plain = f"ours_{name}", f"plain_{name}"
    stack.create_table(ours)
    create_plain_table(stack, plain, like=ours)
    for table in (ours, plain):
        stack.stop_merges(table)
    ratios = [_cpu_secs(stack, ours, rows) / _cpu_secs(stack, plain, rows) for rows in batches(_BATCHES)]
    for table in (ours, plain):
        stack.drop_table(table)
    return median(ratios)


def create_plain_table(stack: BenchStack, name: str, *, like: str) -> None:
    """The columns that are sent, their types, order and partitions, fsync; no codec, index, projection, constraint."""
    columns = stack.query(
        "SELECT arrayStringConcat(groupArray(concat('`', name, '` ', type)), ', ') FROM system.columns"
        f" WHERE database = '{DATABASE}' AND table = '{like}' AND default_kind != 'MATERIALIZED' FORMAT RawBLOB"
    )
    stack.query(
        f"CREATE TABLE `{DATABASE}`.`{name}` ({columns}) ENGINE = MergeTree PARTITION BY toDate(Timestamp)"
        " ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)"
        " SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
    )


def _cpu_secs(stack: BenchStack, table: str, rows: Rows) -> float:
    """CPU seconds of the engine for one insert of the rows."""
    writer = ClickHouseWriter(stack.clickhouse_settings(table))
    start = cpu_secs(stack.engine.pid)
    writer.insert(rows, uuid.uuid4().hex, int((time.time() + _DEADLINE_SECS) * 1000))
    return cpu_secs(stack.engine.pid) - start
