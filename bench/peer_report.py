"""What `bench.compare_peers` found: results, and docs/performance.md with its charts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.costs import cost_rows
from bench.peer_ingestion import INTRODUCTION, ingestion_chart, ingestion_tables, medians_of, ratios_of
from bench.report import Measurements, table, write_results
from bench.svg_bars import Group, bars
from local.paths import ROOT

NAME: Final = "compare_peers"
PAGE: Final = ROOT / "docs" / "performance.md"

Part = dict[str, Any]
"""`about` says when, how and on what it was measured; ingestion has `runs` too, the costs `costs`.

Queries have `sizes` alone, each with an `about` of its own, its `rows` and what was found for them.
"""

_INGESTION_CHART, _QUERY_CHART = "peers-ingestion.svg", "peers-queries-{rows}.svg"

_INTRODUCTION: Final = """\
# Performance beside others

`bench.compare_peers` writes this page. Everything ran on one machine in one run, one program after the other in turns,
so compare figures within a table, and ratios between machines. Each is the median of the rounds. `make peers` gets the
programs (it needs Go; Java and Maven for Kafka Connect); each command below repeats its section. All other
measurements: [bench](../bench/README.md).
"""
_ABOUT_COSTS: Final = """\
CPU seconds per million events. The steps of the service are measured one by one (reading alone, then each step in one
process, where the fastest turn counts); the rest is what a drain takes beside them. The engine gets some 400,000 rows
in the blocks of a drain: first into a table that stores nothing, then into the plain table, then into tables that have
one thing more, and last into that of schema.sql. Merges: one merge of these blocks; in its life a row meets several.
Each thing is measured alone, so they do not add up to the whole, and a difference of one or two tenths is noise.
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


def merged(before: Mapping[str, Part], parts: Mapping[str, Part]) -> dict[str, Part]:
    """What was stored before, with new parts in place of the old ones; of queries, sizes in place of the same ones."""
    found = {**before, **parts}
    if "queries" in found:
        sizes = [size for of in (before, parts) for size in of.get("queries", {}).get("sizes", [])]
        by_rows = {size["rows"]: size for size in sizes}
        found["queries"] = {"sizes": [by_rows[rows] for rows in sorted(by_rows)]}
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
    tables = "\n".join(_all_tables(parts)) + "\n"
    return [*write_results(results, NAME, tables, content), page, *(images / name for name in charts)]


def summary(name: str, part: Part) -> dict[str, Any]:
    """The medians of a part, with the ratios to the peers."""
    if name == "ingestion":
        return {"medians": medians_of(part["runs"]), "ratios": ratios_of(part["runs"])}
    return {str(size["rows"]): medians_of(size["kinds"]) for size in part.get("sizes", [])}


def _page(parts: Mapping[str, Part]) -> Iterator[str]:
    yield _INTRODUCTION
    if part := parts.get("ingestion"):
        yield "## Ingestion\n"
        yield INTRODUCTION
        yield from _circumstances(part["about"])
        yield f"![Rows per second and CPU](images/{_INGESTION_CHART})\n"
        yield from ingestion_tables(part["runs"])
    if part := parts.get("costs"):
        yield "## Where the time goes\n"
        yield _ABOUT_COSTS
        yield from _circumstances(part["about"])
        yield from _cost_table(part)
    if part := parts.get("queries"):
        yield "## Queries and bytes\n"
        yield _ABOUT_QUERIES
        for size in part["sizes"]:
            yield f"### {size['rows']:,} rows\n"
            yield from _circumstances(size["about"])
            yield f"![Times of queries](images/{_QUERY_CHART.format(rows=size['rows'])})\n"
            yield from _size_tables(size)


def _all_tables(parts: Mapping[str, Part]) -> Iterator[str]:
    yield "# The service beside others\n"
    if part := parts.get("ingestion"):
        yield from _circumstances(part["about"])
        yield from ingestion_tables(part["runs"])
    if part := parts.get("costs"):
        yield from _circumstances(part["about"])
        yield from _cost_table(part)
    if part := parts.get("queries"):
        for size in part["sizes"]:
            yield f"## {size['rows']:,} rows\n"
            yield from _circumstances(size["about"])
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


def _cost_table(part: Part) -> Iterator[str]:
    yield from table(
        ("CPU s per million", "Service", "Engine, inserts", "Engine, merges"), list(cost_rows(part["costs"]))
    )
    yield ""


def _size_tables(size: Mapping[str, Any]) -> Iterator[str]:
    medians = medians_of(size["kinds"])
    yield from table(
        ("Question", "Asked", "Here, p50", "p99", "VictoriaLogs, p50", "p99", "Ratio of p50", "of p99"),
        [_query_cells(name, found) for name, found in medians.items()],
    )
    yield ""
    yield from table(("On disk and in memory", "Here", "VictoriaLogs"), list(_size_cells(size)))
    yield ""


def _query_cells(name: str, found: Measurements) -> tuple[str, ...]:
    times = ("service_p50_ms", "service_p99_ms", "victoria_logs_p50_ms", "victoria_logs_p99_ms")
    ratios = (f"{found['ratio_p50']:.2f}", f"{found['ratio_p99']:.2f}")
    return (name, f"{found['samples']:.0f}", *(f"{found[key]:.1f}" for key in times), *ratios)


def _size_cells(size: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    own, columns = size["service_bytes_per_row_everything"], size["service_bytes_per_row_columns"]
    yield "Bytes per row", f"{own:.1f} (columns {columns:.1f})", f"{size['victoria_logs_bytes_per_row']:.1f}"
    service, engine = size["service_peak_memory_mb"], size["engine_peak_memory_mb"]
    memory = f"{size['victoria_logs_peak_memory_mb']:,.0f}"
    yield "Peak memory, MB", f"{service:,.0f} and the engine {engine:,.0f}", memory
    if stored := size.get("victoria_logs_insert_cpu_secs_per_million_merged"):
        yield "CPU s per million rows, stored over HTTP and merged", "", f"{stored:.1f}"


def _charts(parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    if part := parts.get("ingestion"):
        yield _INGESTION_CHART, ingestion_chart(part["runs"])
    for size in parts.get("queries", {}).get("sizes", []):
        groups = [
            Group(name, [found["service_p50_ms"], found["victoria_logs_p50_ms"]])
            for name, found in medians_of(size["kinds"]).items()
        ]
        title = f"p50 in milliseconds, {size['rows']:,} rows, logarithmic"
        yield _QUERY_CHART.format(rows=size["rows"]), bars(title, ("here", "VictoriaLogs"), groups, is_logarithmic=True)
