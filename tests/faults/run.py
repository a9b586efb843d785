"""Plays a fault: stacks of so many blows, a judgement at the end of each, evidence kept if it is not clean."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.faults.fault import Fault, nothing
from tests.faults.world import USUAL, Setup, World

_SOAK_BLOWS = 20


@dataclass(slots=True)
class Outcome:
    """What a fault showed so far."""

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

    @property
    def is_clean(self) -> bool:
        """Whether everything was as promised."""
        return not self.notes

    def recovery(self, share: float) -> float:
        """The time in which such a share of the recoveries was done."""
        ordered = sorted(self.recoveries)
        return median(ordered) if share == 0.5 else ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def play(fault: Fault, runs: int, directory: Path, seed: int) -> Iterator[Outcome]:
    """Play it so often. Yields what it showed after each stack."""
    outcome = Outcome(fault.number, fault.what)
    first = 0
    while first < runs:
        count = min(fault.blows_per_world, runs - first)
        _play_world(fault, range(first, first + count), directory / _file_name(fault, first), seed + first, outcome)
        first += count
        yield outcome


def soak(faults: Sequence[Fault], hours: float, directory: Path, seed: int) -> Iterator[Outcome]:
    """Play a random mix for so long, twenty blows to a stack. Yields what it showed after each stack."""
    outcome = Outcome("F27", f"a random mix for {hours:g} h")
    ends_at = time.monotonic() + hours * 3600
    chance = random.Random(seed)
    while time.monotonic() < ends_at:
        chosen = [chance.choice(faults) for _ in range(_SOAK_BLOWS)]

        def blow(world: World, number: int, chosen: Sequence[Fault] = chosen) -> float:
            return chosen[number].blow(world, number)

        mix = Fault(outcome.number, outcome.what, blow, Setup(is_proxied=True))
        _play_world(
            mix, range(_SOAK_BLOWS), directory / _file_name(mix, outcome.runs), chance.randrange(1 << 30), outcome
        )
        yield outcome


def can_be_mixed(fault: Fault) -> bool:
    """Whether it needs nothing but the proxies."""
    return fault.prepare is fault.finish is nothing and replace(fault.setup, is_proxied=False) == USUAL


def _play_world(fault: Fault, numbers: range, directory: Path, seed: int, outcome: Outcome) -> None:
    try:
        with World(directory, fault.setup, seed) as world:
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
                outcome.notes.append(f"{verdict.in_words()}; seed {seed}, see {directory}")
    except Exception as error:  # one fault that fails must not keep the others from being played
        outcome.notes.append(f"{type(error).__name__}: {error}; seed {seed}, see {directory}")


def _file_name(fault: Fault, first: int) -> str:
    words = "".join(char if char.isalnum() else "-" for char in fault.name)
    return f"{words[:60]}-{first}-{time.time_ns() % 10**9}"
