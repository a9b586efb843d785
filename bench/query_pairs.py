"""`python -m bench.query_pairs --base COMMIT`: the same queries to another commit and to this one, in turn.

Both services read one table on one engine, which nobody else uses: CPU seconds are compared, which other work on the
machine disturbs less than the time. The range ends with the last row, however old the table is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, Final
from urllib.parse import urlsplit

from bench.api_client import ApiClient
from bench.checkout import checked_out, commit_of
from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.errors import BenchError
from bench.history import load_history, merge_days
from bench.latency import quantile
from bench.query_kinds import KINDS, Kind, Parameters, sample_search_values
from bench.report import table, write_results
from bench.service import Program, running_service
from bench.stack import DATABASE, BenchStack, running_stack
from local.paths import ROOT

_NAME: Final = "query_pairs"
_ROWS, _SAMPLES, _WARM_UP = 10_000_000, 60, 3
_QUICK_ROWS, _QUICK_SAMPLES = 100_000, 2
_SECONDS: Final = {"h": 3600, "d": 86_400}
_EVENTS: Final = ("OSCPUVirtualTimeMicroseconds", "SelectQuery")


@dataclass(slots=True)
class Asked:
    """What the queries of one kind took on one side."""

    millis: list[float] = field(default_factory=list)
    cpu_millis: list[float] = field(default_factory=list)
    """CPU time of the engine for each query."""
    statements: list[int] = field(default_factory=list)

    def numbers(self) -> dict[str, float]:
        """The medians of the times, and the mean of the statements."""
        return {
            "statements": round(fmean(self.statements), 1),
            "engine_cpu_millis": round(quantile(sorted(self.cpu_millis), 0.5), 1),
            "p10_millis": round(quantile(sorted(self.millis), 0.1), 1),
            "p50_millis": round(quantile(sorted(self.millis), 0.5), 1),
            "p90_millis": round(quantile(sorted(self.millis), 0.9), 1),
        }


class _Side:
    def __init__(self, stack: BenchStack, client: ApiClient) -> None:
        self._stack = stack
        self._client = client

    def ask(self, kind: Kind, parameters: Parameters, asked: Asked) -> None:
        """Run one query, and note what it took."""
        cpu, statements = _events(self._stack)
        asked.millis.append(self._client.query(kind.path, parameters).millis)
        cpu_after, statements_after = _events(self._stack)
        asked.cpu_millis.append((cpu_after - cpu) / 1000)
        asked.statements.append(statements_after - statements - 1)  # without the one that asks for them


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    options = _parser().parse_args(arguments)
    if options.quick:
        options.rows, options.samples = _QUICK_ROWS, _QUICK_SAMPLES
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.query_pairs", description="Compare queries of two commits.")
    parser.add_argument("--base", required=True, help="the other commit, or a directory with its code")
    parser.add_argument("--rows", type=positive, default=_ROWS, help="rows of the table (default: 10 million)")
    parser.add_argument("--samples", type=positive, default=_SAMPLES, help=f"queries of a kind (default: {_SAMPLES})")
    parser.add_argument("--kind", action="append", default=[], help="part of the name of a kind; repeatable")
    parser.add_argument("--data", type=Path, help="directory that keeps the table for the next run")
    parser.add_argument("--quick", action="store_true", help="few rows and samples; results are not stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return parser


def _measure(options: argparse.Namespace) -> int:
    with checked_out(options.base) as directory, running_stack(options.data and options.data.absolute()) as stack:
        name = f"history_{options.rows}"
        stack.create_table(name)
        if not int(stack.query(f"SELECT count() FROM `{DATABASE}`.`{name}`")):
            print(f"Loading {options.rows:,} rows ...", flush=True)
            load_history(stack, name, options.rows)
            merge_days(stack, name)
        stack.wait_until_idle()
        found = _compare(stack, name, options, {"old": Program(directory=directory), "new": Program()})
        command = ["bench.query_pairs", "--base", options.base, "--rows", str(options.rows)]
        about = circumstances(stack, [*command, "--samples", str(options.samples)])
    about |= {"old": commit_of(options.base), "new": commit_of(str(ROOT))}
    text = "\n".join(page(about, found)) + "\n"
    print(f"\n{text}")
    if not (options.quick or options.kind):
        for path in write_results(options.results, _NAME, text, {**about, "kinds": found}):
            print(f"Written: {path}")
    return 0


def _compare(
    stack: BenchStack, name: str, options: argparse.Namespace, programs: Mapping[str, Program]
) -> dict[str, dict[str, dict[str, float]]]:
    rng = Random(options.rows)
    values = sample_search_values(stack, name, options.rows, rng)
    end_ns = int(stack.query(f"SELECT toUnixTimestamp64Nano(max(Timestamp)) FROM `{DATABASE}`.`{name}`"))
    found = {}
    with ExitStack() as cleanup:
        sides = {}
        for side, program in programs.items():
            service = cleanup.enter_context(running_service(stack, program, name, name, {"ROLES": "query"}))
            client = ApiClient(urlsplit(service.url).port or 0)
            cleanup.callback(client.close)
            sides[side] = _Side(stack, client)
        for kind in KINDS:
            if options.kind and not any(part in kind.name for part in options.kind):
                continue
            asked = {side: Asked() for side in sides}
            for number in range(-_WARM_UP, options.samples):
                parameters = until(end_ns, kind.parameters(rng, values))
                for side in sides if number % 2 else reversed(sides):
                    sides[side].ask(kind, parameters, asked[side] if number >= 0 else Asked())
            found[kind.name] = {side: asked[side].numbers() for side in sides}
            print(f"{kind.name}: {json.dumps(found[kind.name])}", flush=True)
    return found


def until(end_ns: int, parameters: Parameters) -> Parameters:
    """The same question, of a range that ends then instead of now."""
    if "start" not in parameters:
        return parameters
    length = parameters["start"].removeprefix("now-")
    start_ns = end_ns - int(length[:-1]) * _SECONDS[length[-1]] * 10**9
    return {**parameters, "start": str(start_ns), "end": str(end_ns)}


def _events(stack: BenchStack) -> tuple[int, ...]:
    """The engine's CPU time in microseconds, and the number of its SELECTs."""
    names = ", ".join(f"'{name}'" for name in _EVENTS)
    lines = stack.query(f"SELECT value FROM system.events WHERE event IN ({names}) ORDER BY event").splitlines()
    if len(lines) != len(_EVENTS):
        raise BenchError("the engine does not count its CPU time")
    return tuple(map(int, lines))


def page(about: Mapping[str, Any], found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Sequence[str]:
    """The results for people, line by line."""
    context = circumstances_as_context(about) | {"Old": about["old"], "New": about["new"]}
    heads = ["kind", "statements", "engine CPU (ms)", "ratio", "p10 (ms)", "p50 (ms)", "p90 (ms)"]
    rows = []
    for name, of in found.items():
        old, new = of["old"], of["new"]
        ratio = new["engine_cpu_millis"] / max(old["engine_cpu_millis"], 0.1)
        both = {key: f"{old[key]:g} / {new[key]:g}" for key in old}
        pair = [both["statements"], both["engine_cpu_millis"], f"{ratio:.2f}"]
        rows.append([name, *pair, *(both[f"p{share}_millis"] for share in (10, 50, 90))])
    return [
        "# Queries of an old and a new commit, in turn",
        "",
        *(f"- {key}: {value}" for key, value in context.items()),
        "- Each cell: old / new. Serial queries through the API, nothing stored meanwhile; CPU is that of the engine's",
        "  threads for a query, the median. Other work on the machine makes the times longer",
        "",
        *table(heads, rows),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
