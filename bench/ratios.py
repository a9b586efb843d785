"""`python -m bench.ratios`: whether the service, the table or a query costs more than it did.

Seconds depend on the machine, and on who else uses it. So each cost is set against one that our code has no part in,
measured in turn with it in the same run; and what they are to each other is held to a baseline that is committed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from app.backends.clickhouse.writer import ClickHouseWriter
from bench.command import TOPIC, details, loaded_stack, positive, run
from bench.drain import measure_bare_loop, measure_drain
from bench.engine_limit import decoded_batches, insert_call
from bench.ratio_report import improvements, measures, read_baseline, with_ratios, write_baseline
from bench.report import Figures, as_text, missed, summarise
from bench.service import Program
from bench.small_query import measure_small_query, service_with_few_rows
from bench.stack import BenchStack
from bench.storing import drop_extras, extras_of, measure_storing

BASELINE: Final = Path(__file__).with_name("ratios_baseline.json")

_BATCHES, _INSERTS_OF_EACH = 2, 2
_QUERY_ROUNDS: Final = 5


def main(arguments: list[str]) -> int:
    """Measure and print. 1 when a ratio is worse than its baseline and the margin, 2 when nothing could be measured."""
    return run(partial(_measure, _parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ratios", description="Whether the service, the table or a query costs more than it did."
    )
    parser.add_argument("--update", action="store_true", help="make what is measured the new baseline")
    parser.add_argument("--events", type=positive, default=300_000, help="in the backlog (default: 300000)")
    parser.add_argument("--repetitions", type=positive, default=5, help="every ratio is the median (default: 5)")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--baseline", type=Path, default=BASELINE, help="file with the ratios that are held to")
    return parser


def _measure(options: argparse.Namespace) -> int:
    baseline = {} if options.update else read_baseline(options.baseline)
    with loaded_stack(options) as stack:
        runs = measure_ratios(stack, options.service_python, TOPIC, options.events, options.repetitions)
        about = details(stack, options, ["bench.ratios", "--update", "--repetitions", str(options.repetitions)])
    lines = summarise(measures(baseline), runs)
    print(f"\n{as_text(lines)}\n")
    if options.update:
        write_baseline(options.baseline, about, lines)
        print(f"Written: {options.baseline}")
    for sentence in improvements(lines, baseline):
        print(f"Note: {sentence}")
    sentences = missed(lines)
    for sentence in sentences:
        print(f"Worse: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def measure_ratios(stack: BenchStack, python: str, topic: str, events: int, repetitions: int) -> Sequence[Figures]:
    """All figures and their ratios, so many times.

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


def _drain_both(stack: BenchStack, python: str, topic: str, events: int, number: int) -> Figures:
    def service() -> Figures:
        stack.create_table(table := f"drain_{number}")
        stack.stop_merges(table)  # by the number of parts: one insert more can mean all rows once more
        figures = measure_drain(stack, Program(python), topic, events, table)
        stack.drop_table(table)
        return figures

    return _in_turn(number, partial(measure_bare_loop, stack, python, topic, events), service)


def _store_in_both(stack: BenchStack, repetitions: int) -> Sequence[Figures]:
    batches = list(decoded_batches(_BATCHES)) * _INSERTS_OF_EACH
    stack.create_table("table")
    stack.create_table("plain")
    drop_extras(stack, "plain", extras_of(stack, "plain"))
    storing = []
    for table in ("plain", "table"):
        writer = ClickHouseWriter(stack.clickhouse_settings(table))
        storing.append(partial(measure_storing, stack, table, [insert_call(writer, batch) for batch in batches]))
    return [_in_turn(number, *storing) for number in range(repetitions)]


def _query_both(stack: BenchStack, python: str, repetitions: int) -> Sequence[Figures]:
    with service_with_few_rows(stack, Program(python)) as service:
        measure_small_query(stack, service, 1)  # warms both up
        return [measure_small_query(stack, service, _QUERY_ROUNDS) for _ in range(repetitions)]


def _in_turn(number: int, *measurements: Callable[[], Figures]) -> Figures:
    """Each comes first in every second repetition, so that a machine that gets slower meanwhile favours neither."""
    figures: Figures = {}
    for measure in measurements if number % 2 else reversed(measurements):
        figures |= measure()
    return figures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
