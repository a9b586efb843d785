"""Runs a fault: blows on a stack, verification at the end, evidence kept on failure."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.faults.fault import Fault, nothing
from tests.faults.world import USUAL, Setup, World

_SOAK_BLOWS = 20


@dataclass(slots=True)
class Outcome:
    """The outcome of a fault, in one stack or in several."""

    number: str
    what: str
    runs: int = 0
    events: int = 0
    found_stored: int = 0
    """Rows that the service found in the table and did not send again: proof that faults hit inserts."""
    problems: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Failures in words, and where the evidence is."""
    days: list[str] = field(default_factory=list)
    """On which it was played."""

    @property
    def name(self) -> str:
        """Number and what happens."""
        return f"{self.number} {self.what}"

    @property
    def is_clean(self) -> bool:
        """Whether all promises were kept."""
        return not self.notes

    def add(self, other: Outcome) -> None:
        """Add the outcome of another stack of the same fault."""
        self.runs += other.runs
        self.events += other.events
        self.found_stored += other.found_stored
        self.problems += other.problems
        self.recoveries += other.recoveries
        self.notes += other.notes
        self.days = sorted({*self.days, *other.days})

    def recovery(self, share: float) -> float:
        """The quantile of the recovery times."""
        ordered = sorted(self.recoveries)
        return median(ordered) if share == 0.5 else ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def stacks(fault: Fault, runs: int) -> Iterator[range]:
    """The numbers of the blows, one range per stack."""
    for first in range(0, runs, fault.blows_per_world):
        yield range(first, min(first + fault.blows_per_world, runs))


def play(fault: Fault, numbers: range, directory: Path, seed: int) -> Outcome:
    """Run these blows on a new stack below this directory, and verify the result."""
    outcome = Outcome(fault.number, fault.what, days=[f"{datetime.now(UTC):%Y-%m-%d}"])
    stack_directory = directory / _file_name(fault, numbers.start)
    seed += numbers.start
    try:
        with World(stack_directory, fault.setup, seed) as world:
            try:
                fault.prepare(world)
                for number in numbers:
                    outcome.recoveries.append(fault.blow(world, number))
                    outcome.runs += 1
                fault.finish(world)
            finally:
                verdict = world.verdict()
                outcome.events += world.events
                outcome.found_stored += world.found_stored()
                outcome.problems += Counter({name: len(record_ids) for name, record_ids in verdict.problems().items()})
            if verdict.is_clean:
                world.forget_files()
            else:
                outcome.notes.append(f"{verdict.in_words()}; seed {seed}, evidence in {stack_directory.name}")
    except Exception as error:  # a failing fault must not stop the others
        words = str(error).replace(str(stack_directory), stack_directory.name)  # without paths of this machine
        outcome.notes.append(f"{type(error).__name__}: {words}; seed {seed}, evidence in {stack_directory.name}")
    return outcome


def soak(faults: Sequence[Fault], hours: float, directory: Path, seed: int) -> Iterator[Outcome]:
    """Run a random mix for `hours`, twenty blows per stack. Yields the outcome of each stack."""
    ends_at = time.monotonic() + hours * 3600
    rng = random.Random(seed)
    while time.monotonic() < ends_at:
        chosen = [rng.choice(faults) for _ in range(_SOAK_BLOWS)]

        def blow(world: World, number: int, chosen: Sequence[Fault] = chosen) -> float:
            return chosen[number].blow(world, number)

        mix = Fault("F27", f"a random mix for {hours:g} h", blow, Setup(is_proxied=True))
        yield play(mix, range(_SOAK_BLOWS), directory, rng.randrange(1 << 30))


def can_be_mixed(fault: Fault) -> bool:
    """Whether a fault needs only the proxies."""
    return fault.prepare is fault.finish is nothing and replace(fault.setup, is_proxied=False) == USUAL


def _file_name(fault: Fault, first: int) -> str:
    words = "".join(char if char.isalnum() else "-" for char in fault.name)
    return f"{words[:60]}-{first}-{time.time_ns() % 10**9}"
