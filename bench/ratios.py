"""`python -m bench.ratios`: what the service costs, as ratios taken in one run, held to the committed baseline.

Seconds differ from machine to machine and from hour to hour. What the service needs for the work that a bare client, a
plain table or a plain SELECT 1 does in the same minute does not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from bench.command import TOPIC, circumstances, loaded_stack, positive, run
from bench.drain import measure_bare_loop, measure_drain
from bench.plain_table import measure_tables
from bench.report import Figures
from bench.small_query import measure_small_query
from bench.stack import BenchStack
from local.paths import ROOT

BASELINE: Final = ROOT / "bench" / "baseline.json"
MARGIN: Final = 0.15
RATIOS: Final[Mapping[str, str]] = {
    "service_time_to_bare_loop": "Time to store the backlog / time in which a bare loop of kafka-python counts it",
    "service_cpu_to_bare_loop": "CPU of the service / CPU of that bare loop",
    "engine_cpu_to_plain_table": "CPU of ClickHouse for an insert into this table / into a plain one",
    "small_query_to_select_1": "Time of a small query through the API / of SELECT 1 at ClickHouse",
}
"""Each the larger the worse."""

_EVENTS: Final = 300_000
_REPEATS: Final = 3


def main(arguments: list[str]) -> int:
    """Measure, print, compare. 1 when a ratio is worse than the baseline allows, 2 when nothing could be measured."""
    options = _parser().parse_args(arguments)
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.ratios", description="What the service costs, as ratios.")
    parser.add_argument("--events", type=positive, default=_EVENTS, help=f"in the backlog (default: {_EVENTS})")
    parser.add_argument("--repeats", type=positive, default=_REPEATS, help=f"median of so many (default: {_REPEATS})")
    parser.add_argument("--baseline", type=Path, default=BASELINE, help="file of the baseline")
    parser.add_argument("--update", action="store_true", help="write the baseline instead of comparing")
    parser.set_defaults(service_python=sys.executable)
    return parser


def _measure(options: argparse.Namespace) -> int:
    with loaded_stack(options) as stack:
        repeats = [_once(stack, options, number) for number in range(options.repeats)]
        about = circumstances(stack, ["bench.ratios"])
    ratios = medians(repeats)
    if options.update:
        options.baseline.write_text(json.dumps({"ratios": ratios, **about}, indent=2) + "\n", encoding="utf-8")
        print(f"Written: {options.baseline}")
        return 0
    baseline = json.loads(options.baseline.read_text(encoding="utf-8"))["ratios"]
    for line in lines(repeats, baseline):
        print(line)
    sentences = worse(ratios, baseline)
    for sentence in sentences:
        print(f"Worse: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def _once(stack: BenchStack, options: argparse.Namespace, number: int) -> Figures:
    """Every ratio once, its two sides directly after each other."""
    print(f"Repeat {number + 1} of {options.repeats} ...", flush=True)
    python, events, table = options.service_python, options.events, f"drain_{number}"
    bare = measure_bare_loop(stack, python, TOPIC, events)
    drain = measure_drain(stack, python, TOPIC, events, table)
    query = measure_small_query(stack, python, table)
    stack.drop_table(table)
    return {
        "service_time_to_bare_loop": bare["bare_events_per_sec"] / drain["service_events_per_sec_saturated"],
        "service_cpu_to_bare_loop": drain["service_cpu_secs_per_million"] / bare["bare_cpu_secs_per_million"],
        "engine_cpu_to_plain_table": measure_tables(stack),
        "small_query_to_select_1": query,
    }


def medians(repeats: Sequence[Figures]) -> Figures:
    """The median of each ratio."""
    return {name: round(median(figures[name] for figures in repeats), 3) for name in RATIOS}


def worse(ratios: Figures, baseline: Mapping[str, float]) -> list[str]:
    """A sentence for each ratio that is above its baseline by more than the margin."""
    return [
        f"{RATIOS[name]}: {ratio:.2f}, at most {limit:.2f} (baseline {baseline[name]:.2f})"
        for name, ratio in ratios.items()
        if ratio > (limit := baseline[name] * (1 + MARGIN))
    ]


def lines(repeats: Sequence[Figures], baseline: Mapping[str, float]) -> list[str]:
    """A line per ratio: median, range, baseline, and whether the baseline should be made anew."""
    found = []
    for name, ratio in medians(repeats).items():
        values = [figures[name] for figures in repeats]
        note = "  (much better: renew the baseline)" if ratio < baseline[name] * (1 - MARGIN) else ""
        spread = f"{min(values):.2f} to {max(values):.2f}"
        found.append(f"{ratio:6.2f}  ({spread}, baseline {baseline[name]:.2f})  {RATIOS[name]}{note}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
