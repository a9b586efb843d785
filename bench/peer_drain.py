"""Drains of the same backlog by the service and by its peers, all measured from outside in the same way.

Beside them the engine alone: one client posts the same rows, in the service's blocks, and does nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.native import installed
from app.domain.rows import Rows
from bench.drain import exactness
from bench.engine_limit import insert_call
from bench.errors import BenchError
from bench.peer_ingesters import (
    CreateTable,
    create_event_table,
    create_event_table_with_position,
    create_plain_table,
    create_plain_table_for_sinker,
    running_connector,
    running_sinker,
)
from bench.peers import CONNECTOR, SINKER
from bench.polling import polling
from bench.processes import CpuTimes, cpu_secs, peak_memory_mb
from bench.report import Measurements
from bench.service import Program, running_service
from bench.service_blocks import service_blocks
from bench.stack import DATABASE, BenchStack

SERVICE_FULL, SERVICE_PLAIN = "service, full table", "service, plain table"
SINKER_PLAIN, SINKER_OWN = f"{SINKER}, the same plain table", f"{SINKER}, its own table"
CONNECTOR_OWN: Final = f"{CONNECTOR}, its own table"
ENGINE_FULL: Final = "engine alone, full table"

_MILLION: Final = 1e6
_SAMPLE_SECS, _POLL_SECS = 0.05, 0.2  # a poll takes 5 ms of the engine
_LATER_SECS: Final = 2.0  # in which a row that is stored twice would come
_BEGIN_SECS: Final = 60.0
_SLOWEST_ROWS_PER_SEC: Final = 5_000


class _Process(Protocol):
    @property
    def pid(self) -> int: ...


Drain = Callable[[str], Measurements]
"""Drains the backlog into a new table of this name."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When a drain began, had its first rows, its last, and all of them merged (Unix time)."""

    began_at: float
    first_at: float
    last_at: float
    merged_at: float


def drains(
    stack: BenchStack, python: str, sinker: Path | None, connector: Path | None, topic: str, events: int
) -> Mapping[str, Drain]:
    """A drain for each ingester, by its name; those of the peers only where their programs are there.

    The service drains the topic once before, which shows in which blocks it stores the rows.
    """
    drain = partial(_drain, stack, events)
    service = partial(running_service, stack, Program(python), topic)
    found: dict[str, Drain] = {
        SERVICE_FULL: partial(drain, BenchStack.create_table, service, exactness),
        SERVICE_PLAIN: partial(drain, create_plain_table, service, exactness),
    }
    if sinker is not None:
        start = partial(running_sinker, stack, sinker, topic)
        shared, own = partial(start, is_own_table=False), partial(start, is_own_table=True)
        found[SINKER_PLAIN] = partial(drain, create_plain_table_for_sinker, shared, exactness)
        found[SINKER_OWN] = partial(drain, create_event_table_with_position, own, _sinker_exactness)
    if connector is not None:
        start = partial(running_connector, stack, connector, topic)
        found[CONNECTOR_OWN] = partial(drain, create_event_table, start, _number_of_rows)
    found[ENGINE_FULL] = partial(_engine_alone, stack, service_blocks(stack, python, topic, events))
    return found


def _drain(
    stack: BenchStack,
    events: int,
    create_table: CreateTable,
    started: Callable[[str], AbstractContextManager[_Process]],
    exact: Callable[[BenchStack, str, int], Measurements],
    table: str,
) -> Measurements:
    """Start an ingester and watch its table until it has all rows; then let the engine finish its merges.

    Raises:
        BenchError: the drain does not end.
    """
    create_table(stack, table)
    began_at, engine_before = time.time(), cpu_secs(stack.engine.pid)
    with started(table) as process:
        cpu = CpuTimes({"ingester": process.pid, "engine": stack.engine.pid})
        with polling(cpu.sample, _SAMPLE_SECS):
            first_at, first = _wait_for(stack, table, 1, _BEGIN_SECS)
            last_at, _ = _wait_for(stack, table, events, _BEGIN_SECS + events / _SLOWEST_ROWS_PER_SEC)
            merged_at, engine_after = _merge(stack, table)
            time.sleep(max(0.0, last_at + _LATER_SECS - time.time()))
        peak = peak_memory_mb(process.pid)
    measurements = rates(Moments(began_at, first_at, last_at, merged_at), first, events) | {
        "cpu_secs_per_million": cpu.total("ingester", last_at) / events * _MILLION,
        "cpu_secs_per_million_steady": steady_cpu(cpu, first_at, last_at, first, events),
        "peak_memory_mb": peak,
        "engine_cpu_secs_per_million": (cpu.total("engine", last_at) - engine_before) / events * _MILLION,
        "engine_cpu_secs_per_million_merged": (engine_after - engine_before) / events * _MILLION,
    }
    measurements |= exact(stack, table, events)
    stack.drop_table(table)
    return measurements


