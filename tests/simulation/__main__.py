"""`python -m tests.simulation`: runs many seeds on all cores. The last line has the counts; 1 if any seed failed."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.simulation.many import play_many
from tests.simulation.mutations import MUTATIONS
from tests.simulation.run import FIRST_REMOVING_SEED, Outcome

_TELL_EVERY_SECS = 10.0


def main(arguments: list[str]) -> int:
    """Run the seeds, or find the first seed that detects each mutation."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--seeds", type=int, default=2_000, help="how many (default: 2000)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--mutations", action="store_true", help="find the first seed that detects each mutation")
    options = parser.parse_args(arguments)
    seeds = _seeds(options.first_seed, options.seeds)
    if options.mutations:
        return _find_seeds(seeds)
    return _report(len(seeds), play_many(seeds))


def _seeds(first: int, count: int) -> Sequence[int]:
    """Of five seeds one has removals and reprocessing."""
    plain = count * 4 // 5
    removing = range(FIRST_REMOVING_SEED + first, FIRST_REMOVING_SEED + first + count - plain)
    return [*range(first, first + plain), *removing]


def _report(count: int, outcomes: Iterable[Outcome]) -> int:
    happened: Counter[str] = Counter()
    played = failed = records = 0
    told_at = started_at = time.monotonic()
    for outcome in outcomes:
        played += 1
        records += outcome.records
        happened += outcome.happened
        if outcome.problem:
            failed += 1
            print(f"seed {outcome.seed}: {outcome.problem[:500]}", flush=True)
        if time.monotonic() - told_at >= _TELL_EVERY_SECS:
            told_at = time.monotonic()
            print(f"{played} of {count} seeds played, {failed} failed", flush=True)
    for name, times in happened.most_common():
        print(f"{times:>10}  {name}")
    secs = time.monotonic() - started_at
    print(f"{played} seeds with {records} records and {happened.total()} faults took {secs:.0f} s")
    print(f"{played - failed} passed, {failed} failed")
    return 1 if failed else 0


def _find_seeds(seeds: Sequence[int]) -> int:
    unseen = 0
    for mutation in MUTATIONS:
        found = next((outcome for outcome in play_many(seeds, mutation.parts) if outcome.problem), None)
        unseen += found is None
        print(
            f"{mutation.name}: {'NOT NOTICED' if found is None else f'seed {found.seed}: {found.problem[:100]}'}",
            flush=True,
        )
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
