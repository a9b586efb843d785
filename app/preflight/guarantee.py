"""What can be promised of delivery, given what the doctor found."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.preflight.findings import Finding, Level


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Whether each row is stored exactly once, and what speaks against it, a sentence each."""

    doubts: tuple[str, ...]

    @property
    def is_exactly_once(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.doubts

    def __str__(self) -> str:
        return "exactly once" if self.is_exactly_once else "not exactly once: see `python -m app check`"


def guarantee(findings: Iterable[Finding]) -> Guarantee:
    """Only what the doctor calls a problem takes the promise away; a warning names a risk that the promise excludes."""
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    return Guarantee(tuple(f"{problem.about}: {problem.found}" for problem in problems))
