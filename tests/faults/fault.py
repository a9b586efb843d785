"""What a fault is: a name, one blow, and what the world must be like for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.world import USUAL, Setup, World

Blow = Callable[[World, int], float]
"""Does it once, the n-th time in this world, and waits for the recovery: the seconds that this took. Raises when it
could not be done, so that a fault that never happened is no success."""


def nothing(_world: World) -> None:
    """What most faults need before and after their blows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the matrix."""

    number: str
    what: str
    blow: Blow
    setup: Setup = USUAL
    runs: int = 20
    """How often in the whole matrix, unless it is told otherwise."""
    blows_per_world: int = 20
    """So many in one run of the stack, judged together at its end."""
    prepare: Callable[[World], None] = nothing
    finish: Callable[[World], None] = nothing
    """Before the judgement: what the blows alone do not show to have happened."""

    @property
    def name(self) -> str:
        """Number and what happens."""
        return f"{self.number} {self.what}"


@dataclass(frozen=True, slots=True)
class Impossible:
    """A row of the matrix that cannot be played here."""

    number: str
    what: str
    reason: str
