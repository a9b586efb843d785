"""A fault: its name, its action, and the stack it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.world import USUAL, Setup, World

Blow = Callable[[World, int], float]
"""Injects the fault once, for the n-th time in this world, and waits for the recovery; returns its seconds. Raises if
the fault could not be injected, so that a fault that never happened is no success."""


def nothing(_world: World) -> None:
    """Do nothing; for faults without preparation."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the matrix."""

    number: str
    what: str
    blow: Blow
    setup: Setup = USUAL
    runs: int = 20
    """How often in the whole matrix, by default."""
    blows_per_world: int = 20
    """Blows per run of a stack, verified together at its end."""
    prepare: Callable[[World], None] = nothing
    finish: Callable[[World], None] = nothing
    """Runs before the verification, to check what the blows alone do not show."""

    @property
    def name(self) -> str:
        """Number and what happens."""
        return f"{self.number} {self.what}"


@dataclass(frozen=True, slots=True)
class Impossible:
    """A fault that cannot run here."""

    number: str
    what: str
    reason: str
