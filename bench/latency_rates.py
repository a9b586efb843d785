"""`python -m bench.latency_rates`: from an event in Kafka to its row in the table, under several steady loads.

A rate that sender, broker, engine and service do not keep together on this machine is lowered until they do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from bench.cases import CaseReport, conclude_cases
from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.latency import measure_latency
from bench.machine import interpreter, others_load
from bench.report import Measure, Measurements
from bench.service import Program
from bench.stack import BenchStack, running_stack

_RATES: Final = (1_000, 10_000, 50_000)
_RUNS, _SECS, _QUICK_SECS = 3, 60, 10
_KEPT_SHARE: Final = 0.98  # of the rate, or the sender did not keep it
_KEPT_P99_SECS: Final = 5.0  # or the service fell behind
_LOWERED: Final = 0.8

_MEASURES: Final = (
    Measure("latency_sent_per_sec", "Sent, events/s", 0),
    Measure("latency_p50_secs", "p50, s", 2),
    Measure("latency_p99_secs", "p99, s", 2),
    Measure("latency_p999_secs", "p99.9, s", 2),
    Measure("latency_max_secs", "Slowest, s", 2),
    Measure("latency_rows_missing", "Missing", 0, limit=0, is_exact=True),
    Measure("latency_rows_twice", "Twice", 0, limit=0, is_exact=True),
)
_REPORT: Final = CaseReport("latency_rates", "From an event to its row, under steady loads", "Events/s", _MEASURES)


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a required limit is missed, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency_rates", description="Latency under steady loads.")
    parser.add_argument("--rates", type=positive, nargs="+", default=list(_RATES), help="events/s")
    parser.add_argument("--secs", type=positive, default=_SECS, help=f"of each run (default: {_SECS})")
    parser.add_argument("--runs", type=positive, default=_RUNS, help=f"of which the median counts (default: {_RUNS})")
    parser.add_argument("--quick", action="store_true", help="one short run each; results are not stored")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=type(RESULTS), default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.secs, options.runs = _QUICK_SECS, 1
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    about = {"service": interpreter(options.service_python), "provisional": others_load()}
    cases: dict[str, list[Measurements]] = {}
    with running_stack() as stack:
        for wanted in options.rates:
            case, runs = _kept_runs(stack, options, wanted)
            cases[case] = runs
        command = ["bench.latency_rates", "--rates", *map(str, options.rates), "--secs", str(options.secs)]
        about |= circumstances(stack, [*command, "--runs", str(options.runs)])
    return conclude_cases(_REPORT, options, _context(about, options), about, cases)


def _kept_runs(stack: BenchStack, options: argparse.Namespace, wanted: int) -> tuple[str, list[Measurements]]:
    """The runs at a rate, or at the highest lower one that is kept; and how to call it."""
    rate = wanted
    while not _is_kept(rate, first := _latency(stack, options, rate, 0)):
        rate = int(rate * _LOWERED)
        print(f"    not kept; next: {rate:,} events/s", flush=True)
    runs = [first, *(_latency(stack, options, rate, number) for number in range(1, options.runs))]
    return f"{rate:,}" if rate == wanted else f"{rate:,} ({wanted:,} were not kept)", runs


def _is_kept(rate: int, found: Measurements) -> bool:
    return found["latency_sent_per_sec"] >= _KEPT_SHARE * rate and found["latency_p99_secs"] <= _KEPT_P99_SECS


def _latency(stack: BenchStack, options: argparse.Namespace, rate: int, number: int) -> Measurements:
    print(f"{rate:,} events/s, run {number + 1} of {options.runs} ...", flush=True)
    name = f"rate_{rate}_{number}"
    found = measure_latency(stack, Program(options.service_python), name, rate, options.secs, name)
    stack.drop_table(name)
    print("    p50 {latency_p50_secs:.2f} s, p99 {latency_p99_secs:.2f} s".format_map(found), flush=True)
    return found


def _context(about: Mapping[str, Any], options: argparse.Namespace) -> dict[str, str]:
    return circumstances_as_context(about) | {
        "Runs": f"{options.runs} of {options.secs} s at each rate, of which the median is shown",
        "Latency": "from the event's LogAppendTime in Kafka to the end of the insert that stored its row",
        "On the same machine": f"sender, Apache Kafka with 4 partitions, ClickHouse engine {about['clickhouse']}, the"
        f" service (Python {about['service']['python']})",
        "**Provisional**": about["provisional"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
