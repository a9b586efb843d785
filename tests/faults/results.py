"""Stores outcomes in a file, one line per stack."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.faults.run import Outcome


class Results:
    """JSON lines in an append-only file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, outcome: Outcome) -> None:
        """Store the outcome of one stack."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as lines:
            lines.write(json.dumps({field.name: getattr(outcome, field.name) for field in fields(outcome)}) + "\n")

    def clear(self) -> None:
        """Forget everything."""
        self._file.unlink(missing_ok=True)

    def merged(self) -> list[Outcome]:
        """One outcome for each fault, in the order in which they were first run."""
        return merge(_read(line) for line in self._file.read_text().splitlines()) if self._file.exists() else []


def merge(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Merge the outcomes of each fault."""
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        found.setdefault(outcome.name, Outcome(outcome.number, outcome.what)).add(outcome)
    return list(found.values())


def _read(line: str) -> Outcome:
    known: dict[str, Any] = json.loads(line)
    return Outcome(**{**known, "problems": Counter(known["problems"])})