def _engine_alone(stack: BenchStack, blocks: Sequence[Rows], table: str) -> Measurements:
    """Post blocks one after another with the service's writer; then let the engine merge them.

    Raises:
        BenchError: the engine refuses something.
    """
    stack.create_table(table)
    writer = ClickHouseWriter(stack.clickhouse_settings(table), installed().forms)
    began_at, engine_before = time.time(), cpu_secs(stack.engine.pid)
    insert_call(writer, blocks[0])()
    first_at = time.time()
    for block in blocks[1:]:
        insert_call(writer, block)()
    last_at, engine_stored = time.time(), cpu_secs(stack.engine.pid)
    merged_at, engine_after = _merge(stack, table)
    rows = sum(block.num_rows for block in blocks)
    measurements = rates(Moments(began_at, first_at, last_at, merged_at), blocks[0].num_rows, rows) | {
        "engine_cpu_secs_per_million": (engine_stored - engine_before) / rows * _MILLION,
        "engine_cpu_secs_per_million_merged": (engine_after - engine_before) / rows * _MILLION,
    }
    measurements |= exactness(stack, table, rows)
    stack.drop_table(table)
    return measurements


def rates(at: Moments, first: int, events: int) -> Measurements:
    """Rows/s: between the first rows, which are `first`, and the last; from the start; and until all is merged.

    If all rows came at once, those from the start count throughout.
    """
    rows, began_at = (events - first, at.first_at) if first < events else (events, at.began_at)
    return {
        "rows_per_sec": rows / max(at.last_at - began_at, 1e-3),
        "rows_per_sec_from_start": events / (at.last_at - at.began_at),
        "rows_per_sec_merged": rows / max(at.merged_at - began_at, 1e-3),
    }


def steady_cpu(cpu: CpuTimes, first_at: float, last_at: float, first: int, events: int) -> float:
    """CPU seconds per million rows between the first and the last; of the whole drain if all rows came at once."""
    if first < events:
        return cpu.used("ingester", first_at, last_at) / (events - first) * _MILLION
    return cpu.total("ingester", last_at) / events * _MILLION


def _wait_for(stack: BenchStack, table: str, rows: int, timeout_secs: float) -> tuple[float, int]:
    """Wait for that many rows; returns when they were there (Unix time), and how many."""
    deadline = time.monotonic() + timeout_secs
    while True:
        count = stack.row_count(table)
        if count >= rows:
            return time.time(), count
        if time.monotonic() > deadline:
            raise BenchError(f"{table} has {count:,} of {rows:,} rows after {timeout_secs:.0f} s")
        time.sleep(_POLL_SECS)


def _merge(stack: BenchStack, table: str) -> tuple[float, float]:
    """Merge everything, as the engine would in time; returns when it was done, and the engine's CPU seconds by then."""
    stack.wait_until_idle()
    stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`{table}` FINAL")
    stack.wait_until_idle()
    return time.time(), cpu_secs(stack.engine.pid)


def _sinker_exactness(stack: BenchStack, table: str, events: int) -> Measurements:
    answer = stack.query(f"SELECT count(), uniqExact(__kafka_partition, __kafka_offset) FROM `{DATABASE}`.`{table}`")
    rows, distinct = map(int, answer.split("\t"))
    return {"rows_missing": events - distinct, "rows_twice": rows - distinct}


def _number_of_rows(stack: BenchStack, table: str, events: int) -> Measurements:
    """For rows without a position: only their number is known."""
    rows = int(stack.query(f"SELECT count() FROM `{DATABASE}`.`{table}`"))
    return {"rows_missing": max(0, events - rows), "rows_twice": max(0, rows - events)}
