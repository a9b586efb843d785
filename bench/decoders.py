"""`python -m bench.decoders`: what compiled code saves, against the decoder in Python that makes the same rows.

First the steps between the bytes of records and the body of an insert, in one process. Then the service drains the same
backlog with either decoder in turn, into tables that ClickHouse does not merge meanwhile: a pair.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Final

from bench.command import TOPIC, as_context, details, loaded_stack, new_parser, parse, positive, run
from bench.decode_steps import both_readers, measure_steps
from bench.drain import measure_unmerged_drain
from bench.report import Measurements, write_results
from bench.report import table as as_table
from bench.service import Program
from bench.stack import BenchStack

_NAME: Final = "decoders"
_DECODERS: Final = ("python", "native")
_SHOWN: Final = {
    "service_cpu_secs_per_million": "CPU s of the service per million",
    "engine_cpu_secs_per_million": "CPU s of the engine per million",
    "service_events_per_sec_saturated": "events/s while there is a backlog",
    "service_peak_memory_mb": "peak memory of the service, MB",
    "rows_missing": "events that are missing",
    "rows_twice": "rows that are there twice",
}

Pair = Mapping[str, Measurements]


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if rows are missing or there twice, 2 if nothing could be measured."""
    options = parse(_parser(), arguments)
    if options.quick:
        options.pairs = 1
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("bench.decoders", "What compiled code saves.", events=1_000_000)
    parser.add_argument("--pairs", type=positive, default=5, help="drains with each decoder, in turn (default: 5)")
    parser.add_argument("--turns", type=positive, default=30, help="of each step; the fastest counts (default: 30)")
    return parser


def _measure(options: argparse.Namespace) -> int:
    steps = measure_steps(options.turns, both_readers())
    with loaded_stack(options) as stack:
        pairs = [_pair(stack, options, number) for number in range(options.pairs)]
        about = details(stack, options, ["bench.decoders", "--pairs", str(options.pairs)])
    page = "\n".join(_page(as_context(about), steps, pairs)) + "\n"
    print(f"\n{page}")
    if not options.quick:
        for path in write_results(options.results, _NAME, page, {**about, "steps": steps, "pairs": pairs}):
            print(f"Written: {path}")
    wrong = [pair for pair in pairs for drain in pair.values() if drain["rows_missing"] or drain["rows_twice"]]
    return 1 if wrong else 0


def _pair(stack: BenchStack, options: argparse.Namespace, number: int) -> Pair:
    """A drain with each decoder, each first in every second pair, so that a machine that slows down favours neither."""
    print(f"Pair {number + 1} of {options.pairs} ...", flush=True)
    found: dict[str, Measurements] = {}
    for decoder in _DECODERS if number % 2 else reversed(_DECODERS):
        program, table = Program(options.service_python), f"{decoder}_{number}"
        found[decoder] = measure_unmerged_drain(stack, program, TOPIC, options.events, table, {"DECODER": decoder})
    return found


def _page(context: Mapping[str, str], steps: Mapping[str, float], pairs: Sequence[Pair]) -> Iterator[str]:
    yield "# Decoding by compiled code"
    yield ""
    for name, value in context.items():
        yield f"- {name}: {value}"
    yield from ("", "## Steps", "", "CPU seconds per million records; the fastest turn of each.", "")
    yield from as_table(("Step", "CPU s per million"), [(name, f"{secs:.2f}") for name, secs in steps.items()])
    yield from ("", "## Drains", "", f"Medians of {len(pairs)} pairs; the ratio is that of the pairs.", "")
    rows = [(label, *_medians(pairs, name)) for name, label in _SHOWN.items()]
    yield from as_table(("", *_DECODERS, "native / python"), rows)


def _medians(pairs: Sequence[Pair], name: str) -> Iterator[str]:
    python, native = ([pair[decoder][name] for pair in pairs] for decoder in _DECODERS)
    yield from (f"{median(values):,.2f}" for values in (python, native))
    ratios = [new / old for new, old in zip(native, python, strict=True) if old]
    yield f"{median(ratios):.2f}" if ratios else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
