"""`python -m bench.ratios`: whether the service, the table or a query costs more than it did.

Seconds depend on the machine and on its other load. So each cost is divided by a cost that our code does not influence,
measured in turn with it in the same run, and the ratio is compared with a committed baseline.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from app.build.native import installed
from bench.command import TOPIC, details, loaded_stack, positive, run
from bench.drain import measure_bare_loop, measure_unmerged_drain
from bench.engine_limit import decoded_batches
from bench.ratio_report import improvements, measures, read_baseline, with_ratios, write_baseline
from bench.report import Measurements, as_text, missed, summarise
from bench.service import Program
from bench.small_query import measure_small_query, service_with_few_rows
from bench.stack import BenchStack
from bench.storing import drop_extras, extras_of, measure_storing

# Of a service with the compiled decoder, and of one that decodes in Python.
BASELINE: Final = Path(__file__).with_name("ratios_baseline.json")
BASELINE_IN_PYTHON: Final = Path(__file__).with_name("ratios_baseline_python.json")

_BATCHES, _INSERTS_OF_EACH = 2, 2
_QUERY_ROUNDS: Final = 5
_ATTEMPTS: Final = 2


def main(arguments: list[str]) -> int:
    """Measure and print. Returns 1 if a ratio exceeds its limit twice, 2 if nothing could be measured."""
    return run(partial(_measure, _parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ratios", description="Whether the service, the table or a query costs more than it did."
    )
    parser.add_argument("--update", action="store_true", help="write the measured ratios as the new baseline")
    parser.add_argument("--events", type=positive, default=300_000, help="events in the backlog (default: 300000)")
    parser.add_argument(
        "--repetitions", type=positive, default=5, help="repetitions, of which the median counts (default: 5)"
    )
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    baseline = BASELINE if installed().new_reader else BASELINE_IN_PYTHON
    parser.add_argument("--baseline", type=Path, default=baseline, help="file with the baseline")
    return parser


def _measure(options: argparse.Namespace) -> int:
    baseline = {} if options.update else read_baseline(options.baseline)
    for attempt in range(_ATTEMPTS):
        with loaded_stack(options) as stack:
            runs = measure_ratios(stack, options.service_python, TOPIC, options.events, options.repetitions)
            about = details(stack, options, ["bench.ratios", "--update", "--repetitions", str(options.repetitions)])
        lines = summarise(measures(baseline), runs)
        print(f"\n{as_text(lines)}\n")
        if not missed(lines):
            break
        if attempt < _ATTEMPTS - 1:
            print("Measured again: what has become worse is so every time, and a busy machine is not.", flush=True)
    if options.update:
        write_baseline(options.baseline, about, lines)
        print(f"Written: {options.baseline}")
    for sentence in improvements(lines, baseline):
        print(f"Note: {sentence}")
    sentences = missed(lines)
    for sentence in sentences:
        print(f"Worse: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def measure_ratios(stack: BenchStack, python: str, topic: str, events: int, repetitions: int) -> Sequence[Measurements]:
    """Measure everything and the ratios, `repetitions` times.

    Raises:
        BenchError: something could not be measured.
    """
    print("In turn: bare loop and service ...", flush=True)
    drains = [_drain_both(stack, python, topic, events, number) for number in range(repetitions)]
    print("In turn: plain table and table ...", flush=True)
    tables = _store_in_both(stack, repetitions)
    print("In turn: SELECT 1 and small query ...", flush=True)
    queries = _query_both(stack, python, repetitions)
    return [
        with_ratios({**drain, **table, **query}) for drain, table, query in zip(drains, tables, queries, strict=True)
    ]


def _drain_both(stack: BenchStack, python: str, topic: str, events: int, number: int) -> Measurements:
    def service() -> Measurements:
        return measure_unmerged_drain(stack, Program(python), topic, events, f"drain_{number}")

    return _in_turn(number, partial(measure_bare_loop, stack, python, topic, events), service)


def _store_in_both(stack: BenchStack, repetitions: int) -> Sequence[Measurements]:
    batches = list(decoded_batches(_BATCHES)) * _INSERTS_OF_EACH
    stack.create_table("table")
    stack.create_table("plain")
    drop_extras(stack, "plain", extras_of(stack, "plain"))
    storing = [partial(measure_storing, stack, table, batches) for table in ("plain", "table")]
    return [_in_turn(number, *storing) for number in range(repetitions)]


def _query_both(stack: BenchStack, python: str, repetitions: int) -> Sequence[Measurements]:
    with service_with_few_rows(stack, Program(python)) as service:
        measure_small_query(stack, service, 1)  # warms both up
        return [measure_small_query(stack, service, _QUERY_ROUNDS) for _ in range(repetitions)]


def _in_turn(number: int, *calls: Callable[[], Measurements]) -> Measurements:
    """Run them; each comes first in every second repetition, so that a machine that slows down favours neither."""
    measurements: Measurements = {}
    for measure in calls if number % 2 else reversed(calls):
        measurements |= measure()
    return measurements


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
