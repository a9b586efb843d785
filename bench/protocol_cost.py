"""`python -m bench.protocol_cost`: what exactly-once delivery costs, and whether that is within the limit.

The shipped service and the service without the delivery protocol drain the same backlog in turn. Two random effects are
excluded, since each is larger than the measured difference. ClickHouse does not merge meanwhile: it merges by the
number of parts, so one more small insert can cost one more merge of all rows. The rate is taken before the end, because
a rest that does not fill a batch waits for a second.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Final

from bench.command import TOPIC, conclude_backlog, details, loaded_stack, new_parser, parse, positive, run
from bench.drain import measure_unmerged_drain
from bench.report import Measure, Measurements, Report
from bench.service import Program
from bench.stack import DATABASE, BenchStack

_COMPARED: Final = ("service_events_per_sec_saturated", "service_cpu_secs_per_million", "engine_cpu_secs_per_million")

_MEASURES = (
    Measure("with_service_events_per_sec_saturated", "With the protocol: events/s while there is a backlog", 0),
    Measure("without_service_events_per_sec_saturated", "Without: events/s while there is a backlog", 0),
    Measure(
        "ratio_of_service_events_per_sec_saturated",
        "With / without, pair by pair: events/s",
        3,
        limit=0.97,
        is_least=True,
    ),
    Measure("with_service_cpu_secs_per_million", "With the protocol: service's CPU s per million events", 2),
    Measure("without_service_cpu_secs_per_million", "Without: service's CPU s per million events", 2),
    Measure("ratio_of_service_cpu_secs_per_million", "With / without, pair by pair: service's CPU", 3),
    Measure("with_engine_cpu_secs_per_million", "With the protocol: engine's CPU s per million events", 2),
    Measure("without_engine_cpu_secs_per_million", "Without: engine's CPU s per million events", 2),
    Measure("ratio_of_engine_cpu_secs_per_million", "With / without, pair by pair: engine's CPU", 3),
    Measure("with_rows_missing", "With the protocol: events not in the table", 0, limit=0, is_exact=True),
    Measure("with_rows_twice", "With the protocol: rows stored more than once", 0, limit=0, is_exact=True),
    Measure("without_rows_missing", "Without: events not in the table", 0, limit=0, is_exact=True),
    Measure("without_rows_twice", "Without: rows stored more than once", 0, limit=0, is_exact=True),
)
REPORT: Final = Report("protocol_cost", "What the delivery protocol costs", _MEASURES, repeats="Pairs")


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if it costs too much, 2 if nothing could be measured."""
    options = parse(_parser(), arguments)
    if options.quick:
        options.pairs = 1
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("bench.protocol_cost", "What exactly-once delivery costs, and whether that is allowed.")
    parser.add_argument("--pairs", type=positive, default=5, help="drains of each kind, in turn (default: 5)")
    return parser


def _measure(options: argparse.Namespace) -> int:
    with loaded_stack(options) as stack:
        pairs = []
        for number in range(1, options.pairs + 1):
            print(f"Pair {number} of {options.pairs} ...", flush=True)
            pairs.append(measure_pair(stack, options.service_python, TOPIC, options.events, number))
        about = details(stack, options, ["bench.protocol_cost", "--pairs", str(options.pairs)])
    return conclude_backlog(REPORT, options, about, pairs)


def measure_pair(stack: BenchStack, python: str, topic: str, events: int, number: int) -> Measurements:
    """Drain the topic with and without the protocol, each with a new group into a new table.

    Raises:
        BenchError: one of the drains does not end.
    """

    def with_protocol() -> Measurements:
        return measure_unmerged_drain(stack, Program(python), topic, events, f"with_{number}")

    def without() -> Measurements:
        program, table = Program(python, module="bench.at_least_once"), f"without_{number}"
        return measure_unmerged_drain(stack, program, topic, events, table, create=create_table_without_deadline)

    # Each comes first in every second pair, so that a machine that gets slower or faster favours neither.
    measurements = {}
    for drain in (with_protocol, without) if number % 2 else (without, with_protocol):
        measurements[drain] = drain()
    return compare(measurements[with_protocol], measurements[without])


def create_table_without_deadline(stack: BenchStack, table: str) -> None:
    """Create the table of the service without the column and constraint that refuse late inserts."""
    stack.create_table(table)
    stack.query(f"ALTER TABLE `{DATABASE}`.`{table}` DROP CONSTRAINT on_time, DROP COLUMN _deadline")


def compare(with_protocol: Measurements, without: Measurements) -> Measurements:
    """The measurements of both drains of a pair, and the ratios of the first to the second."""
    return {
        **{f"with_{name}": value for name, value in with_protocol.items()},
        **{f"without_{name}": value for name, value in without.items()},
        **{f"ratio_of_{name}": with_protocol[name] / without[name] for name in _COMPARED},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
