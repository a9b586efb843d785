"""`python -m bench.rebalance_pause`: for how long instances store nothing when another one joins or leaves."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.drain import exactness
from bench.report import table, write_results
from bench.scaling_group import InstanceGroup, limited_group
from bench.scaling_report import gaps_of, pause_rows
from bench.stack import DATABASE, BenchStack, running_stack
from bench.workload import send_steadily

PARTITIONS: Final = 12

_TABLE: Final = "pauses"
_CAPACITY: Final = 300
_RATE: Final = 300
_TIMEOUT_SECS: Final = 180.0
_SETTLE_SECS: Final = 15.0  # more than the longest wait for an insert of another instance
_PIECE_SECS: Final = 5


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if records are missing or twice, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebalance_pause", description="The pause of a rebalance.")
    parser.add_argument("--instances", type=positive, default=3, help="that stay (default: 3)")
    parser.add_argument("--times", type=positive, default=8, help="another one joins, and leaves again (default: 8)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    with running_stack() as stack:
        group = limited_group(stack, _TABLE, capacity=_CAPACITY, partitions=PARTITIONS)
        try:
            sent = _join_and_leave(stack, group, options)
        finally:
            group.stop()
        found = exactness(stack, _TABLE, sent)
        command = ["--instances", str(options.instances), "--times", str(options.times)]
        about = circumstances(stack, ["bench.rebalance_pause", *command])
        gaps = gaps_of(group.journals()[: options.instances], group.changes)
    context = circumstances_as_context(about) | {
        "Group": f"{options.instances} instances that stay; another one joins and leaves {options.times} times",
        "Load": f"{_RATE} records/s, of which an instance could store {_CAPACITY}; {PARTITIONS} partitions",
        "Records": f"{sent:,} sent, {found['rows_missing']} missing, {found['rows_twice']} twice",
    }
    lines = [f"- {name}: {text}" for name, text in context.items()]
    rows = list(pause_rows(gaps))
    tables = table(("Between two inserts of an instance that stays", "Times", "p50, s", "Greatest, s"), rows)
    page = "\n".join(["# The pause of a rebalance", "", *lines, "", *tables, ""])
    print(page)
    content = {**about, "found": found, "pauses": gaps.pauses, "usual_secs": gaps.usual_secs}
    for path in write_results(options.results, "rebalance_pause", page, content):
        print(f"Written: {path}")
    return 1 if any(found.values()) else 0


def _join_and_leave(stack: BenchStack, group: InstanceGroup, options: argparse.Namespace) -> int:
    """Let another instance come and go under load; returns the records that were sent.

    Raises:
        BenchError: an instance did not get partitions, or not everything was stored.
    """
    _become(group, options.instances)
    stopped = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(_send_until, stopped, stack.kafka.bootstrap_servers)
        try:
            for _ in range(options.times):
                for count in (options.instances + 1, options.instances):
                    time.sleep(_SETTLE_SECS)
                    _become(group, count)
            time.sleep(_SETTLE_SECS)
        finally:
            stopped.set()
        sent = sending.result()
    counted = f"SELECT count() FROM `{DATABASE}`.`{_TABLE}`"
    group.wait_until(lambda: int(stack.query(counted)) >= sent, _TIMEOUT_SECS)
    return sent


def _send_until(stopped: threading.Event, servers: str) -> int:
    """Send in pieces of some seconds, by a process of its own; returns the number of records."""
    sent = 0
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as sender:
        while not stopped.is_set():
            sender.submit(send_steadily, servers, _TABLE, _RATE, _PIECE_SECS, PARTITIONS).result()
            sent += _RATE * _PIECE_SECS
    return sent


def _become(group: InstanceGroup, count: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {count} instances", flush=True)
    group.become(count)

    def is_settled() -> bool:
        assigned = [reading.assigned for reading in group.read().values()]
        return sum(found > 0 for found in assigned) == count and sum(assigned) == PARTITIONS

    group.wait_until(is_settled, _TIMEOUT_SECS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
