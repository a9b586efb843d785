"""Several stacks side by side."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.matrix import all_faults
from tests.faults.run import Outcome, play


def play_many(plays: Iterable[tuple[Fault, range]], directory: Path, seed: int, jobs: int) -> Iterator[Outcome]:
    """Play each fault's blows on a stack of their own, so many stacks at a time. Outcomes come as they are done."""
    context = multiprocessing.get_context("spawn")
    # A process for each stack: what one leaves behind must not reach the next.
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        started = [pool.submit(_play, fault.name, numbers, directory, seed) for fault, numbers in plays]
        for outcome in as_completed(started):
            yield outcome.result()


def _play(name: str, numbers: range, directory: Path, seed: int) -> Outcome:
    [fault] = [fault for fault in all_faults() if fault.name == name]
    return play(fault, numbers, directory, seed)
