"""Summarises the measurements of all runs: medians, limits, and tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

Measurements = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure with its label; `limit` is the limit of its values."""

    name: str
    label: str
    digits: int
    limit: float | None = None
    is_least: bool = False
    """The limit is a minimum, not a maximum."""
    is_aim: bool = False
    """The limit is a target: missing it is shown but is no failure."""
    is_exact: bool = False
    """The limit applies to every run, not to the median."""

    def is_met(self, value: float) -> bool:
        """Whether a value is within the limit."""
        if self.limit is None:
            return True
        return value >= self.limit if self.is_least else value <= self.limit

    def wanted(self) -> str:
        """The limit in words."""
        if self.limit is None:
            return ""
        bound = "least" if self.is_least else "most"
        return f"{'aim: ' if self.is_aim else ''}at {bound} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a command: name of its files, title and measures."""

    name: str
    title: str
    measures: Sequence[Measure]
    repeats: str
    """Plural name of the repetitions, such as "Pairs"."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measure over all runs."""

    measure: Measure
    median: float
    least: float
    most: float

    @property
    def is_met(self) -> bool:
        """Whether the limit is met: by the median, or by every run if the measure is exact."""
        if self.measure.is_exact:
            return self.measure.is_met(self.least) and self.measure.is_met(self.most)
        return self.measure.is_met(self.median)

    def cells(self) -> tuple[str, str, str, str, str]:
        """Label, median, range, limit, and whether it is met."""
        measure = self.measure
        verdict = "" if measure.limit is None else "yes" if self.is_met else "NO"
        low, high = (f"{value:,.{measure.digits}f}" for value in (self.least, self.most))
        return measure.label, f"{self.median:,.{measure.digits}f}", f"{low} to {high}", measure.wanted(), verdict


def summarise(measures: Sequence[Measure], runs: Sequence[Measurements]) -> list[Line]:
    """Median and range of every measure."""
    lines = []
    for measure in measures:
        values = [run[measure.name] for run in runs]
        lines.append(Line(measure, median(values), min(values), max(values)))
    return lines


def missed(lines: Sequence[Line]) -> list[str]:
    """A sentence for each required limit that was missed; targets are left out."""
    return [
        f"{line.measure.label}: {line.cells()[1]} ({line.cells()[2]}), must be {line.measure.wanted()}"
        for line in lines
        if not line.is_met and not line.measure.is_aim
    ]


HEADINGS = ("Measure", "Median", "Range", "Wanted", "Met")


def as_text(lines: Sequence[Line]) -> str:
    """A table for the terminal."""
    rows = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if column == 1 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def as_markdown(title: str, context: Mapping[str, str], lines: Sequence[Line]) -> str:
    """A page with the context and the table."""
    return "\n".join(
        [
            f"# {title}",
            "",
            *(f"- {name}: {value}" for name, value in context.items()),
            "",
            *table(HEADINGS, [line.cells() for line in lines]),
            "",
        ]
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a markdown table; the second column holds numbers."""
    yield f"| {' | '.join(headings)} |"
    yield f"| {' | '.join('--:' if column == 1 else '---' for column in range(len(headings)))} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def store(
    directory: Path,
    report: Report,
    context: Mapping[str, str],
    details: Mapping[str, Any],
    runs: Sequence[Measurements],
) -> tuple[Path, Path]:
    """Write a page and a JSON file with every run; returns their paths."""
    lines = summarise(report.measures, runs)
    content = {
        **details,
        "median": {line.measure.name: line.median for line in lines},
        "limits": [asdict(line.measure) | {"is_met": line.is_met} for line in lines if line.measure.limit is not None],
        "runs": runs,
    }
    return write_results(directory, report.name, as_markdown(report.title, context, lines), content)


def write_results(directory: Path, name: str, page: str, content: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write a page and a JSON file of this name; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = directory / f"{name}.md", directory / f"{name}.json"
    paths[0].write_text(page)
    paths[1].write_text(json.dumps(content, indent=2) + "\n")
    return paths
