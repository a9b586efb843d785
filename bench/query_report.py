"""Summarises timed queries: percentiles by kind and table size, limits, and the results page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from bench.api_client import Sample
from bench.latency import quantile
from bench.report import table, write_results

_LIMIT_MS: Final = 400
_AIM_MS: Final = 100
_AIM_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True)
class Timing:
    """One kind of query on one table; times in milliseconds, the rest on average."""

    samples: int
    p50: float
    p95: float
    p99: float
    most: float
    cold_p50: float | None
    cold_most: float | None
    rows_read: float
    bytes_read: float
    row_count: float
    together_p50: float | None = None
    """Asked by several clients at the same time."""
    together_p99: float | None = None

    def line(self) -> str:
        """One line for the terminal."""
        cold = f", cold p50 {self.cold_p50:.0f} most {self.cold_most:.0f}" if self.cold_p50 is not None else ""
        if self.together_p50 is not None:
            cold += f", side by side p50 {self.together_p50:.1f} p99 {self.together_p99:.1f}"
        return (
            f"p50 {self.p50:.1f} p95 {self.p95:.1f} p99 {self.p99:.1f} most {self.most:.0f} ms{cold};"
            f" read {self.rows_read:,.0f} rows, {self.bytes_read / 1e6:,.2f} MB; {self.row_count:.0f} rows returned"
        )


@dataclass(frozen=True, slots=True)
class Size:
    """All kinds of query on a table of `rows` rows."""

    rows: int
    timings: Mapping[str, Timing]
    bytes_per_row: Mapping[str, float]
    merges_of_a_day: int = 0
    """How often a day of it was merged meanwhile, besides the merges of what was stored."""


def timing(warm: Sequence[Sample], cold: Sequence[Sample], together: Sequence[Sample] = ()) -> Timing:
    """Summarise samples; `together` are those of several clients at the same time."""
    millis = sorted(sample.millis for sample in warm)
    cold_millis = sorted(sample.millis for sample in cold)
    together_millis = sorted(sample.millis for sample in together)
    return Timing(
        samples=len(warm),
        p50=quantile(millis, 0.5),
        p95=quantile(millis, 0.95),
        p99=quantile(millis, 0.99),
        most=millis[-1],
        cold_p50=quantile(cold_millis, 0.5) if cold else None,
        cold_most=cold_millis[-1] if cold else None,
        rows_read=fmean(sample.rows_read for sample in warm),
        bytes_read=fmean(sample.bytes_read for sample in warm),
        row_count=fmean(sample.row_count for sample in warm),
        together_p50=quantile(together_millis, 0.5) if together else None,
        together_p99=quantile(together_millis, 0.99) if together else None,
    )


def report_sizes(
    directory: Path, name: str, about: Mapping[str, Any], sizes: Sequence[Size], *, is_stored: bool
) -> int:
    """Print, and store in files of this name. Returns 1 if a kind exceeds the limit on the largest table."""
    if is_stored:
        content = {**about, "sizes": [asdict(size) for size in sizes]}
        for path in write_results(directory, name, "\n".join(_page(about, sizes)) + "\n", content):
            print(f"Written: {path}")
    slow = {kind: found.p99 for kind, found in sizes[-1].timings.items() if found.p99 > _LIMIT_MS}
    for kind, p99 in slow.items():
        print(f"Missed: {kind}: p99 {p99:.0f} ms, must be at most {_LIMIT_MS}", file=sys.stderr)
    return 1 if slow else 0


def _page(about: Mapping[str, Any], sizes: Sequence[Size]) -> Iterator[str]:
    box = about["machine"]
    yield "# How long queries take"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- Machine: {box['processor']}, {box['cores']} cores, {box['memory_gb']} GB, {box['system']}"
    yield f"- ClickHouse engine {about['clickhouse']}; Python {about['service']['python']}"
    yield f"- Through the HTTP API, one query after another, while {about['events_per_sec_stored_meanwhile']:,}"
    yield "  events/s are sent, stored and merged on the same cores"
    yield f"- Limit for every kind on the largest table: p99 at most {_LIMIT_MS} ms; target: {_AIM_MS} ms, and a p50"
    yield f"  at most {_AIM_GROWTH} times that of the smallest table"
    clients = about.get("concurrency")
    if clients:
        yield f"- In the columns with {clients}, so many clients ask at the same time; half of them have a slot"
    for size in sizes:
        yield ""
        yield f"## {size.rows:,} rows"
        yield ""
        columns, everything = size.bytes_per_row["columns"], size.bytes_per_row["everything"]
        yield f"{everything:.1f} bytes per row on disk, {columns:.1f} of them columns. Times in milliseconds."
        if size.merges_of_a_day:
            yield f"Meanwhile its largest day was merged {size.merges_of_a_day} times."
        yield ""
        headings = ["Query", "p50", "p95", "p99", "Most", "Cold p50", "Rows read", "MB read", "Samples", "Met"]
        headings += [f"p50 with {clients}", f"p99 with {clients}"] if clients else []
        yield from table(headings, [_cells(name, found)[: len(headings)] for name, found in size.timings.items()])
    if len(sizes) > 1:
        yield ""
        yield f"## From {sizes[0].rows:,} to {sizes[-1].rows:,} rows"
        yield ""
        yield from table(("Query", "p50", "p99"), list(_growth(sizes[0], sizes[-1])))


def _cells(name: str, found: Timing) -> tuple[str, ...]:
    cold = "" if found.cold_p50 is None else f"{found.cold_p50:.0f}"
    met = "yes" if found.p99 <= _AIM_MS else "limit" if found.p99 <= _LIMIT_MS else "NO"
    times = (f"{value:.0f}" for value in (found.p50, found.p95, found.p99, found.most))
    read = f"{found.rows_read:,.0f}", f"{found.bytes_read / 1e6:,.1f}"
    together = ("" if value is None else f"{value:.0f}" for value in (found.together_p50, found.together_p99))
    return (name, *times, cold, *read, str(found.samples), met, *together)


def _growth(small: Size, large: Size) -> Iterator[tuple[str, ...]]:
    for name, found in large.timings.items():
        before = small.timings[name]
        yield name, f"{found.p50 / before.p50:.2f}", f"{found.p99 / before.p99:.2f}"
