"""What `bench.compare_peers` found: results, and docs/performance.md with its charts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.peer_drain import SERVICE_FULL, SERVICE_PLAIN, SINKER_PLAIN
from bench.report import Measurements, table, write_results
from bench.svg_bars import Group, bars
from local.paths import ROOT

NAME: Final = "compare_peers"
PAGE: Final = ROOT / "docs" / "performance.md"

Part = dict[str, Any]
"""`about` says when, how and on what it was measured; ingestion has `runs`, queries have `sizes`."""

_INGESTION: Final = (
    ("rows_per_sec", "Rows/s, first to last row", 0),
    ("rows_per_sec_from_start", "Rows/s, start to last row", 0),
    ("cpu_secs_per_million", "CPU s per million, with its start", 2),
    ("cpu_secs_per_million_steady", "CPU s per million, first to last row", 2),
    ("peak_memory_mb", "Peak resident memory, MB", 0),
    ("engine_cpu_secs_per_million", "Engine: CPU s per million, to the last row", 2),
    ("engine_cpu_secs_per_million_merged", "Engine: the same with all merges", 2),
    ("rows_missing", "Rows lost, all rounds", 0),
    ("rows_twice", "Rows doubled, all rounds", 0),
)
_EXACT: Final = ("rows_missing", "rows_twice")
_INGESTION_CHART, _QUERY_CHART = "peers-ingestion.svg", "peers-queries-{rows}.svg"

_INTRODUCTION: Final = """\
# Performance beside others

