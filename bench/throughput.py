"""`python -m bench.throughput`: how fast the service is, what it costs, and whether that meets the limits."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from bench.command import TOPIC, as_context, conclude_backlog, details, loaded_stack, new_parser, parse, positive, run
from bench.drain import measure_bare_loop, measure_drain
from bench.engine_limit import measure_engine_limit
from bench.latency import measure_latency
from bench.profile import profile_drain
from bench.report import Measure, Measurements, Report
from bench.service import Program
from bench.stack import BenchStack
from bench.workload import EVENTS_PER_SEC

_LATENCY_SECS = 30.0
_QUICK_LATENCY_SECS = 5.0

_MEASURES = (
    Measure("service_events_per_sec", "Service: events/s, first read to last stored", 0),
    Measure("service_events_per_sec_first_to_last_stored", "Service: events/s, first stored to last stored", 0),
    Measure("bare_events_per_sec", "Bare kafka-python loop that only counts: events/s", 0),
    Measure("engine_json_rows_per_sec", "Engine alone, JSONEachRow: rows/s", 0),
    Measure("engine_native_rows_per_sec", "Engine alone, blocks as the service sends them: rows/s", 0),
    Measure("ratio_to_bare_loop", "Service / bare loop", 2, limit=0.6, is_least=True, is_aim=True),
    Measure("ratio_to_engine_limit", "Service / engine alone (JSONEachRow)", 2),
    Measure("service_cpu_secs_per_million", "Service: CPU s per million events", 2, limit=12),
    Measure("service_cpu_secs_per_million_with_start", "Service: the same with its start", 2),
    Measure("bare_cpu_secs_per_million", "Bare loop: CPU s per million events", 2),
    Measure("engine_cpu_secs_per_million", "Engine: CPU s per million events", 2),
    Measure("engine_json_cpu_secs_per_million", "Engine alone, JSONEachRow: CPU s per million rows", 2),
    Measure("engine_native_cpu_secs_per_million", "Engine alone, blocks: CPU s per million rows", 2),
    Measure("kafka_cpu_secs_per_million", "Kafka broker: CPU s per million events", 2),
    Measure("service_peak_memory_mb", "Service: peak resident memory, MB", 0, limit=300),
    Measure("rows_missing", "Events not in the table", 0, limit=0, is_exact=True),
    Measure("rows_twice", "Rows stored more than once", 0, limit=0, is_exact=True),
    Measure("latency_sent_per_sec", "Steady load: events/s sent", 0),
    Measure("latency_p50_secs", "Steady load: event to stored, p50, s", 2),
    Measure("latency_p99_secs", "Steady load: event to stored, p99, s", 2, limit=1.5),
    Measure("latency_max_secs", "Steady load: event to stored, max, s", 2),
    Measure(
        "latency_share_within_limit_by_service",
        "Steady load: share within 1.5 s by the service's own histogram",
        4,
        limit=0.99,
        is_least=True,
    ),
    Measure("latency_rows_missing", "Steady load: events not in the table", 0, limit=0, is_exact=True),
    Measure("latency_rows_twice", "Steady load: rows stored more than once", 0, limit=0, is_exact=True),
)
_REPORT = Report("throughput", "Throughput and latency", _MEASURES, repeats="Runs")


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a required limit is missed, 2 if nothing could be measured."""
    options = parse(_parser(), arguments)
    if options.quick:
        options.runs = 1
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("bench.throughput", "Measure the speed and cost of the service.")
    parser.add_argument("--runs", type=positive, default=3, help="runs, of which the median counts (default: 3)")
    parser.add_argument("--profile", action="store_true", help="sample the service during a drain instead of measuring")
    return parser


def _measure(options: argparse.Namespace) -> int:
    with loaded_stack(options) as stack:
        if options.profile:
            return _profile(stack, options)
        runs = [_run(stack, options, number) for number in range(1, options.runs + 1)]
        about = details(stack, options, ["bench.throughput", "--runs", str(options.runs)])
    return conclude_backlog(_REPORT, options, about, runs)


def _run(stack: BenchStack, options: argparse.Namespace, number: int) -> Measurements:
    """Run all measurements one after another, so that they do not disturb each other."""
    program, events = Program(options.service_python), options.events
    _say(options, number, "bare loop")
    measurements = measure_bare_loop(stack, program.python, TOPIC, events)
    _say(options, number, "service")
    measurements |= measure_drain(stack, program, TOPIC, events, f"drain_{number}")
    stack.drop_table(f"drain_{number}")
    _say(options, number, "engine alone")
    measurements |= measure_engine_limit(stack, bodies=2 if options.quick else 5, rounds=1 if options.quick else 2)
    _say(options, number, "steady load")
    secs = _QUICK_LATENCY_SECS if options.quick else _LATENCY_SECS
    measurements |= measure_latency(stack, program, f"steady_{number}", EVENTS_PER_SEC, secs, f"steady_{number}")
    stack.drop_table(f"steady_{number}")
    return _with_ratios(measurements)


def _with_ratios(run: Measurements) -> Measurements:
    """The measurements of a run with their ratios."""
    service = run["service_events_per_sec"]
    return run | {
        "ratio_to_bare_loop": service / run["bare_events_per_sec"],
        "ratio_to_engine_limit": service / run["engine_json_rows_per_sec"],
    }


def _say(options: argparse.Namespace, number: int, what: str) -> None:
    print(f"Run {number} of {options.runs}: {what} ...", flush=True)


def _profile(stack: BenchStack, options: argparse.Namespace) -> int:
    print("Draining under the profiler ...", flush=True)
    context = as_context(details(stack, options, ["bench.throughput", "--profile"]))
    path = profile_drain(stack, options.service_python, TOPIC, options.events, options.results, context)
    print(f"Written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
