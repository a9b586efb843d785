"""Drains of the same backlog by the service and by clickhouse_sinker, all measured from outside in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from bench.drain import exactness
from bench.errors import BenchError
from bench.peers import create_sinker_table, running_sinker
from bench.polling import polling
from bench.processes import CpuTimes, peak_memory_mb
from bench.report import Measurements
from bench.service import Program, running_service
from bench.stack import DATABASE, BenchStack
from bench.storing import drop_extras, extras_of

SERVICE_FULL, SERVICE_PLAIN, SINKER_PLAIN = "service, full table", "service, plain table", "clickhouse_sinker"

_MILLION: Final = 1e6
_SAMPLE_SECS, _POLL_SECS = 0.05, 0.2
_LATER_SECS: Final = 2.0  # in which a row that is stored twice would come
_BEGIN_SECS: Final = 60.0
_SLOWEST_ROWS_PER_SEC: Final = 5_000


class _Process(Protocol):
    @property
    def pid(self) -> int: ...


Drain = Callable[[str], Measurements]
"""Drains the backlog into a new table of this name."""


def drains(stack: BenchStack, python: str, sinker: Path | None, topic: str, events: int) -> Mapping[str, Drain]:
    """A drain for each ingester, by its name; that of clickhouse_sinker only if its program is there."""
    service = partial(running_service, stack, Program(python), topic)
    found: dict[str, Drain] = {
        SERVICE_FULL: lambda table: _drain(stack, service(table), table, events, exactness),
        SERVICE_PLAIN: lambda table: _drain(stack, _plain(stack, service, table), table, events, exactness),
    }
    if sinker is not None:
        found[SINKER_PLAIN] = lambda table: _drain(
            stack, _with_table(stack, sinker, topic, table), table, events, _sinker_exactness
        )
    return found


@contextmanager
def _plain(
    stack: BenchStack, service: Callable[[str], AbstractContextManager[_Process]], table: str
) -> Iterator[_Process]:
    """The service on a table that has its columns, and no indexes, projections or constraints."""
    stack.create_table(table)
    drop_extras(stack, table, extras_of(stack, table))
    with service(table) as process:
        yield process


@contextmanager
def _with_table(stack: BenchStack, program: Path, topic: str, table: str) -> Iterator[_Process]:
    create_sinker_table(stack, table)
    with running_sinker(stack, program, topic, table) as process:
        yield process


def _drain(
    stack: BenchStack,
    started: AbstractContextManager[_Process],
    table: str,
    events: int,
    exact: Callable[[BenchStack, str, int], Measurements],
) -> Measurements:
    """Start an ingester and watch its table until it has all rows; then let the engine finish its merges.

    Raises:
        BenchError: the drain does not end.
    """
    engine = CpuTimes({"engine": stack.engine.pid})
    engine.sample()
    began_at = time.time()
    with started as process:
        cpu = CpuTimes({"ingester": process.pid, "engine": stack.engine.pid})
        with polling(cpu.sample, _SAMPLE_SECS):
            first_at, first = _wait_for(stack, table, 1, _BEGIN_SECS)
            last_at, _ = _wait_for(stack, table, events, _BEGIN_SECS + events / _SLOWEST_ROWS_PER_SEC)
            time.sleep(_LATER_SECS)
        peak = peak_memory_mb(process.pid)
    merged = _merge(stack, table)
    before = engine.total("engine", began_at)
    measurements = {
        "rows_per_sec_from_start": events / (last_at - began_at),
        "cpu_secs_per_million": cpu.total("ingester", last_at) / events * _MILLION,
        "peak_memory_mb": peak,
        "engine_cpu_secs_per_million": (cpu.total("engine", last_at) - before) / events * _MILLION,
        "engine_cpu_secs_per_million_merged": (merged - before) / events * _MILLION,
    }
    measurements |= _steady(measurements, cpu.used("ingester", first_at, last_at), last_at - first_at, events - first)
    measurements |= exact(stack, table, events)
    stack.drop_table(table)
    return measurements


def _steady(whole: Measurements, cpu_secs: float, secs: float, rows: int) -> Measurements:
    """Rate and CPU between the first rows and the last; those of the whole drain if all rows came at once."""
    if not rows:
        rate, cpu = whole["rows_per_sec_from_start"], whole["cpu_secs_per_million"]
    else:
        rate, cpu = rows / max(secs, 1e-3), cpu_secs / rows * _MILLION
    return {"rows_per_sec": rate, "cpu_secs_per_million_steady": cpu}


def _wait_for(stack: BenchStack, table: str, rows: int, timeout_secs: float) -> tuple[float, int]:
    """Wait for that many rows; returns when they were there (Unix time), and how many."""
    deadline = time.monotonic() + timeout_secs
    while True:
        count = _count(stack, table)
        if count >= rows:
            return time.time(), count
        if time.monotonic() > deadline:
            raise BenchError(f"{table} has {count:,} of {rows:,} rows after {timeout_secs:.0f} s")
        time.sleep(_POLL_SECS)


def _count(stack: BenchStack, table: str) -> int:
    """Rows of a table; 0 while it does not exist."""
    return int(
        stack.query(
            "SELECT sum(rows) FROM system.parts"
            f" WHERE active AND database = '{DATABASE}' AND table = '{table}' FORMAT TSV"
        )
    )


def _merge(stack: BenchStack, table: str) -> float:
    """Merge everything, as the engine would in time; returns the CPU seconds that the engine has used by then."""
    stack.wait_until_idle()
    stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`{table}` FINAL")
    stack.wait_until_idle()
    engine = CpuTimes({"engine": stack.engine.pid})
    engine.sample()
    return engine.total("engine", time.time())


def _sinker_exactness(stack: BenchStack, table: str, events: int) -> Measurements:
    answer = stack.query(f"SELECT count(), uniqExact(__kafka_partition, __kafka_offset) FROM `{DATABASE}`.`{table}`")
    rows, distinct = map(int, answer.split("\t"))
    return {"rows_missing": events - distinct, "rows_twice": rows - distinct}
