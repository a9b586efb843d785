"""`python -m bench.query_throughput`: queries per second through the HTTP API with 1, 4 and 16 clients.

A mix of all kinds of `query_kinds.py`, in random order and with other values each, while nothing is stored. ClickHouse
may use a fixed number of threads for each query, so that machines and runs compare.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from bench.api_client import Query, run_side_by_side, settings_for
from bench.cases import CaseReport, conclude_cases
from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.history import prepare_history
from bench.latency import quantile
from bench.machine import interpreter, others_load
from bench.processes import cpu_secs
from bench.query_kinds import KINDS, sample_search_values
from bench.report import Measure, Measurements
from bench.service import Program, running_service
from bench.stack import BenchStack, running_stack
from local.service import ServiceProcess

_CLIENTS: Final = (1, 4, 16)
_ROWS, _QUICK_ROWS = 10_000_000, 200_000
_QUERIES, _QUICK_QUERIES = 2_000, 100
_WARM_UP: Final = 100
_RUNS: Final = 3
_THREADS: Final = 2
_SEED: Final = 11
_START_SECS: Final = 60.0

_MEASURES: Final = (
    Measure("queries_per_sec", "Queries/s", 1),
    Measure("p50_ms", "p50, ms", 1),
    Measure("p99_ms", "p99, ms", 1),
    Measure("max_ms", "Slowest, ms", 1),
    Measure("service_cpu_ms", "Service: CPU ms per query", 1),
    Measure("engine_cpu_ms", "Engine: CPU ms per query", 1),
)
_REPORT: Final = CaseReport("query_throughput", "Queries per second", "Clients", _MEASURES)


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.query_throughput", description="Queries per second.")
    parser.add_argument("--clients", type=positive, nargs="+", default=list(_CLIENTS), help="at the same time")
    parser.add_argument("--rows", type=positive, default=_ROWS, help=f"of the table (default: {_ROWS:,})")
    parser.add_argument("--queries", type=positive, default=_QUERIES, help=f"of a run (default: {_QUERIES:,})")
    parser.add_argument("--threads", type=positive, default=_THREADS, help=f"of one query (default: {_THREADS})")
    parser.add_argument("--runs", type=positive, default=_RUNS, help=f"of which the median counts (default: {_RUNS})")
    parser.add_argument("--data", type=Path, help="directory that keeps the table for the next run")
    parser.add_argument("--quick", action="store_true", help="few rows and queries; results are not stored")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rows, options.queries, options.runs = _QUICK_ROWS, _QUICK_QUERIES, 1
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    about = {"service": interpreter(options.service_python), "provisional": others_load()}
    table, rng = f"history_{options.rows}", Random(_SEED)
    settings = settings_for(max(options.clients)) | {"ROLES": "query", "QUERY_MAX_THREADS": str(options.threads)}
    cases: dict[str, list[Measurements]] = {str(clients): [] for clients in options.clients}
    with running_stack(options.data and options.data.absolute()) as stack:
        prepare_history(stack, table, options.rows)
        values = sample_search_values(stack, table, options.rows, rng)
        kinds = islice(cycle(KINDS), options.queries)
        mix = [(kind.path, kind.parameters(rng, values)) for kind in kinds]
        rng.shuffle(mix)
        with running_service(stack, Program(options.service_python), "none", table, settings) as service:
            service.wait_until(lambda _: service.get("/ready").status == 200, _START_SECS)
            _ask(stack, service, mix[:_WARM_UP], max(options.clients))
            for number in range(options.runs):
                for clients in options.clients:
                    print(f"Run {number + 1} of {options.runs}: {clients} clients ...", flush=True)
                    cases[str(clients)].append(_ask(stack, service, mix, clients))
        about |= circumstances(stack, _command(options))
    return conclude_cases(_REPORT, options, _context(about, options), about, cases)


def _ask(stack: BenchStack, service: ServiceProcess, mix: Sequence[Query], clients: int) -> Measurements:
    pids = {"service": service.pid, "engine": stack.engine.pid}
    before, began = {name: cpu_secs(pid) for name, pid in pids.items()}, time.monotonic()
    samples = run_side_by_side(urlsplit(service.url).port or 0, mix, clients)
    secs = time.monotonic() - began
    millis = sorted(sample.millis for sample in samples)
    cpu = {f"{name}_cpu_ms": 1000 * (cpu_secs(pid) - before[name]) / len(mix) for name, pid in pids.items()}
    return {
        "queries_per_sec": len(mix) / secs,
        "p50_ms": quantile(millis, 0.5),
        "p99_ms": quantile(millis, 0.99),
        "max_ms": millis[-1],
    } | cpu


def _command(options: argparse.Namespace) -> list[str]:
    shown = ["bench.query_throughput", "--clients", *map(str, options.clients), "--rows", str(options.rows)]
    numbers = {"queries": options.queries, "threads": options.threads, "runs": options.runs}
    return [*shown, *(word for name, number in numbers.items() for word in (f"--{name}", str(number)))]


def _context(about: Mapping[str, Any], options: argparse.Namespace) -> dict[str, str]:
    return circumstances_as_context(about) | {
        "Table": f"{options.rows:,} rows of `history.py`, past days merged; nothing is stored meanwhile",
        "Mix": f"{options.queries:,} queries, of each of the {len(KINDS)} kinds the same number, in random order",
        "Threads": f"{options.threads} of ClickHouse for each query (`QUERY_MAX_THREADS`); the service has"
        f" {settings_for(max(options.clients))['QUERY_MAX_CONCURRENT']} slots for queries, for which the others wait",
        "Runs": f"{options.runs}, in turn, of which the median is shown",
        "On the same machine": f"the clients, the service (Python {about['service']['python']}), ClickHouse engine"
        f" {about['clickhouse']}",
        "**Provisional**": about["provisional"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
