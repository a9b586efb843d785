"""The delivery guarantee that follows from the findings of the preflight check."""

from collections.abc import Iterable

from msgspec import Struct

from app.preflight.findings import Finding, Level


class Guarantee(Struct, frozen=True):
    """Whether each row is stored exactly once; `doubts` are the reasons why it may not be, a sentence each."""

    doubts: tuple[str, ...]

    @property
    def is_exactly_once(self) -> bool:
        """Whether there is no reason for doubt."""
        return not self.doubts

    def __str__(self) -> str:
        return "exactly once" if self.is_exactly_once else "not exactly once: see `python -m app check`"


def guarantee(findings: Iterable[Finding]) -> Guarantee:
    """The guarantee. Only problems void it; a warning names a risk that the guarantee excludes."""
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    return Guarantee(tuple(f"{problem.about}: {problem.found}" for problem in problems))
