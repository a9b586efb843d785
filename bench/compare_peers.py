"""`python -m bench.compare_peers`: the service beside clickhouse_sinker and clickhouse-kafka-connect (ingestion) and
VictoriaLogs (queries, bytes), and where its own time goes.

All run on this machine in one run, one after the other in turns. `make peers` gets the programs; what is missing is
said and left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.command import RESULTS, TOPIC, circumstances, details, loaded_stack, positive, run
from bench.costs import measure_costs
from bench.machine import interpreter, others_load
from bench.peer_drain import SERVICE_FULL, SERVICE_PLAIN, drains
from bench.peer_queries import compare_queries
from bench.peer_questions import questions
from bench.peer_report import PAGE, Part, merged, read_parts, write_report
from bench.peers import CONNECTOR, PEERS, SINKER, VICTORIA_LOGS, find
from bench.report import Measurements
from bench.stack import BenchStack, running_stack

_PARTS: Final = ("ingestion", "costs", "queries")
_QUICK: Final = {"events": 200_000, "rows": [50_000], "rounds": 1, "samples": 3}
_ROUNDS, _EVENTS, _ROWS = 3, 1_000_000, 10_000_000


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if the service lost or doubled a row, 2 if nothing could be measured."""
    options = _parser().parse_args(arguments)
    if options.quick:
        for name, value in _QUICK.items():
            setattr(options, name, value)
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.compare_peers", description="The service beside its peers.")
    parser.add_argument("--events", type=positive, default=_EVENTS, help=f"in the backlog (default: {_EVENTS})")
    parser.add_argument(
        "--rows",
        type=positive,
        nargs="+",
        default=[_ROWS],
        help="of the tables that are asked (default: 10 million)",
    )
    parser.add_argument(
        "--rounds", type=positive, default=_ROUNDS, help=f"of which the median counts (default: {_ROUNDS})"
    )
    parser.add_argument("--samples", type=positive, default=60, help="of each question in a round (default: 60)")
    parser.add_argument(
        "--only", choices=_PARTS, help="measure one part; others, and tables of other sizes, stay as measured before"
    )
    parser.add_argument("--data", type=Path, help="directory that keeps the rows that are asked for the next run")
    parser.add_argument("--kind", action="append", default=[], help="part of the name of a question; repeatable")
    parser.add_argument("--peers", type=Path, default=PEERS, help="directory of the programs (default: .local/peers)")
    parser.add_argument("--quick", action="store_true", help="a short run to see that it works; results are not stored")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    parser.add_argument(
        "--page", type=Path, default=PAGE, help="the page that shows them (default: docs/performance.md)"
    )
    return parser


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)  # fails at once if it cannot be run
    others = others_load()
    parts: dict[str, Part] = {}
    wanted = [options.only] if options.only else _PARTS
    if "ingestion" in wanted:
        parts["ingestion"] = _compare_ingestion(options, others)
    if "costs" in wanted:
        parts["costs"] = _measure_costs(options, others)
    if "queries" in wanted and (part := _compare_queries(options, others)):
        parts["queries"] = part
    if options.quick or options.kind:
        with tempfile.TemporaryDirectory() as nowhere:
            page, *_ = write_report(Path(nowhere), Path(nowhere) / "performance.md", parts)
            print(page.read_text())
    else:
        for path in write_report(options.results, options.page, merged(read_parts(options.results), parts)):
            print(f"Written: {path}")
    return 0 if _is_exact(parts) else 1


def _compare_ingestion(options: argparse.Namespace, others: str) -> Part:
    sinker, connector = _find(SINKER, options.peers), _find(CONNECTOR, options.peers)
    with loaded_stack(options) as stack:
        print("Once before, not counted ...", flush=True)
        ways = drains(stack, options.service_python, sinker, connector, TOPIC, options.events)
        runs: dict[str, list[Measurements]] = {name: [] for name in ways}
        for number in range(options.rounds):
            for place, name in enumerate(_in_turn(list(ways), number)):
                runs[name].append(found := ways[name](f"drain_{number}_{place}"))
                print(f"Round {number + 1}: {name}: {_line(found)}", flush=True)
        shown = ["bench.compare_peers", "--only", "ingestion", "--rounds", str(options.rounds)]
        about = details(stack, options, shown) | _reservations(options, others)
    return {"about": about, "runs": runs}


def _measure_costs(options: argparse.Namespace, others: str) -> Part:
    with loaded_stack(options) as stack:
        costs = measure_costs(stack, options.service_python, TOPIC, options.events, options.rounds)
        shown = ["bench.compare_peers", "--only", "costs", "--rounds", str(options.rounds)]
        about = details(stack, options, shown) | _reservations(options, others)
    return {"about": about, "costs": costs}


def _compare_queries(options: argparse.Namespace, others: str) -> Part | None:
    program = _find(VICTORIA_LOGS, options.peers)
    if program is None:
        return None
    asked = questions(options.kind)
    sizes = []
    with running_stack(options.data and options.data.absolute() / "clickhouse") as stack:
        directory = (options.data or stack.directory).absolute()
        for rows in options.rows:
            print(f"{rows:,} rows in both ...", flush=True)
            ask = partial(compare_queries, stack, program, options.service_python, rows, asked)
            own = directory / f"victoria_logs_{rows}"
            found = ask(directory=own, rounds=options.rounds, samples=options.samples)
            sizes.append({"about": _about_queries(stack, options, rows) | _reservations(options, others)} | found)
    return {"sizes": sizes}


def _about_queries(stack: BenchStack, options: argparse.Namespace, rows: int) -> dict[str, Any]:
    command = ["bench.compare_peers", "--only", "queries", "--rounds", str(options.rounds)]
    command += ["--samples", str(options.samples), "--rows", str(rows)]
    return circumstances(stack, command) | {"service": interpreter(options.service_python)}


def _find(name: str, directory: Path) -> Path | None:
    program = find(name, directory)
    if program is None:
        print(f"{name} is not in {directory.name}: `make peers` gets it. It is left out.", file=sys.stderr)
    return program


def _reservations(options: argparse.Namespace, others: str) -> dict[str, Any]:
    """Why figures are provisional, if they are. `others` is what `others_load` says."""
    found = []
    if others:
        found.append(others)
    if options.rounds < _ROUNDS:
        found.append(f"{options.rounds} of {_ROUNDS} rounds")
    if options.events < _EVENTS or min(options.rows) < _ROWS:
        found.append("fewer events or rows than the least that is meant")
    return {"reservations": found}


def _in_turn(names: list[str], number: int) -> list[str]:
    """Another one begins in each round, so that a machine that slows down favours none."""
    first = number % len(names)
    return names[first:] + names[:first]


def _line(found: Measurements) -> str:
    cpu, engine = found.get("cpu_secs_per_million", 0.0), found["engine_cpu_secs_per_million_merged"]
    return (
        f"{found['rows_per_sec']:,.0f} rows/s, CPU s per million {cpu:.1f} and the engine {engine:.1f},"
        f" {found['rows_missing']:.0f} lost, {found['rows_twice']:.0f} doubled"
    )


def _is_exact(parts: Mapping[str, Part]) -> bool:
    """Whether the service was; the others promise less."""
    runs = parts.get("ingestion", {}).get("runs", {})
    found = [each for way in (SERVICE_FULL, SERVICE_PLAIN) for each in runs.get(way, ())]
    return not any(each["rows_missing"] or each["rows_twice"] for each in found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
