"""Shared by the commands of the bench: options, backlog, environment of a measurement, verdict."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.machine import interpreter, machine
from bench.report import Measurements, Report, as_text, missed, store, summarise
from bench.stack import PARTITIONS, BenchStack, running_stack
from bench.workload import backlog_events, kind_of, load
from local.errors import LocalError
from local.paths import ROOT

RESULTS = ROOT / "bench" / "results"
TOPIC = "bench"

_QUICK_EVENTS = 200_000
_SAMPLE_EVENTS = 20_000


def new_parser(module: str, description: str, *, events: int = 2_000_000) -> argparse.ArgumentParser:
    """A parser with the options of every command."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--events", type=positive, default=events, help=f"in the backlog (default: {events})")
    parser.add_argument(
        "--quick", action="store_true", help="one short run to see that it works; results are not stored"
    )
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return parser


def parsed_visits(
    parser: argparse.ArgumentParser, arguments: list[str], *, rows: int, quick_rows: int, visits: int
) -> argparse.Namespace:
    """The options of a bench that visits the explorer in a browser, beside those of `parser`; these are defaults."""
    parser.add_argument("--rows", type=positive, default=rows, help=f"rows in a table (default: {rows})")
    parser.add_argument(
        "--visits", type=positive, default=visits, help=f"each in a new browser profile (default: {visits})"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one visit, few rows, to see that it works; results are not stored"
    )
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rows, options.visits = quick_rows, 1
    return options


def positive(text: str) -> int:
    """A whole number above 0, for argparse."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Parse the options; `--quick` limits the number of events."""
    options = parser.parse_args(arguments)
    if options.quick:
        options.events = min(options.events, _QUICK_EVENTS)
    return options


def run(measure: Callable[[], int]) -> int:
    """Run a command and return its exit code, or 2 if nothing could be measured."""
    try:
        return measure()
    except (BenchError, LocalError, OSError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


@contextmanager
def loaded_stack(options: argparse.Namespace) -> Iterator[BenchStack]:
    """Start a broker with a backlog, and an engine."""
    interpreter(options.service_python)  # fails at once if it cannot be run
    with running_stack() as stack:
        print(f"Loading {options.events:,} events ...", flush=True)
        stack.create_topic(TOPIC)
        load(stack.kafka.bootstrap_servers, TOPIC, options.events)
        yield stack


def circumstances(stack: BenchStack, command: Sequence[str]) -> dict[str, Any]:
    """When and on what something was measured, and the module and arguments that repeat it."""
    return surroundings(command) | {"clickhouse": stack.query("SELECT version()")}


def surroundings(command: Sequence[str]) -> dict[str, Any]:
    """The same without an engine of the bench."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", *command]),
        "machine": machine(),
    }


def circumstances_as_context(about: Mapping[str, Any]) -> dict[str, str]:
    """The circumstances as text for people."""
    box = about["machine"]
    return {
        "Date": about["date"],
        "Command": f"`{about['command']}`",
        "Machine": f"{box['processor']}, {box['cores']} cores, {box['memory_gb']} GB, {box['system']}",
    }


def details(stack: BenchStack, options: argparse.Namespace, shown: Sequence[str]) -> dict[str, Any]:
    """The environment of a measurement; `shown` is the command line that repeats it."""
    kind = kind_of(list(islice(backlog_events(_SAMPLE_EVENTS), _SAMPLE_EVENTS)))
    return circumstances(stack, [*shown, "--events", str(options.events)]) | {
        "service": {"interpreter": _shown_path(options.service_python), **interpreter(options.service_python)},
        "kafka": stack.kafka.version,
        "workload": {
            "events": options.events,
            "mean_bytes": round(kind.mean_bytes, 1),
            "share_with_attributes": round(kind.share_with_attributes, 3),
            "partitions": PARTITIONS,
            "compression": "lz4",
        },
    }


def as_context(details: Mapping[str, Any]) -> dict[str, str]:
    """The details as text for people."""
    service, workload = details["service"], details["workload"]
    packages = ", ".join(f"{name} {version}" for name, version in service["packages"].items())
    return circumstances_as_context(details) | {
        "Service": f"Python {service['python']} ({service['interpreter']}), {packages}",
        "Beside it on the same machine": f"Apache Kafka {details['kafka']}, ClickHouse engine {details['clickhouse']}",
        "Workload": f"{workload['events']:,} JSON events of {workload['mean_bytes']:.0f} bytes on average,"
        f" {workload['share_with_attributes']:.0%} of them with keys that have no column;"
        f" {workload['partitions']} partitions, {workload['compression']}, LogAppendTime",
    }


def conclude_backlog(
    report: Report, options: argparse.Namespace, details: Mapping[str, Any], runs: Sequence[Measurements]
) -> int:
    """See `conclude`; the context describes the backlog."""
    return conclude(report, options, as_context(details) | {report.repeats: str(len(runs))}, details, runs)


def conclude(
    report: Report,
    options: argparse.Namespace,
    context: Mapping[str, str],
    details: Mapping[str, Any],
    runs: Sequence[Measurements],
) -> int:
    """Print the results, and store them unless `--quick` was given. Returns 1 if a required limit was missed."""
    lines = summarise(report.measures, runs)
    print(f"\n{as_text(lines)}\n")
    if not options.quick:
        for path in store(options.results, report, context, details, runs):
            print(f"Written: {path}")
    sentences = missed(lines)
    for sentence in sentences:
        print(f"Missed: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def _shown_path(python: str) -> str:
    """The path of an interpreter without directories that are specific to this machine."""
    path = Path(python)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
