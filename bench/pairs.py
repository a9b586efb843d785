"""`python -m bench.pairs --base COMMIT`: how a change affects throughput, cost, latency and query time.

The service of another commit and that of this checkout do the same work in turn, on one broker and one engine: a pair.
Only the service and its schema.sql come from the other commit; all measuring code comes from this one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bench.checkout import checked_out, commit_of
from bench.command import TOPIC, as_context, details, loaded_stack, new_parser, parse, positive, run
from bench.pair_report import Compared, Comparison, compare, page
from bench.query_kinds import SearchValues
from bench.report import Measurements, write_results
from bench.service import Program
from bench.sides import QUERIES, Side, drain, load_histories, query_times, steady_load
from bench.stack import BenchStack
from local.paths import ROOT

COMPARED: Final = (
    Compared("service_events_per_sec_saturated", "Drain: events/s while there is a backlog", 0, is_rate=True),
    Compared("service_cpu_secs_per_million", "Drain: CPU s of the service per million", 2),
    Compared("engine_cpu_secs_per_million", "Drain: CPU s of the engine per million", 2),
    Compared("service_peak_memory_mb", "Drain: peak memory of the service, MB", 0),
    Compared("latency_p50_secs", "Steady load: event to stored, p50, s", 3),
    Compared("latency_p99_secs", "Steady load: event to stored, p99, s", 3),
    *(Compared(name, f"Query: {name}, ms", 1) for name in QUERIES),
)

_NAME: Final = "pairs"
_EXACT: Final = ("rows_missing", "rows_twice", "latency_rows_missing", "latency_rows_twice")
_EVENTS, _ROWS = 1_000_000, 2_000_000
_QUICK_ROWS, _QUICK_SECS, _QUICK_QUERIES = 100_000, 3, 3

Pair = tuple[Measurements, Measurements]


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if something is worse or not exactly once, 2 if nothing was measured."""
    options = parse(_parser(), arguments)
    if options.quick:
        options.pairs, options.rows, options.secs, options.queries = 1, _QUICK_ROWS, _QUICK_SECS, _QUICK_QUERIES
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("bench.pairs", "Compare the service of another commit with this one.", events=_EVENTS)
    parser.add_argument("--base", required=True, help="the other commit, or a directory with its code")
    parser.add_argument("--pairs", type=positive, default=8, help="runs of each commit, in turn (default: 8)")
    parser.add_argument("--secs", type=positive, default=15, help="seconds of steady load (default: 15)")
    parser.add_argument("--rows", type=positive, default=_ROWS, help=f"rows that queries search (default: {_ROWS})")
    parser.add_argument("--queries", type=positive, default=30, help="queries of each kind in a pair (default: 30)")
    return parser


def _measure(options: argparse.Namespace) -> int:
    with checked_out(options.base) as directory, loaded_stack(options) as stack:
        python = options.service_python
        sides = Side("old", Program(python, directory=directory)), Side("new", Program(python))
        print(f"Loading {options.rows:,} rows of history for each ...", flush=True)
        values = load_histories(stack, sides, options.rows)
        pairs = [_measure_pair(stack, sides, values, options, number) for number in range(1, options.pairs + 1)]
        about = details(stack, options, ["bench.pairs", "--base", options.base, "--pairs", str(options.pairs)])
    about |= {"old": commit_of(options.base), "new": commit_of(str(ROOT))}
    return _conclude(options, about, pairs)


def _measure_pair(
    stack: BenchStack, sides: tuple[Side, Side], values: SearchValues, options: argparse.Namespace, number: int
) -> Pair:
    """Measure both sides. Each comes first in every second pair, so that a machine that slows down favours neither."""
    print(f"Pair {number} of {options.pairs} ...", flush=True)
    measurements: dict[str, Measurements] = {}
    for side in sides if number % 2 else reversed(sides):
        measurements[side.name] = drain(stack, side, TOPIC, options.events)
    for side in sides if number % 2 else reversed(sides):
        measurements[side.name] |= steady_load(stack, side, options.secs)
    old, new = query_times(stack, sides, values, number, options.queries)
    return measurements["old"] | old, measurements["new"] | new


def _conclude(options: argparse.Namespace, about: Mapping[str, Any], pairs: Sequence[Pair]) -> int:
    olds, news = zip(*pairs, strict=True)
    comparisons = compare(COMPARED, olds, news)
    context = as_context(about) | {"Old": about["old"], "New": about["new"], "Pairs": str(len(pairs))}
    text = "\n".join(page(context, comparisons)) + "\n"
    print(f"\n{text}")
    if not options.quick:
        content = {**about, "pairs": [{"old": old, "new": new} for old, new in pairs]}
        for path in write_results(options.results, _NAME, text, content):
            print(f"Written: {path}")
    sentences = complaints(comparisons, [*olds, *news])
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


def complaints(comparisons: Sequence[Comparison], all_measurements: Sequence[Measurements]) -> list[str]:
    """A sentence for each measurement that is worse, and for rows that were not stored exactly once."""
    worse = [f"Worse: {each.compared.label}" for each in comparisons if each.verdict == "worse"]
    wrong = {name for name in _EXACT for measurements in all_measurements if measurements[name]}
    return worse + [f"Not stored exactly once: {name}" for name in sorted(wrong)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
