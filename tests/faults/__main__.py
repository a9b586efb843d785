"""`python -m tests.faults`: runs faults on a real Kafka and the real engine. Exit code 1 if a promise was broken."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from local.paths import ROOT
from tests.faults.fault import Fault
from tests.faults.many import play_many
from tests.faults.matrix import all_faults, impossible_faults
from tests.faults.report import line, page
from tests.faults.results import Results
from tests.faults.run import Outcome, can_be_mixed, soak, stacks

_DIRECTORY = ROOT / ".local/faults"


def main(arguments: list[str]) -> int:
    """Run the selected faults. Each stack's result is saved at once, so that an interrupted run can be completed."""
    options = _parser().parse_args(arguments)
    faults = [fault for fault in all_faults() if _is_meant(fault.name, options.fault)]
    if options.list:
        print("\n".join(f"{fault.name} ({fault.runs} times)" for fault in faults))
        return 0
    results = Results(options.results)
    if options.fresh:
        results.clear()
    directory = _DIRECTORY / f"{os.getpid()}"
    print(f"seed {options.seed}; evidence of failures is kept in {directory}", flush=True)
    is_clean = True
    for outcome in _outcomes(faults, results, options, directory):
        results.add(outcome)
        print(line(outcome), flush=True)
        is_clean &= outcome.is_clean
    if options.write is not None:
        options.write.write_text(page(_in_order(results.merged()), impossible_faults()))
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()
    return 0 if is_clean else 1


def _outcomes(faults: list[Fault], results: Results, options: argparse.Namespace, directory: Path) -> Iterable[Outcome]:
    if options.soak:
        return soak([fault for fault in faults if can_be_mixed(fault)], options.soak, directory, options.seed)
    played = {outcome.name: outcome.runs for outcome in results.merged()} if options.complete else {}
    wanted = {fault.name: 1 if options.quick else options.runs or fault.runs for fault in faults}
    plays = [
        (fault, numbers)
        for fault in faults
        for numbers in stacks(fault, wanted[fault.name] - played.get(fault.name, 0))
    ]
    return play_many(plays, directory, options.seed, options.jobs)


def _in_order(outcomes: list[Outcome]) -> list[Outcome]:
    """Outcomes in the order of the matrix; removed faults are left out, and the soak comes last."""
    names = [fault.name for fault in all_faults()]
    known = [outcome for outcome in outcomes if outcome.name in names]
    soaked = [outcome for outcome in outcomes if outcome.number == "F27"]
    return sorted(known, key=lambda outcome: names.index(outcome.name)) + soaked


def _is_meant(name: str, wanted: list[str]) -> bool:
    """Whether a filter matches: a number such as F18, or a part of the name."""
    number = name.split()[0]
    return not wanted or any(word == number or (word in name and not number.startswith(word)) for word in wanted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--fault", action="append", default=[], help="number (F18) or part of a name; repeatable")
    parser.add_argument(
        "--runs", type=int, default=0, help="how often each fault happens (default: as the matrix says)"
    )
    parser.add_argument("--quick", action="store_true", help="each once")
    parser.add_argument("--soak", type=float, default=0.0, help="run a random mix of faults for this many hours")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--jobs", type=int, default=1, help="parallel stacks; each needs about 2 GB (default: 1)")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000, help="of what is left to chance")
    parser.add_argument(
        "--results", type=Path, default=_DIRECTORY / "results.jsonl", help="file to which every stack adds a line"
    )
    parser.add_argument("--fresh", action="store_true", help="empty that file first")
    parser.add_argument("--complete", action="store_true", help="run only what is missing in that file")
    parser.add_argument("--write", type=Path, help="page to write from the file")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
