"""`python -m tests.faults`: plays faults on a real Kafka and the real engine. 1 if anything was not as promised."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from local.service import ROOT
from tests.faults.matrix import all_faults, impossible_faults
from tests.faults.report import line, page
from tests.faults.run import Outcome, can_be_mixed, play, soak

_DIRECTORY = ROOT / ".local/faults"


def main(arguments: list[str]) -> int:
    """Play what was asked for; after each stack the page is written, so that an interrupted run keeps what it has."""
    options = _parser().parse_args(arguments)
    faults = [fault for fault in all_faults() if _is_meant(fault.name, options.fault)]
    if options.list:
        print("\n".join(f"{fault.name} ({fault.runs} times)" for fault in faults))
        return 0
    directory = _DIRECTORY / f"{os.getpid()}"
    print(f"seed {options.seed}; what is not clean leaves its evidence in {directory}", flush=True)
    outcomes: list[Outcome] = []
    if options.soak:
        plays = [soak([fault for fault in faults if can_be_mixed(fault)], options.soak, directory, options.seed)]
    else:
        times = [1 if options.quick else options.runs or fault.runs for fault in faults]
        plays = [play(fault, runs, directory, options.seed) for fault, runs in zip(faults, times, strict=True)]
    for one in plays:
        outcomes += _told_as_it_goes(one, outcomes, options.write, f"python -m tests.faults {' '.join(arguments)}")
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1


def _told_as_it_goes(
    play: Iterator[Outcome], before: Sequence[Outcome], file: Path | None, command: str
) -> list[Outcome]:
    outcome = None
    for outcome in play:
        print(line(outcome), flush=True)
        if file is not None:
            file.write_text(page([*before, outcome], impossible_faults(), command.strip()))
    return [outcome] if outcome is not None else []


def _is_meant(name: str, wanted: list[str]) -> bool:
    """A number, F18, or a part of the name."""
    number = name.split()[0]
    return not wanted or any(word == number or (word in name and not number.startswith(word)) for word in wanted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--fault", action="append", default=[], help="number (F18) or part of a name; repeatable")
    parser.add_argument(
        "--runs", type=int, default=0, help="how often each fault happens (default: as the matrix says)"
    )
    parser.add_argument("--quick", action="store_true", help="each once")
    parser.add_argument("--soak", type=float, default=0.0, help="a random mix of them, for so many hours")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000, help="of what is left to chance")
    parser.add_argument("--write", type=Path, help="page to write, after each stack")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
