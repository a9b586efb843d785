"""Plays a fault: so many blows on a stack, a judgement at its end, evidence kept if it is not clean."""

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
    """What a fault has shown, in one stack or in several."""

    number: str
    what: str
    runs: int = 0
    events: int = 0
    found_stored: int = 0
    """Rows that the service did not send again because it found them in the table: the faults did hit something."""
    problems: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What went wrong, in words, and where the evidence is."""
    days: list[str] = field(default_factory=list)
    """On which it was played."""

    @property
    def name(self) -> str:
        """Number and what happens."""
        return f"{self.number} {self.what}"

    @property
    def is_clean(self) -> bool:
        """Whether everything was as promised."""
        return not self.notes

    def add(self, other: Outcome) -> None:
        """Take in what another stack has shown of the same fault."""
        self.runs += other.runs
        self.events += other.events
        self.found_stored += other.found_stored
        self.problems += other.problems
        self.recoveries += other.recoveries
        self.notes += other.notes
        self.days = sorted({*self.days, *other.days})

    def recovery(self, share: float) -> float:
        """The time in which such a share of the recoveries was done."""
        ordered = sorted(self.recoveries)
        return median(ordered) if share == 0.5 else ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def stacks(fault: Fault, runs: int) -> Iterator[range]:
    """The blows, a range for each stack that is needed for so many."""
    for first in range(0, runs, fault.blows_per_world):
        yield range(first, min(first + fault.blows_per_world, runs))


def play(fault: Fault, numbers: range, directory: Path, seed: int) -> Outcome:
    """Play these blows on a stack of their own, below this directory, and judge them together."""
    outcome = Outcome(fault.number, fault.what, days=[f"{datetime.now(UTC):%Y-%m-%d}"])
    place = directory / _file_name(fault, numbers.start)
    seed += numbers.start
    try:
        with World(place, fault.setup, seed) as world:
            try:
                fault.prepare(world)
                for number in numbers:
                    outcome.recoveries.append(fault.blow(world, number))
                    outcome.runs += 1
                fault.finish(world)
            finally:
                verdict = world.verdict()
                outcome.events += len(world.journal.acknowledged)
                outcome.found_stored += world.found_stored()
                outcome.problems += Counter({name: len(places) for name, places in verdict.problems().items()})
            if verdict.is_clean:
                world.forget_files()
            else:
                outcome.notes.append(f"{verdict.in_words()}; seed {seed}, evidence in {place.name}")
    except Exception as error:  # one fault that fails must not keep the others from being played
        words = str(error).replace(str(place), place.name)  # where the project lies is nobody's business
        outcome.notes.append(f"{type(error).__name__}: {words}; seed {seed}, evidence in {place.name}")
    return outcome


def soak(faults: Sequence[Fault], hours: float, directory: Path, seed: int) -> Iterator[Outcome]:
    """Play a random mix for so long, twenty blows to a stack. Yields what each stack showed."""
    ends_at = time.monotonic() + hours * 3600
    chance = random.Random(seed)
    while time.monotonic() < ends_at:
        chosen = [chance.choice(faults) for _ in range(_SOAK_BLOWS)]

        def blow(world: World, number: int, chosen: Sequence[Fault] = chosen) -> float:
            return chosen[number].blow(world, number)

        mix = Fault("F27", f"a random mix for {hours:g} h", blow, Setup(is_proxied=True))
        yield play(mix, range(_SOAK_BLOWS), directory, chance.randrange(1 << 30))


def can_be_mixed(fault: Fault) -> bool:
    """Whether it needs nothing but the proxies."""
    return fault.prepare is fault.finish is nothing and replace(fault.setup, is_proxied=False) == USUAL


def _file_name(fault: Fault, first: int) -> str:
    words = "".join(char if char.isalnum() else "-" for char in fault.name)
    return f"{words[:60]}-{first}-{time.time_ns() % 10**9}"
