"""`python -m bench.kafka_storage`: bytes of an event on Kafka's disk, sent in large batches and in small ones.

One copy: multiply by the replication factor. Large batches are those of a producer that waits up to 50 ms for more
events, small ones those of one that waits 5 ms at 1,000 events a second.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Final

from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.report import table, write_results
from bench.stack import BenchStack, running_stack
from bench.workload import backlog_events, kind_of, send_all, send_steadily

_NAME: Final = "kafka_storage"
_STEADY_PER_SEC: Final = 1_000


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.kafka_storage", description="Bytes of an event in Kafka.")
    parser.add_argument("--events", type=positive, default=500_000, help="in large batches (default: 500,000)")
    parser.add_argument("--secs", type=positive, default=20, help="for which small batches are sent (default: 20)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    events = list(backlog_events(options.events))
    with running_stack() as stack:
        servers = stack.kafka.bootstrap_servers
        stack.create_topic("large")
        send_all(servers, "large", events)
        stack.create_topic("small")
        send_steadily(servers, "small", _STEADY_PER_SEC, options.secs)
        found = {
            "sent": kind_of(events).mean_bytes,
            "large": log_bytes(stack, "large") / options.events,
            "small": log_bytes(stack, "small") / (_STEADY_PER_SEC * options.secs),
        }
        command = ["bench.kafka_storage", "--events", str(options.events), "--secs", str(options.secs)]
        about = circumstances(stack, command) | {"kafka": stack.kafka.version}
    rows = [
        ("as sent, JSON", f"{found['sent']:.1f}"),
        ("large batches, lz4", f"{found['large']:.1f}"),
        (f"small batches ({_STEADY_PER_SEC:,} events/s to 4 partitions), lz4", f"{found['small']:.1f}"),
    ]
    context = [f"- {name}: {value}" for name, value in circumstances_as_context(about).items()]
    heading = ["# What an event takes in Kafka", "", *context, f"- Apache Kafka {about['kafka']}, one copy", ""]
    page = "\n".join([*heading, *table(("Event", "Bytes"), rows), ""])
    print(page)
    write_results(options.results, _NAME, page, {**about, "bytes_per_event": found})
    return 0


def log_bytes(stack: BenchStack, topic: str) -> int:
    """The size of the topic's segments, without their indexes, which Kafka makes as large as they may get."""
    return sum(file.stat().st_size for file in (stack.directory / "kafka/data").glob(f"{topic}-*/*.log"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
