"""`python -m bench.throughput`: how fast the service is, how much it costs, and whether that is good enough."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bench.drain import measure_bare_loop, measure_drain
from bench.engine_limit import measure_engine_limit
from bench.errors import BenchError
from bench.latency import measure_latency
from bench.machine import interpreter, machine
from bench.profile import profile_drain
from bench.report import Figures, as_text, missed, store, summarise, with_ratios
from bench.stack import PARTITIONS, BenchStack, running_stack
from bench.workload import EVENTS_PER_SEC, backlog_events, kind_of, load
from local.errors import LocalError
from local.service import ROOT

RESULTS = ROOT / "bench" / "results"

_TOPIC = "bench"
_SAMPLE_EVENTS = 20_000
_LATENCY_SECS = 30.0
_QUICK_LATENCY_SECS = 5.0


def main(arguments: list[str]) -> int:
    """Measure, print and store. 1 when a figure that must be reached was not, 2 when nothing could be measured."""
    options = _parser().parse_args(arguments)
    if options.quick:
        options.runs, options.events = 1, min(options.events, 200_000)
    try:
        python = interpreter(options.service_python)
        with running_stack() as stack:
            print(f"Loading {options.events:,} events ...", flush=True)
            stack.create_topic(_TOPIC)
            load(stack.kafka.bootstrap_servers, _TOPIC, options.events)
            if options.profile:
                return _profile(stack, options)
            runs = [_run(stack, options, number) for number in range(1, options.runs + 1)]
            details = _details(stack, options, python)
    except (BenchError, LocalError, OSError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return _judge(options, details, runs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.throughput", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--runs", type=_positive, default=3, help="every figure is the median of so many (default: 3)")
    parser.add_argument("--events", type=_positive, default=2_000_000, help="in the backlog (default: 2000000)")
    parser.add_argument(
        "--quick", action="store_true", help="once and with few events, to see that it works; not stored"
    )
    parser.add_argument("--profile", action="store_true", help="sample the service during a drain instead of measuring")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service and the bare loop")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return parser


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _run(stack: BenchStack, options: argparse.Namespace, number: int) -> Figures:
    """All measurements, one after another, so that none disturbs the other."""
    python, events = options.service_python, options.events
    _say(options, number, "bare loop")
    figures = measure_bare_loop(stack, python, _TOPIC, events)
    _say(options, number, "service")
    figures |= measure_drain(stack, python, _TOPIC, events, f"drain_{number}")
    stack.drop_table(f"drain_{number}")
    _say(options, number, "engine alone")
    figures |= measure_engine_limit(stack, bodies=2 if options.quick else 5, rounds=1 if options.quick else 2)
    _say(options, number, "steady load")
    secs = _QUICK_LATENCY_SECS if options.quick else _LATENCY_SECS
    figures |= measure_latency(stack, python, f"steady_{number}", EVENTS_PER_SEC, secs, f"steady_{number}")
    stack.drop_table(f"steady_{number}")
    return with_ratios(figures)


def _say(options: argparse.Namespace, number: int, what: str) -> None:
    print(f"Run {number} of {options.runs}: {what} ...", flush=True)


def _profile(stack: BenchStack, options: argparse.Namespace) -> int:
    print("Draining under the profiler ...", flush=True)
    context = _context(_details(stack, options, interpreter(options.service_python)))
    del context["Runs"]
    path = profile_drain(stack, options.service_python, _TOPIC, options.events, options.results, context)
    print(f"Written: {path}")
    return 0


def _details(stack: BenchStack, options: argparse.Namespace, python: Mapping[str, Any]) -> dict[str, Any]:
    kind = kind_of(list(islice(backlog_events(_SAMPLE_EVENTS), _SAMPLE_EVENTS)))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "bench.throughput", *_shown(options)]),
        "machine": machine(),
        "service": {"interpreter": _shown_path(options.service_python), **python},
        "kafka": stack.kafka.version,
        "clickhouse": stack.query("SELECT version()"),
        "workload": {
            "events": options.events,
            "mean_bytes": round(kind.mean_bytes, 1),
            "share_with_attributes": round(kind.share_with_attributes, 3),
            "partitions": PARTITIONS,
            "compression": "lz4",
        },
        "runs_made": options.runs,
    }


def _context(details: Mapping[str, Any]) -> dict[str, str]:
    """The details as people read them."""
    box, service, workload = details["machine"], details["service"], details["workload"]
    packages = ", ".join(f"{name} {version}" for name, version in service["packages"].items())
    return {
        "Date": details["date"],
        "Command": f"`{details['command']}`",
        "Machine": f"{box['processor']}, {box['cores']} cores, {box['memory_gb']} GB, {box['system']}",
        "Service": f"Python {service['python']} ({service['interpreter']}), {packages}",
        "Beside it on the same machine": f"Apache Kafka {details['kafka']}, ClickHouse engine {details['clickhouse']}",
        "Workload": f"{workload['events']:,} JSON events of {workload['mean_bytes']:.0f} bytes on average,"
        f" {workload['share_with_attributes']:.0%} of them with keys that have no column;"
        f" {workload['partitions']} partitions, {workload['compression']}, LogAppendTime",
        "Runs": str(details["runs_made"]),
    }


def _shown(options: argparse.Namespace) -> Sequence[str]:
    events = ["--events", str(options.events)]
    return ["--profile", *events] if options.profile else ["--runs", str(options.runs), *events]


def _shown_path(python: str) -> str:
    """An interpreter without the directories that are this machine's affair."""
    path = Path(python)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def _judge(options: argparse.Namespace, details: Mapping[str, Any], runs: Sequence[Figures]) -> int:
    lines = summarise(runs)
    print(f"\n{as_text(lines)}\n")
    if not options.quick:
        store(options.results, _context(details), details, runs)
        print(f"Written: {options.results / 'throughput.md'}, {options.results / 'throughput.json'}")
    sentences = missed(lines)
    for sentence in sentences:
        print(f"Missed: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
