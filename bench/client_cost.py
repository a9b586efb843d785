"""`python -m bench.client_cost`: what reading Kafka costs with each KAFKA_CLIENT.

The clients read the same backlog in turn: first only counting records, then as the whole service, which stores them.
Counting is also done by confluent without compiled code; in the whole service that would be another decoder too.
As in `bench.protocol_cost`, ClickHouse does not merge meanwhile, and rates are taken before the end.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Final

from bench.command import TOPIC, conclude_backlog, details, loaded_stack, new_parser, parse, positive, run
from bench.drain import measure_bare_source, measure_unmerged_drain
from bench.report import Measure, Measurements, Report
from bench.service import Program
from bench.stack import BenchStack

CLIENTS: Final = {"confluent": "confluent", "kafka-python": "python"}  # and how names of measurements begin
_COMPARED: Final = (
    ("source_events_per_sec", "counting only: events/s", 0),
    ("source_cpu_secs_per_million", "counting only: CPU s per million events", 2),
    ("source_peak_memory_mb", "counting only: peak memory, MB", 0),
    ("service_events_per_sec_saturated", "service: events/s while there is a backlog", 0),
    ("service_cpu_secs_per_million", "service: CPU s per million events", 2),
    ("service_peak_memory_mb", "service: peak memory, MB", 0),
)
_OBJECTS: Final = (
    (
        "objects_source_cpu_secs_per_million",
        "confluent without compiled code, counting only: CPU s per million events",
        2,
    ),
    ("ratio_of_objects_source_cpu_secs_per_million", "with / without it, pair by pair: CPU s per million events", 3),
)
_EXACT: Final = (("rows_missing", "events not in the table"), ("rows_twice", "rows stored more than once"))

_MEASURES: Final = (
    *(
        measure
        for name, label, digits in _COMPARED
        for measure in (
            *(Measure(f"{short}_{name}", f"{client}, {label}", digits) for client, short in CLIENTS.items()),
            Measure(f"ratio_of_{name}", f"confluent / kafka-python, pair by pair, {label.split(',')[0]}", 3),
        )
    ),
    *(Measure(*objects) for objects in _OBJECTS),
    *(
        Measure(f"{short}_{name}", f"{client}, service: {label}", 0, limit=0, is_exact=True)
        for name, label in _EXACT
        for client, short in CLIENTS.items()
    ),
)
REPORT: Final = Report("client_cost", "What reading Kafka costs", _MEASURES, repeats="Pairs")


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if something is not stored exactly once, 2 if nothing could be measured."""
    options = parse(_parser(), arguments)
    if options.quick:
        options.pairs = 1
    return run(partial(_measure, options))


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("bench.client_cost", "What reading Kafka costs with each client.", events=1_000_000)
    parser.add_argument("--pairs", type=positive, default=3, help="runs of each client, in turn (default: 3)")
    return parser


def _measure(options: argparse.Namespace) -> int:
    with loaded_stack(options) as stack:
        pairs = []
        for number in range(1, options.pairs + 1):
            print(f"Pair {number} of {options.pairs} ...", flush=True)
            pairs.append(measure_pair(stack, options.service_python, TOPIC, options.events, number))
        about = details(stack, options, ["bench.client_cost", "--pairs", str(options.pairs)])
    return conclude_backlog(REPORT, options, about, pairs)


def measure_pair(stack: BenchStack, python: str, topic: str, events: int, number: int) -> Measurements:
    """Read the topic with both clients, each with new groups and into a new table.

    Raises:
        BenchError: one of them does not come to the end.
    """
    # Each comes first in every second pair, so that a machine that gets slower or faster favours neither.
    ordered = list(CLIENTS) if number % 2 else list(reversed(CLIENTS))
    measurements = {client: measure_bare_source(stack, python, topic, events, client) for client in ordered}
    without = measure_bare_source(stack, python, topic, events, "confluent", {"DECODER": "python"})
    for client in ordered:
        table, settings = f"{CLIENTS[client]}_{number}", {"KAFKA_CLIENT": client}
        measurements[client] |= measure_unmerged_drain(stack, Program(python), topic, events, table, settings)
    return compare(measurements["confluent"], measurements["kafka-python"], without)


def compare(confluent: Measurements, python: Measurements, objects: Measurements) -> Measurements:
    """The measurements of both clients of a pair, and the ratios of the first to the second.

    `objects` are those of counting by the first without compiled code, which makes an object of each record.
    """
    cpu = "source_cpu_secs_per_million"
    return {
        **{f"confluent_{name}": value for name, value in confluent.items()},
        **{f"python_{name}": value for name, value in python.items()},
        **{f"ratio_of_{name}": confluent[name] / python[name] for name, *_ in _COMPARED},
        f"objects_{cpu}": objects[cpu],
        f"ratio_of_objects_{cpu}": confluent[cpu] / objects[cpu],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
