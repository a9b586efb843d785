"""The figures of all runs: their medians, what they are held to, and how people read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure as people read it; `limit` is what it is held to."""

    name: str
    label: str
    digits: int
    limit: float | None = None
    is_least: bool = False
    """The limit is the least that will do, not the most."""
    is_aim: bool = False
    """To miss the limit is worth saying, but no failure."""
    is_exact: bool = False
    """Every run is held to the limit, not the median."""

    def is_met(self, value: float) -> bool:
        """Whether a value keeps the limit."""
        if self.limit is None:
            return True
        return value >= self.limit if self.is_least else value <= self.limit

    def wanted(self) -> str:
        """The limit in words."""
        if self.limit is None:
            return ""
        bound = "least" if self.is_least else "most"
        return f"{'aim: ' if self.is_aim else ''}at {bound} {self.limit:g}"


MEASURES: Final = (
    Measure("service_events_per_sec", "Service: events/s, first read to last stored", 0),
    Measure("service_events_per_sec_first_to_last_stored", "Service: events/s, first stored to last stored", 0),
    Measure("bare_events_per_sec", "Bare kafka-python loop that only counts: events/s", 0),
    Measure("engine_json_rows_per_sec", "Engine alone, JSONEachRow: rows/s", 0),
    Measure("engine_arrow_rows_per_sec", "Engine alone, Arrow as the service sends it: rows/s", 0),
    Measure("ratio_to_bare_loop", "Service / bare loop", 2, limit=0.6, is_least=True, is_aim=True),
    Measure("ratio_to_engine_limit", "Service / engine alone (JSONEachRow)", 2),
    Measure("service_cpu_secs_per_million", "Service: CPU s per million events", 2, limit=12),
    Measure("service_cpu_secs_per_million_with_start", "Service: the same with its start", 2),
    Measure("bare_cpu_secs_per_million", "Bare loop: CPU s per million events", 2),
    Measure("engine_cpu_secs_per_million", "Engine: CPU s per million events", 2),
    Measure("engine_json_cpu_secs_per_million", "Engine alone, JSONEachRow: CPU s per million rows", 2),
    Measure("engine_arrow_cpu_secs_per_million", "Engine alone, Arrow: CPU s per million rows", 2),
    Measure("kafka_cpu_secs_per_million", "Kafka broker: CPU s per million events", 2),
    Measure("service_peak_memory_mb", "Service: peak resident memory, MB", 0, limit=300),
    Measure("rows_missing", "Events not in the table", 0, limit=0, is_exact=True),
    Measure("rows_twice", "Rows stored more than once", 0, limit=0, is_exact=True),
    Measure("latency_sent_per_sec", "Steady load: events/s sent", 0),
    Measure("latency_p50_secs", "Steady load: event to stored, p50, s", 2),
    Measure("latency_p99_secs", "Steady load: event to stored, p99, s", 2, limit=1.5),
    Measure("latency_max_secs", "Steady load: event to stored, max, s", 2),
    Measure(
        "latency_share_within_limit_by_service",
        "Steady load: share within 1.5 s by the service's own histogram",
        4,
        limit=0.99,
        is_least=True,
    ),
    Measure("latency_rows_missing", "Steady load: events not in the table", 0, limit=0, is_exact=True),
    Measure("latency_rows_twice", "Steady load: rows stored more than once", 0, limit=0, is_exact=True),
)


def with_ratios(run: Figures) -> Figures:
    """The figures of a run and what they are to each other."""
    service = run["service_events_per_sec"]
    return run | {
        "ratio_to_bare_loop": service / run["bare_events_per_sec"],
        "ratio_to_engine_limit": service / run["engine_json_rows_per_sec"],
    }


@dataclass(frozen=True, slots=True)
class Line:
    """One measure over all runs."""

    measure: Measure
    median: float
    least: float
    most: float

    @property
    def is_met(self) -> bool:
        """Whether the limit is kept: by the median, or by every run where nothing else will do."""
        if self.measure.is_exact:
            return self.measure.is_met(self.least) and self.measure.is_met(self.most)
        return self.measure.is_met(self.median)

    def cells(self) -> tuple[str, str, str, str, str]:
        """What it measures, median, range, what it is held to, and whether it keeps it."""
        measure = self.measure
        verdict = "" if measure.limit is None else "yes" if self.is_met else "NO"
        low, high = (f"{value:,.{measure.digits}f}" for value in (self.least, self.most))
        return measure.label, f"{self.median:,.{measure.digits}f}", f"{low} to {high}", measure.wanted(), verdict


def summarise(runs: Sequence[Figures]) -> list[Line]:
    """Median and range of every measure."""
    lines = []
    for measure in MEASURES:
        values = [run[measure.name] for run in runs]
        lines.append(Line(measure, median(values), min(values), max(values)))
    return lines


def missed(lines: Sequence[Line]) -> list[str]:
    """A sentence for each limit that must be kept and was not; aims are not among them."""
    return [
        f"{line.measure.label}: {line.cells()[1]} ({line.cells()[2]}), must be {line.measure.wanted()}"
        for line in lines
        if not line.is_met and not line.measure.is_aim
    ]


_HEADINGS = ("Measure", "Median", "Range", "Wanted", "Met")


def as_text(lines: Sequence[Line]) -> str:
    """A table for the terminal."""
    rows = [_HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if column == 1 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def as_markdown(title: str, context: Mapping[str, str], lines: Sequence[Line]) -> str:
    """A page: in which circumstances, and the table."""
    return "\n".join(
        [
            f"# {title}",
            "",
            *(f"- {name}: {value}" for name, value in context.items()),
            "",
            *table(_HEADINGS, [line.cells() for line in lines]),
            "",
        ]
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a markdown table; the second column is of numbers."""
    yield f"| {' | '.join(headings)} |"
    yield f"| {' | '.join('--:' if column == 1 else '---' for column in range(len(headings)))} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def store(directory: Path, context: Mapping[str, str], details: Mapping[str, Any], runs: Sequence[Figures]) -> None:
    """Write throughput.json and throughput.md."""
    lines = summarise(runs)
    directory.mkdir(parents=True, exist_ok=True)
    content = {
        **details,
        "median": {line.measure.name: line.median for line in lines},
        "limits": [asdict(line.measure) | {"is_met": line.is_met} for line in lines if line.measure.limit is not None],
        "runs": runs,
    }
    (directory / "throughput.json").write_text(json.dumps(content, indent=2) + "\n")
    (directory / "throughput.md").write_text(as_markdown("Throughput and latency", context, lines))
