"""`python -m bench.query_latency`: how long queries take through the HTTP API while logs are being stored."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from bench.api_client import ApiClient, Sample, first_log_millis, run_queries, run_side_by_side, settings_for
from bench.command import RESULTS, circumstances, positive, run
from bench.history import Merging, merging_a_day, prepare_history
from bench.machine import interpreter
from bench.query_kinds import KINDS, Kind, SearchValues, sample_search_values
from bench.query_report import Size, Timing, report_sizes, timing
from bench.service import Program, fed_service
from bench.stack import BenchStack, running_stack
from local.service import ServiceProcess

_RATE: Final = 5_000  # events per second that are stored meanwhile
_SEED: Final = 7
_CHEAP, _DEAR, _COLD, _TAILS = 1_000, 200, 10, 50
_DISCONNECT_SECS: Final = 1.5  # the service notices a disconnect at its next event, and has slots for a few tails only
_WARM_UP: Final = 10
_QUICK_ROWS, _QUICK_SAMPLES = 200_000, 5
_CACHES: Final = ("MARK CACHE", "UNCOMPRESSED CACHE", "QUERY CONDITION CACHE", "PRIMARY INDEX CACHE")
_DROP_PAGES: Final = Path("/proc/sys/vm/drop_caches")


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a kind of query takes too long, 2 if nothing could be measured."""
    options = _parser().parse_args(arguments)
    if options.quick:
        options.rows = [_QUICK_ROWS]
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.query_latency", description="How long queries take while logs are being stored."
    )
    parser.add_argument(
        "--rows",
        type=positive,
        nargs="+",
        default=[10_000_000, 100_000_000],
        help="rows of the tables (default: 10 and 100 million)",
    )
    parser.add_argument("--kind", action="append", default=[], help="part of the name of a kind; repeatable")
    parser.add_argument(
        "--samples", type=positive, default=_CHEAP, help=f"most samples of each kind (default: {_CHEAP})"
    )
    parser.add_argument(
        "--concurrency", type=positive, help="ask each kind by so many clients at the same time too, such as 8"
    )
    parser.add_argument(
        "--merge", action="store_true", help="merge a day meanwhile, again and again; results have files of their own"
    )
    parser.add_argument("--data", type=Path, help="directory that keeps the tables for the next run")
    parser.add_argument(
        "--quick", action="store_true", help="few rows and samples, to see that it works; results are not stored"
    )
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return parser


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)
    with running_stack(options.data and options.data.absolute()) as stack:
        sizes = [_measure_size(stack, options, rows) for rows in options.rows]
        about = _about(stack, options)
    name = f"query_latency{'_merging' if options.merge else ''}"
    return report_sizes(options.results, name, about, sizes, is_stored=not (options.quick or options.kind))


def _measure_size(stack: BenchStack, options: argparse.Namespace, rows: int) -> Size:
    table = f"history_{rows}"
    prepare_history(stack, table, rows)
    rng = Random(_SEED)
    values = sample_search_values(stack, table, rows, rng)
    kinds = [kind for kind in KINDS if not options.kind or any(part in kind.name for part in options.kind)]
    timings: dict[str, Timing] = {}
    settings = settings_for(options.concurrency) if options.concurrency else {}
    with (
        fed_service(stack, Program(options.service_python), table, _RATE, settings) as service,
        merging_a_day(stack, table) if options.merge else nullcontext(Merging()) as merging,
    ):
        client = ApiClient(_port(service))
        for kind in kinds:
            count = min(options.samples, _QUICK_SAMPLES if options.quick else _CHEAP if kind.is_cheap else _DEAR)
            print(f"{rows:,} rows: {kind.name} ...", flush=True)
            run_queries(client, kind, values, rng, min(_WARM_UP, count))
            warm = run_queries(client, kind, values, rng, count)
            cold = run_queries(client, kind, values, rng, min(_COLD, count), before=partial(_drop_caches, stack))
            together = _side_by_side(service, kind, values, rng, count, options.concurrency)
            timings[kind.name] = timing(warm, cold, together)
            print(f"    {timings[kind.name].line()}", flush=True)
        client.close()
        if not options.kind or any(part in "tail" for part in options.kind):
            print(f"{rows:,} rows: tail, to the first log ...", flush=True)
            tails = _time_tails(service, _QUICK_SAMPLES if options.quick else _TAILS)
            timings["tail, to the first log"] = tails
            print(f"    {tails.line()}", flush=True)
    return Size(rows, timings, stack.bytes_per_row(table), merging.count)


def _side_by_side(
    service: ServiceProcess, kind: Kind, values: SearchValues, rng: Random, count: int, clients: int | None
) -> Sequence[Sample]:
    """The same number of queries by several clients, if that is wanted."""
    if clients is None:
        return []
    return run_side_by_side(_port(service), [(kind.path, kind.parameters(rng, values)) for _ in range(count)], clients)


def _time_tails(service: ServiceProcess, count: int) -> Timing:
    """Time tails that resume shortly before now, so that each has something to send at once."""
    samples = []
    _, resume_token = first_log_millis(_port(service), "")
    for _ in range(count):
        time.sleep(_DISCONNECT_SECS)
        millis, resume_token = first_log_millis(_port(service), resume_token)
        samples.append(Sample(millis, 0, 0, 1))
    return timing(samples, [])


def _port(service: ServiceProcess) -> int:
    return urlsplit(service.url).port or 0


def _drop_caches(stack: BenchStack) -> None:
    """Drop the engine's caches, and the system's if permitted, so that the disk is read."""
    for cache in _CACHES:
        stack.query(f"SYSTEM DROP {cache}")
    try:
        _DROP_PAGES.write_text("1")
    except OSError:
        return


def _about(stack: BenchStack, options: argparse.Namespace) -> dict[str, Any]:
    rows = [str(count) for count in options.rows]
    command = ["bench.query_latency", "--rows", *rows, "--samples", str(options.samples)]
    command += ["--concurrency", str(options.concurrency)] if options.concurrency else []
    command += ["--merge"] if options.merge else []
    return circumstances(stack, command) | {
        "service": interpreter(options.service_python),
        "events_per_sec_stored_meanwhile": _RATE,
        "concurrency": options.concurrency,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
