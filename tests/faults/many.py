"""Runs several stacks in parallel."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.matrix import all_faults
from tests.faults.run import Outcome, play


def play_many(plays: Iterable[tuple[Fault, range]], directory: Path, seed: int, jobs: int) -> Iterator[Outcome]:
    """Run the blows of each fault on separate stacks, `jobs` at a time. Yields outcomes as they complete."""
    context = multiprocessing.get_context("spawn")
    # A process per stack, so that leftovers of one do not affect the next.
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        started = [pool.submit(_play, fault.name, numbers, directory, seed) for fault, numbers in plays]
        for outcome in as_completed(started):
            yield outcome.result()


def _play(name: str, numbers: range, directory: Path, seed: int) -> Outcome:
    [fault] = [fault for fault in all_faults() if fault.name == name]
    return play(fault, numbers, directory, seed)
