"""Measures how the shipped service drains a backlog, and how fast a bare loop counts the same records."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.errors import BenchError
from bench.polling import polling
from bench.processes import CpuTimes, peak_memory_mb
from bench.report import Measurements
from bench.service import Program, environment, running_service
from bench.stack import DATABASE, BenchStack
from local.paths import ROOT
from local.service import Scrape, ServiceProcess

_MILLION = 1e6

_SAMPLE_SECS = 0.05
_POLL_SECS = 1.0  # rarely, so that polling does not disturb the service
_BEGIN_SECS = 60.0
_SLOWEST_EVENTS_PER_SEC = 5_000
_SATURATED_PART = 0.95  # of the backlog: the rest may be less than a batch, and cost more per row


def measure_bare_source(
    stack: BenchStack,
    python: str,
    topic: str,
    events: int,
    client: str,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Measurements:
    """What it costs to read the topic with this KAFKA_CLIENT as the service reads it, without doing anything with it.

    `settings` are further ones of the service.

    Raises:
        BenchError: it counted fewer records than were sent.
    """
    counted = _counted(stack, python, topic, events, "bench.bare_source", {"KAFKA_CLIENT": client, **settings})
    return {
        "source_events_per_sec": events / counted["secs"],
        "source_cpu_secs_per_million": counted["cpu_secs"] / events * _MILLION,
        "source_peak_memory_mb": counted["peak_memory_mb"],
    }


def measure_bare_loop(stack: BenchStack, python: str, topic: str, events: int) -> Measurements:
    """The limit of kafka-python: same interpreter, same options, records are only counted.

    Raises:
        BenchError: it counted fewer records than were sent.
    """
    counted = _counted(stack, python, topic, events, "bench.bare_loop")
    return {
        "bare_events_per_sec": events / counted["secs"],
        "bare_cpu_secs_per_million": counted["cpu_secs"] / events * _MILLION,
    }


def _counted(
    stack: BenchStack,
    python: str,
    topic: str,
    events: int,
    module: str,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, float]:
    """What a program that counts the records of the topic prints."""
    done = subprocess.run(
        [python, "-m", module, str(events)],
        env=environment(stack, topic, "bare", settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"{module} ended with code {done.returncode}: {done.stdout}{done.stderr[-2000:]}")
    counted: dict[str, float] = json.loads(done.stdout)
    return counted


def measure_drain(
    stack: BenchStack,
    program: Program,
    topic: str,
    events: int,
    table: str,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Measurements:
    """Let a new group of the service read the whole topic into a new table.

    `settings` are further ones of the service. Time and CPU count from just before the first records are read until the
    last row is stored.

    Raises:
        BenchError: the drain does not end.
    """
    with running_service(stack, program, topic, table, settings) as service:
        cpu = CpuTimes({"service": service.pid, "engine": stack.engine.pid, "kafka": stack.kafka.pid})
        with polling(cpu.sample, _SAMPLE_SECS):
            began_at = _wait_for_first_record(service)
            first = service.wait_until_stored(1, _BEGIN_SECS)
            timeout_secs = _BEGIN_SECS + events / _SLOWEST_EVENTS_PER_SEC
            saturated = service.wait_until_stored(int(events * _SATURATED_PART), timeout_secs, every_secs=_POLL_SECS)
            last = service.wait_until_stored(events, timeout_secs, every_secs=_POLL_SECS)
        peak = peak_memory_mb(service.pid)
    measurements = {
        "service_events_per_sec": events / (last.stored_at - began_at),
        "service_events_per_sec_first_to_last_stored": _rate_between(first, last),
        "service_events_per_sec_saturated": saturated.stored / (saturated.stored_at - began_at),
        "service_peak_memory_mb": peak,
        "service_cpu_secs_per_million_with_start": cpu.total("service", last.stored_at) / events * _MILLION,
    }
    for name in ("service", "engine", "kafka"):
        used = cpu.used(name, began_at, last.stored_at)
        measurements[f"{name}_cpu_secs_per_million"] = used / events * _MILLION
    return measurements | exactness(stack, table, events)


def measure_unmerged_drain(
    stack: BenchStack,
    program: Program,
    topic: str,
    events: int,
    table: str,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    create: Callable[[BenchStack, str], None] = BenchStack.create_table,
) -> Measurements:
    """The same into a table that is made for it and dropped afterwards, and that ClickHouse does not merge meanwhile.

    Merges go by the number of parts: one more insert can merge all rows once more.

    Raises:
        BenchError: the drain does not end.
    """
    create(stack, table)
    stack.stop_merges(table)
    measurements = measure_drain(stack, program, topic, events, table, settings)
    stack.drop_table(table)
    return measurements


def exactness(stack: BenchStack, table: str, events: int) -> Measurements:
    """How many of the events are missing from the table, and how many rows are duplicates."""
    answer = stack.query(
        f"SELECT count(), uniqExact(_topic_id, _partition, _offset, _item) FROM `{DATABASE}`.`{table}`"
    )
    rows, distinct = map(int, answer.split("\t"))
    return {"rows_missing": events - distinct, "rows_twice": rows - distinct}


def _wait_for_first_record(service: ServiceProcess) -> float:
    """The last moment (Unix time) at which the service had read nothing."""
    seen_idle_at = time.time()

    def has_read(scrape: Scrape) -> bool:
        nonlocal seen_idle_at
        if scrape.consumed:
            return True
        seen_idle_at = time.time()
        return False

    service.wait_until(has_read, _BEGIN_SECS)
    return seen_idle_at


def _rate_between(first: Scrape, last: Scrape) -> float:
    return (last.stored - first.stored) / max(last.stored_at - first.stored_at, 1e-3)
