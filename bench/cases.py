"""Results with a line for each case, such as a kind of message or a number of workers: medians, limits, files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.command import RESULTS
from bench.loads_page import PAGE, write_page
from bench.report import Line, Measure, Measurements, missed, summarise, table, write_results

Cases = Mapping[str, Sequence[Measurements]]
"""The runs of each case, by its name."""


@dataclass(frozen=True, slots=True)
class CaseReport:
    """The report of a command: name of its files, title, what a case is, and a column for each measure."""

    name: str
    title: str
    case: str
    measures: Sequence[Measure]


def conclude_cases(
    report: CaseReport,
    options: argparse.Namespace,
    context: Mapping[str, str],
    details: Mapping[str, Any],
    cases: Cases,
) -> int:
    """Print the results, and store them unless `--quick` was given. Returns 1 if a required limit was missed."""
    lines = {case: summarise(report.measures, runs) for case, runs in cases.items()}
    headings, rows = _headings(report), list(_rows(lines))
    page = "\n".join(
        [
            f"# {report.title}",
            "",
            *(f"- {name}: {text}" for name, text in context.items() if text),
            "",
            *table(headings, rows),
            "",
        ]
    )
    print(f"\n{page}")
    if not options.quick:
        medians = {case: {line.measure.name: line.median for line in found} for case, found in lines.items()}
        content = {**details, "median": medians, "table": {"headings": headings, "rows": rows}, "runs": cases}
        paths = write_results(options.results, report.name, page, content)
        for path in (*paths, *(write_page(RESULTS, PAGE) if options.results == RESULTS else ())):
            print(f"Written: {path}")
    sentences = [f"{case}: {sentence}" for case, found in lines.items() for sentence in missed(found)]
    for sentence in sentences:
        print(f"Missed: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def _headings(report: CaseReport) -> list[str]:
    return [report.case, *map(_heading, report.measures)]


def _heading(measure: Measure) -> str:
    return measure.label if measure.limit is None else f"{measure.label} ({measure.wanted()})"


def _rows(lines: Mapping[str, Sequence[Line]]) -> Iterator[list[str]]:
    for case, found in lines.items():
        yield [case, *(f"{line.cells()[1]}{'' if line.is_met else ' **missed**'}" for line in found)]
