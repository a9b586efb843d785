"""`python -m bench.message_kinds`: how fast messages of other sizes and forms are stored, and what they cost.

Short and long JSON, lines of text, and records that came over OTLP. With `--small` the service has one processor and
512 MiB.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from bench.cases import CaseReport, conclude_cases
from bench.cgroup import memory_cgroup
from bench.command import circumstances, circumstances_as_context, new_parser, positive, run
from bench.drain import measure_unmerged_drain
from bench.errors import BenchError
from bench.machine import interpreter, others_load
from bench.message_records import MESSAGE_KINDS, RECEIVE_KEY, MessageKind
from bench.report import Measure, Measurements
from bench.service import Program
from bench.stack import BenchStack, running_stack
from bench.workload import Headers, send_records

_EVENTS, _QUICK_EVENTS = 1_000_000, 100_000
_RUNS: Final = 3
_SMALL_BYTES: Final = 512 * 1024 * 1024

_MEASURES: Final = (
    Measure("mean_bytes", "Bytes/event", 0),
    Measure("service_events_per_sec", "Rows/s", 0),
    Measure("mb_per_sec", "MB/s", 1),
    Measure("service_cpu_secs_per_million", "Service: CPU s per million", 2),
    Measure("engine_cpu_secs_per_million", "Engine: CPU s per million", 2),
    Measure("service_peak_memory_mb", "Peak memory, MB", 0, limit=300),
    Measure("rows_missing", "Missing", 0, limit=0, is_exact=True),
    Measure("rows_twice", "Twice", 0, limit=0, is_exact=True),
)
_REPORT: Final = CaseReport("message_kinds", "Messages of several kinds and sizes", "Messages", _MEASURES)
_SMALL_REPORT: Final = CaseReport("message_kinds_small", f"{_REPORT.title}, small service", "Messages", _MEASURES)


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a required limit is missed, 2 if nothing could be measured."""
    parser = new_parser("bench.message_kinds", "Drains of messages of several kinds and sizes.", events=_EVENTS)
    parser.add_argument("--runs", type=positive, default=_RUNS, help=f"of which the median counts (default: {_RUNS})")
    parser.add_argument("--kind", action="append", default=[], help="part of the name of a kind; repeatable")
    parser.add_argument("--small", action="store_true", help="one processor and 512 MiB for the service")
    options = parser.parse_args(arguments)
    if options.quick:
        options.events, options.runs = min(options.events, _QUICK_EVENTS), 1
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    about = {"service": interpreter(options.service_python), "provisional": others_load()}
    cases: dict[str, list[Measurements]] = {}
    with running_stack() as stack:
        for number, kind in enumerate(_chosen(options.kind)):
            cases[kind.name] = _drains(stack, options, kind, f"kind_{number}")
        about |= circumstances(stack, _command(options))
    report = _SMALL_REPORT if options.small else _REPORT
    return conclude_cases(report, options, _context(about, options), about, cases)


def _chosen(parts: list[str]) -> list[MessageKind]:
    return [kind for kind in MESSAGE_KINDS if not parts or any(part in kind.name for part in parts)]


def _drains(stack: BenchStack, options: argparse.Namespace, kind: MessageKind, name: str) -> list[Measurements]:
    events = max(1_000, round(options.events * kind.share))
    print(f"{kind.name}: loading {events:,} ...", flush=True)
    stack.create_topic(name)
    sent = _Counted(kind.records(events))
    send_records(stack.kafka.bootstrap_servers, name, sent)
    runs = []
    for number in range(options.runs):
        with _limited(options.small):
            found = _drain(stack, options, name, events, f"{name}_{number}")
        mean_bytes = sent.byte_count / events
        found |= {"mean_bytes": mean_bytes, "mb_per_sec": found["service_events_per_sec"] * mean_bytes / 1e6}
        print(f"    {found['service_events_per_sec']:,.0f} rows/s", flush=True)
        runs.append(found)
    return runs


def _drain(stack: BenchStack, options: argparse.Namespace, topic: str, events: int, table: str) -> Measurements:
    program, settings = Program(options.service_python), {"RECEIVE_KEY": RECEIVE_KEY}
    return measure_unmerged_drain(stack, program, topic, events, table, settings)


class _Counted:
    """Records, and the bytes of the values that were taken."""

    def __init__(self, records: Iterator[tuple[bytes, Headers]]) -> None:
        self.byte_count = 0
        self._records = records

    def __iter__(self) -> Iterator[tuple[bytes, Headers]]:
        for record in self._records:
            self.byte_count += len(record[0])
            yield record


@contextmanager
def _limited(is_small: bool) -> Iterator[None]:
    """What is started inside has one processor and 512 MiB, if it is to be small.

    Raises:
        BenchError: no cgroup can be made here.
    """
    if not is_small:
        yield
        return
    processors = os.sched_getaffinity(0)
    with memory_cgroup(_SMALL_BYTES) as cgroup:
        if cgroup is None:
            raise BenchError("--small needs a memory cgroup, which can mostly be made by root alone")
        os.sched_setaffinity(0, {min(processors)})
        try:
            with cgroup.inside():
                yield
        finally:
            os.sched_setaffinity(0, processors)


def _command(options: argparse.Namespace) -> list[str]:
    shown = ["bench.message_kinds", "--runs", str(options.runs), "--events", str(options.events)]
    return [*shown, "--small"] if options.small else shown


def _context(about: Mapping[str, Any], options: argparse.Namespace) -> dict[str, str]:
    size = "one processor and a cgroup of 512 MiB" if options.small else "no limit but its settings, as shipped"
    return circumstances_as_context(about) | {
        "Runs": f"{options.runs}, of which the median is shown; one kind after the other",
        "Service": f"Python {about['service']['python']}; {size}",
        "Beside it on the same machine": f"Apache Kafka, 4 partitions; ClickHouse engine {about['clickhouse']}",
        "**Provisional**": about["provisional"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
