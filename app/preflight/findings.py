"""The findings of a check, and their text for people."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    """How a check ended. Only a problem makes the exit code 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


class Finding(Struct, frozen=True):
    """One line: what was checked, what was found, and, after an arrow, what to do about it."""

    level: Level
    about: str
    found: str
    advice: str = ""

    def __str__(self) -> str:
        text = f"{self.found.rstrip('.')} -> {self.advice}" if self.advice else self.found
        return f"  {self.level:<8} {self.about:<18} {' '.join(text.split())}"


def ok(about: str, found: str) -> Finding:
    """As it should be."""
    return Finding(Level.OK, about, found)


def warning(about: str, found: str, advice: str = "") -> Finding:
    """The service works, but less well or less safely than it could."""
    return Finding(Level.WARNING, about, found, advice)


def problem(about: str, found: str, advice: str = "") -> Finding:
    """The service would not work, or would not store each row exactly once."""
    return Finding(Level.PROBLEM, about, found, advice)


def skipped(about: str, found: str) -> Finding:
    """Not checked, because an earlier check failed."""
    return Finding(Level.SKIPPED, about, found)


def exit_code(findings: Iterable[Finding]) -> int:
    """1 if there is a problem, else 0."""
    return int(any(finding.level is Level.PROBLEM for finding in findings))


def summary(findings: Iterable[Finding]) -> str:
    """The last line: the number of findings of each level, and a conclusion."""
    counts = Counter(finding.level for finding in findings)
    numbers = [f"{counts[Level.OK]} ok", _counted(counts[Level.WARNING], "warning")]
    numbers.append(_counted(counts[Level.PROBLEM], "problem"))
    if counts[Level.SKIPPED]:
        numbers.append(f"{counts[Level.SKIPPED]} skipped")
    if counts[Level.PROBLEM]:
        verdict = "Fix the problems, then check again."
    elif counts[Level.WARNING]:
        verdict = "The service can run; the warnings show where it could be safer."
    else:
        verdict = "The service can run."
    return f"{', '.join(numbers)}. {verdict}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
