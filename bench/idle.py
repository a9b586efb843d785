"""`python -m bench.idle`: what each process of `make run` costs while little or nothing happens.

Once without logs, once with the sample logs that it sends by default, 20 a second.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.cases import CaseReport, conclude_cases
from bench.command import RESULTS, circumstances_as_context, positive, run, surroundings
from bench.errors import BenchError
from bench.machine import interpreter, others_load
from bench.processes import command_line, cpu_secs, descendants, wake_ups
from bench.report import Measure, Measurements
from local.kafka_jars import DEFAULT_CACHE
from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess

_SECS, _SETTLE_SECS = 180, 60
_QUICK_SECS, _QUICK_SETTLE_SECS = 10, 5
_START_SECS: Final = 180.0
_STOP_SECS: Final = 60.0

_PARTS: Final = {
    "service": ("-m", "app"),
    "engine": ("-m", "local.engine"),
    "broker": ("kafka.Kafka",),
    "sample logs": ("producer.py",),
    "make run itself": ("-m", "local"),
}
"""Arguments, one behind the other, by which each process is recognised."""

_MEASURES: Final = (
    Measure("cpu_at_0", "CPU without logs, % of a core", 2, limit=1),
    Measure("wake_ups_at_0", "Wake-ups/s", 0),
    Measure("cpu_at_20", "CPU with 20 logs/s, % of a core", 2, limit=3),
    Measure("wake_ups_at_20", "Wake-ups/s", 0),
)
_REPORT: Final = CaseReport("idle", "What `make run` costs while it has little to do", "Process", _MEASURES)


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a limit is missed, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description="CPU of the idle stack.")
    parser.add_argument("--secs", type=positive, default=_SECS, help=f"of each measurement (default: {_SECS})")
    parser.add_argument(
        "--settle", type=positive, default=_SETTLE_SECS, help=f"seconds after each start (default: {_SETTLE_SECS})"
    )
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works; nothing is stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.secs, options.settle = _QUICK_SECS, _QUICK_SETTLE_SECS
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    about = {"service": interpreter(sys.executable), "provisional": others_load()}
    at_0 = _used(options, ["--no-samples"])
    at_20 = _used(options, [])
    nothing = dict.fromkeys(("cpu", "wake_ups"), 0.0)
    cases = {
        part: [
            {f"{name}_at_0": value for name, value in at_0.get(part, nothing).items()}
            | {f"{name}_at_20": value for name, value in at_20[part].items()}
        ]
        for part in _PARTS
    }
    shown = ["bench.idle", "--secs", str(options.secs), "--settle", str(options.settle)]
    about |= surroundings(shown)
    return conclude_cases(_REPORT, options, _context(about, options), about, cases)


def _used(options: argparse.Namespace, arguments: list[str]) -> dict[str, Measurements]:
    """What each process used of a core, in percent, and how often it was woken up per second."""
    with _running(arguments) as pid:
        time.sleep(options.settle)
        pids = _pids(pid)
        before, began = {part: (cpu_secs(pid), wake_ups(pid)) for part, pid in pids.items()}, time.monotonic()
        print(f"{', '.join(pids)}: {options.secs} s ...", flush=True)
        time.sleep(options.secs)
        secs = time.monotonic() - began
        return {
            part: {
                "cpu": 100 * (cpu_secs(pid) - before[part][0]) / secs,
                "wake_ups": (wake_ups(pid) - before[part][1]) / secs,
            }
            for part, pid in pids.items()
        }


@contextmanager
def _running(arguments: list[str]) -> Iterator[int]:
    """`make run` in a directory of its own, on free ports, until everything is up; yields its process id."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        ports = {f"LOCAL_{name}_PORT": str(free_port()) for name in ("KAFKA", "CLICKHOUSE", "HTTP")}
        environment = {**os.environ, **ports, "LOCAL_DIR": directory, "LOCAL_CACHE_DIR": str(DEFAULT_CACHE)}
        stack = ChildProcess(
            "make run",
            [sys.executable, "-m", "local", *arguments],
            Path(directory) / "run.log",
            environment=environment,
            directory=ROOT,
        )
        stack.start()
        try:
            stack.wait_until(partial(_is_ready, ports["LOCAL_HTTP_PORT"]), _START_SECS)
            yield stack.pid
        finally:
            stack.stop(_STOP_SECS)


def _is_ready(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/ready", timeout=2):
            return True
    except OSError:
        return False


def _pids(pid: int) -> dict[str, int]:
    """The processes by their names.

    Raises:
        BenchError: the service is not among them.
    """
    found: dict[str, int] = {}
    for each in [pid, *descendants(pid)]:
        command = command_line(each)
        if any(argument.endswith("leash.py") for argument in command):
            continue  # it waits for the end of a process, and does nothing until then
        found |= {part: each for part, words in _PARTS.items() if _has(command, words)}
    if "service" not in found:
        raise BenchError("the service is not running")
    return {part: found[part] for part in _PARTS if part in found}


def _has(command: list[str], words: tuple[str, ...]) -> bool:
    return any(tuple(command[at : at + len(words)]) == words for at in range(len(command)))


def _context(about: Mapping[str, Any], options: argparse.Namespace) -> dict[str, str]:
    return circumstances_as_context(about) | {
        "Measured": f"for {options.secs} s, {options.settle} s after the start; nobody asks the service anything",
        "**Provisional**": about["provisional"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