`bench.compare_peers` writes this page. Everything ran on one machine in one run, one program after the other in turns,
so compare figures within a table, and ratios between machines. Each is the median of the rounds. `make peers` gets the
programs (it needs Go); each command below repeats its section. All other measurements: [bench](../bench/README.md).
"""
_ABOUT_INGESTION: Final = """\
A topic of 4 partitions is filled; then each program in turn reads it with a new group into a new table.
clickhouse_sinker delivers at least once, into a table without indexes; the service delivers exactly once, into its
full table (text index, projections) and into one with the same columns and none of these. "Engine" is the ClickHouse
that all write to. "With all merges": until everything is one part per partition of the table, so that work left for
later counts too. The processes share the cores with the broker and the engine.
"""
_ABOUT_QUERIES: Final = """\
Both hold the same rows ([history.py](../bench/history.py)) and get the same questions over HTTP, in turn, serially and
warm, while nothing is stored. VictoriaLogs has one stream per service. Words are found whatever their case, `i(word)`
there; "case-sensitive there" is its default, which finds less and is answered from its filters. Times in milliseconds;
a ratio below 1 means that the service is faster.
"""


def read_parts(directory: Path) -> dict[str, Part]:
    """The parts that were stored before; empty if there are none."""
    path = directory / f"{NAME}.json"
    found: dict[str, Part] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write_report(results: Path, page: Path, parts: Mapping[str, Part]) -> Sequence[Path]:
    """Write the results and the page with its charts; returns the paths."""
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    charts = dict(_charts(parts))
    for name, chart in charts.items():
        (images / name).write_text(chart)
    page.write_text("\n".join(_page(parts)))
    content = {name: part | {"summary": summary(name, part)} for name, part in parts.items()}
    tables = "\n".join(_tables(parts)) + "\n"
    return [*write_results(results, NAME, tables, content), page, *(images / name for name in charts)]


def summary(name: str, part: Part) -> dict[str, Any]:
    """The medians of a part, with the ratios to the peer."""
    if name == "ingestion":
        return {"medians": _medians_of(part["runs"]), "ratios": ingestion_ratios(part["runs"])}
    return {str(size["rows"]): _medians_of(size["kinds"]) for size in part["sizes"]}


def ingestion_ratios(runs: Mapping[str, Sequence[Measurements]]) -> dict[str, Measurements]:
    """The service's figures divided by clickhouse_sinker's of the same round: the median, by way and measure."""
    if SINKER_PLAIN not in runs:
        return {}
    names = [name for name, *_ in _INGESTION if name not in _EXACT]
    return {
        way: {name: median(_quotients(runs[way], runs[SINKER_PLAIN], name)) for name in names}
        for way in (SERVICE_FULL, SERVICE_PLAIN)
    }


def _quotients(mine: Sequence[Measurements], theirs: Sequence[Measurements], name: str) -> Iterator[float]:
    for own, other in zip(mine, theirs, strict=True):
        yield own[name] / (other[name] or 1e-9)


def _medians_of(runs: Mapping[str, Sequence[Measurements]]) -> dict[str, Measurements]:
    return {
        name: {key: (max if key in _EXACT else median)(measurements[key] for measurements in found) for key in found[0]}
        for name, found in runs.items()
    }


def _page(parts: Mapping[str, Part]) -> Iterator[str]:
    yield _INTRODUCTION
    if part := parts.get("ingestion"):
        yield "## Ingestion\n"
        yield _ABOUT_INGESTION
        yield from _circumstances(part["about"])
        yield f"![Rows per second and CPU](images/{_INGESTION_CHART})\n"
        yield from _ingestion_table(part)
    if part := parts.get("queries"):
        yield "## Queries and bytes\n"
        yield _ABOUT_QUERIES
        yield from _circumstances(part["about"])
        for size in part["sizes"]:
            yield f"### {size['rows']:,} rows\n"
            yield f"![Times of queries](images/{_QUERY_CHART.format(rows=size['rows'])})\n"
            yield from _size_tables(size)


def _tables(parts: Mapping[str, Part]) -> Iterator[str]:
    yield "# The service beside clickhouse_sinker and VictoriaLogs\n"
    if part := parts.get("ingestion"):
        yield from _circumstances(part["about"])
        yield from _ingestion_table(part)
    if part := parts.get("queries"):
        yield from _circumstances(part["about"])
        for size in part["sizes"]:
            yield f"## {size['rows']:,} rows\n"
            yield from _size_tables(size)


def _circumstances(about: Mapping[str, Any]) -> Iterator[str]:
    box = about["machine"]
    yield f"```sh\n{about['command'].replace('python', '.venv/bin/python', 1)}\n```\n"
    yield f"- {about['date']}; {box['processor']}, {box['cores']} cores, {box['memory_gb']} GB, {box['system']}"
    yield f"- Python {about['service']['python']}; ClickHouse engine {about['clickhouse']}"
    if workload := about.get("workload"):
        yield f"- {workload['events']:,} JSON events of {workload['mean_bytes']:.0f} bytes on average;"
        yield f"  Apache Kafka {about['kafka']}, {workload['partitions']} partitions, {workload['compression']}"
    if reservations := about["reservations"]:
        yield f"- **Provisional**: {'; '.join(reservations)}."
    yield ""


def _ingestion_table(part: Part) -> Iterator[str]:
    medians, ratios = _medians_of(part["runs"]), ingestion_ratios(part["runs"])
    headings = ["Median", *medians, *(f"{way} / {SINKER_PLAIN}" for way in ratios)]
    rows = []
    for name, label, digits in _INGESTION:
        cells = [f"{found[name]:,.{digits}f}" for found in medians.values()]
        rows.append([label, *cells, *("" if name in _EXACT else f"{each[name]:.2f}" for each in ratios.values())])
    yield from table(headings, rows)
    yield ""


def _size_tables(size: Mapping[str, Any]) -> Iterator[str]:
    medians = _medians_of(size["kinds"])
    yield from table(
        ("Question", "Here, p50", "p99", "VictoriaLogs, p50", "p99", "Ratio of p50", "of p99"),
        [_query_cells(name, found) for name, found in medians.items()],
    )
    yield ""
    yield from table(("On disk and in memory", "Here", "VictoriaLogs"), list(_size_cells(size)))
    yield ""


def _query_cells(name: str, found: Measurements) -> tuple[str, ...]:
    times = ("service_p50_ms", "service_p99_ms", "victoria_logs_p50_ms", "victoria_logs_p99_ms")
    return (name, *(f"{found[key]:.1f}" for key in times), f"{found['ratio_p50']:.2f}", f"{found['ratio_p99']:.2f}")


def _size_cells(size: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    own, columns = size["service_bytes_per_row_everything"], size["service_bytes_per_row_columns"]
    yield "Bytes per row", f"{own:.1f} (columns {columns:.1f})", f"{size['victoria_logs_bytes_per_row']:.1f}"
    service, engine = size["service_peak_memory_mb"], size["engine_peak_memory_mb"]
    memory = f"{size['victoria_logs_peak_memory_mb']:,.0f}"
    yield "Peak memory, MB", f"{service:,.0f} and the engine {engine:,.0f}", memory
    stored = size["victoria_logs_insert_cpu_secs_per_million_merged"]
    yield "CPU s per million rows, stored over HTTP and merged", "", f"{stored:.1f}"


def _charts(parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    if part := parts.get("ingestion"):
        medians = _medians_of(part["runs"])
        shown = [
            Group(
                f"{label}{', thousands' if digits == 0 else ''}",
                [_scaled(found[name], digits) for found in medians.values()],
            )
            for name, label, digits in _INGESTION[:4] + _INGESTION[5:7]
        ]
        yield _INGESTION_CHART, bars("Ingestion, median of the rounds", list(medians), shown)
    for size in parts.get("queries", {}).get("sizes", []):
        groups = [
            Group(name, [found["service_p50_ms"], found["victoria_logs_p50_ms"]])
            for name, found in _medians_of(size["kinds"]).items()
        ]
        title = f"p50 in milliseconds, {size['rows']:,} rows, logarithmic"
        yield _QUERY_CHART.format(rows=size["rows"]), bars(title, ("here", "VictoriaLogs"), groups, is_logarithmic=True)


def _scaled(value: float, digits: int) -> float:
    return value if digits else value / 1000
