"""`python -m bench.workers`: several instances of the service in one group, which drain one topic together.

The instances share the partitions before there is anything to read; then all events come at once, by the commit of a
transaction. So what is measured is storing, without the start and without rebalances.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bench.cases import CaseReport, conclude_cases
from bench.command import as_context, details, new_parser, positive, run
from bench.drain import exactness
from bench.machine import interpreter, others_load
from bench.polling import polling
from bench.processes import CpuTimes, peak_memory_mb
from bench.report import Measure, Measurements
from bench.service import Program, running_group
from bench.stack import BenchStack, running_stack
from bench.workload import backlog_events, send_at_once
from local.service import ServiceProcess

_PARTITIONS: Final = 8
_WORKERS: Final = (1, 2, 4)
_RUNS: Final = 3
_MILLION: Final = 1e6
_QUICK_EVENTS: Final = 200_000
_SAMPLE_SECS, _POLL_SECS = 0.05, 0.1
_TIMEOUT_SECS: Final = 600.0

_MEASURES: Final = (
    Measure("events_per_sec", "Rows/s", 0),
    Measure("service_cpu_secs_per_million", "All instances: CPU s per million", 2),
    Measure("engine_cpu_secs_per_million", "Engine: CPU s per million", 2),
    Measure("kafka_cpu_secs_per_million", "Broker: CPU s per million", 2),
    Measure("cores", "Cores busy with all of these", 2),
    Measure("peak_memory_mb", "Peak memory of the largest, MB", 0, limit=300),
    Measure("rows_missing", "Missing", 0, limit=0, is_exact=True),
    Measure("rows_twice", "Twice", 0, limit=0, is_exact=True),
)
_REPORT: Final = CaseReport("workers", "Several instances in one group", "Instances", _MEASURES)


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a required limit is missed, 2 if nothing could be measured."""
    parser = new_parser("bench.workers", "Drains by several instances of the service in one group.")
    parser.add_argument("--workers", type=positive, nargs="+", default=list(_WORKERS), help="default: 1 2 4")
    parser.add_argument("--runs", type=positive, default=_RUNS, help=f"of which the median counts (default: {_RUNS})")
    options = parser.parse_args(arguments)
    if options.quick:
        options.events, options.runs = min(options.events, _QUICK_EVENTS), 1
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)  # fails at once if it cannot be run
    provisional = others_load()
    cases: dict[str, list[Measurements]] = {str(workers): [] for workers in options.workers}
    with running_stack() as stack:
        for number in range(options.runs):
            for workers in options.workers:
                print(f"Run {number + 1} of {options.runs}: {workers} instances ...", flush=True)
                found = _drain(stack, options, workers, f"workers_{workers}_{number}")
                print(f"    {found['events_per_sec']:,.0f} rows/s", flush=True)
                cases[str(workers)].append(found)
        shown = ["bench.workers", "--workers", *map(str, options.workers), "--runs", str(options.runs)]
        about = details(stack, options, shown) | {"provisional": provisional}
    about["workload"]["partitions"] = _PARTITIONS
    return conclude_cases(_REPORT, options, _context(about, options), about, cases)


def _drain(stack: BenchStack, options: argparse.Namespace, workers: int, name: str) -> Measurements:
    """Let a new group drain a new topic of that name into a new table.

    Time and CPU count from the moment at which the events can be read until all are stored.
    """
    kafka, events = stack.kafka.bootstrap_servers, options.events
    stack.create_topic(name, _PARTITIONS)
    stack.create_table(name)
    stack.stop_merges(name)
    settings = {"KAFKA_TOPIC_PARTITIONS": str(_PARTITIONS)}
    with running_group(stack, Program(options.service_python), name, name, workers, settings) as services:
        _wait_until_shared(services)
        pids = {str(number): service.pid for number, service in enumerate(services)}
        cpu = CpuTimes({**pids, "engine": stack.engine.pid, "kafka": stack.kafka.pid})
        with polling(cpu.sample, _SAMPLE_SECS):
            began_at = send_at_once(kafka, name, backlog_events(events), _PARTITIONS)
            ended_at = _wait_until_stored(stack, name, events)
        peak = max(peak_memory_mb(service.pid) for service in services)
    used = {who: cpu.used(who, began_at, ended_at) for who in (*pids, "engine", "kafka")}
    of_group = sum(used[who] for who in pids)
    found = {
        "events_per_sec": events / (ended_at - began_at),
        "service_cpu_secs_per_million": of_group / events * _MILLION,
        "engine_cpu_secs_per_million": used["engine"] / events * _MILLION,
        "kafka_cpu_secs_per_million": used["kafka"] / events * _MILLION,
        "cores": sum(used.values()) / (ended_at - began_at),
        "peak_memory_mb": peak,
    } | exactness(stack, name, events)
    stack.drop_table(name)
    return found


def _wait_until_shared(services: Sequence[ServiceProcess]) -> None:
    """Wait until each instance has its share of the partitions."""
    most = -(-_PARTITIONS // len(services))
    for service in services:
        service.wait_until(lambda scrape: 0 < scrape.assigned <= most, _TIMEOUT_SECS)


def _wait_until_stored(stack: BenchStack, table: str, rows: int) -> float:
    """Wait for that many rows; returns when they were there (Unix time)."""
    deadline = time.monotonic() + _TIMEOUT_SECS
    while stack.row_count(table) < rows and time.monotonic() < deadline:
        time.sleep(_POLL_SECS)
    return time.time()  # rows that are missing after that time are reported


def _context(about: Mapping[str, Any], options: argparse.Namespace) -> dict[str, str]:
    return as_context(about) | {
        "Runs": f"{options.runs}, in turn, of which the median is shown",
        "**Provisional**": about["provisional"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
