"""`python -m bench.storage`: bytes per row on disk by column, index and projection, and in OpenTelemetry's table.

Both tables hold the same rows. OpenTelemetry's keeps user and response time as attributes, as the Collector does.
Columns that only this service has (each row's position in Kafka, when it was stored) count against it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.command import RESULTS, circumstances, positive, run
from bench.history import load_history
from bench.report import table as as_table
from bench.report import write_results
from bench.stack import DATABASE, BenchStack, running_stack

_OTEL: Final = Path(__file__).with_name("otel_logs.sql")
_MOST_COLUMNS, _MOST_ALL = 0.9, 1.0
_NAME: Final = "storage"

_OTEL_ROWS: Final = """
    INSERT INTO {other} (Timestamp, TraceId, SpanId, SeverityText, SeverityNumber, ServiceName, Body,
        ResourceAttributes, LogAttributes)
    SELECT Timestamp, TraceId, SpanId, SeverityText, SeverityNumber, ServiceName, Body,
        mapConcat(ResourceAttributes, map('service.name', toString(ServiceName))),
        mapConcat(LogAttributes, if(UserId = '', map(), map('user.id', UserId)),
            if(isNull(ResponseTimeMs), map(), map('response_time_ms', toString(ResponseTimeMs))))
    FROM {ours} WHERE toDate(Timestamp) = '{day}'
"""


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a row takes more than the limit, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.storage", description="Bytes per row on disk.")
    parser.add_argument("--rows", type=positive, default=10_000_000, help="rows in each table (default: 10 million)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    with running_stack() as stack:
        print(f"Loading {options.rows:,} rows ...", flush=True)
        stack.create_table("ours")
        load_history(stack, "ours", options.rows)
        print("Copying them into OpenTelemetry's table ...", flush=True)
        stack.query(_OTEL.read_text().replace("{table}", _name("otel")))
        for day in stack.query(f"SELECT DISTINCT toDate(Timestamp) FROM {_name('ours')}").splitlines():
            stack.query(_OTEL_ROWS.format(other=_name("otel"), ours=_name("ours"), day=day))
        for name in ("ours", "otel"):
            stack.query(f"OPTIMIZE TABLE {_name(name)} FINAL")
        found = {name: _bytes_per_row(stack, name, options.rows) for name in ("ours", "otel")}
        about = circumstances(stack, ["bench.storage", "--rows", str(options.rows)]) | {"rows": options.rows}
    return _report(options.results, about, found)


def _name(table: str) -> str:
    return f"`{DATABASE}`.`{table}`"


def _bytes_per_row(stack: BenchStack, table: str, rows: int) -> dict[str, dict[str, float]]:
    """Bytes per row on disk, by kind and name. ClickHouse reports small parts as a whole, not by column."""
    of_table = f"database = '{DATABASE}' AND table = '{table}'"
    queries = {
        "all": f"SELECT 'all', sum(bytes_on_disk) FROM system.parts WHERE active AND {of_table}",
        "all columns": f"SELECT 'all', sum(data_compressed_bytes) FROM system.parts WHERE active AND {of_table}",
        "columns": f"SELECT name, data_compressed_bytes FROM system.columns WHERE {of_table}",
        "indexes": f"SELECT name, data_compressed_bytes FROM system.data_skipping_indices WHERE {of_table}",
        "projections": "SELECT name, sum(bytes_on_disk) FROM system.projection_parts"
        f" WHERE active AND {of_table} GROUP BY name",
    }
    return {kind: dict(_pairs(stack.query(sql), rows)) for kind, sql in queries.items()}


def _pairs(result: str, rows: int) -> Iterator[tuple[str, float]]:
    for line in result.splitlines():
        name, size = line.split("\t")
        yield name, int(size) / rows


def _report(directory: Path, about: Mapping[str, Any], found: Mapping[str, dict[str, dict[str, float]]]) -> int:
    sums = {name: {kind: sum(sizes.values()) for kind, sizes in kinds.items()} for name, kinds in found.items()}
    ratios = {kind: sums["ours"][kind] / sums["otel"][kind] for kind in ("all columns", "all")}
    page = "\n".join(_page(about, found, sums, ratios)) + "\n"
    print(page)
    for path in write_results(directory, _NAME, page, {**about, "bytes_per_row": found, "ratios": ratios}):
        print(f"Written: {path}")
    return 0 if ratios["all columns"] <= _MOST_COLUMNS and ratios["all"] <= _MOST_ALL else 1


def _page(
    about: Mapping[str, Any],
    found: Mapping[str, dict[str, dict[str, float]]],
    sums: Mapping[str, Mapping[str, float]],
    ratios: Mapping[str, float],
) -> Iterator[str]:
    box = about["machine"]
    yield "# What a row takes on disk"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- {about['rows']:,} rows of 30 days, merged; ClickHouse engine {about['clickhouse']}; {box['system']}"
    yield f"- Wanted: columns at most {_MOST_COLUMNS} of those of OpenTelemetry's table, everything at most {_MOST_ALL}"
    yield ""
    rows = [
        (
            kind,
            f"{sums['ours'][kind]:.1f}",
            f"{sums['otel'][kind]:.1f}",
            f"{ratios[kind]:.2f}" if kind in ratios else "",
        )
        for kind in ("all columns", "indexes", "projections", "all")
    ]
    yield from as_table(("Bytes per row", "Here", "OpenTelemetry's", "Ratio"), rows)
    for kind in ("columns", "indexes", "projections"):
        yield ""
        yield from as_table((kind.capitalize(), "Here", "OpenTelemetry's"), list(_by_name(found, kind)))


def _by_name(found: Mapping[str, dict[str, dict[str, float]]], kind: str) -> Iterator[Sequence[str]]:
    ours, others = found["ours"][kind], found["otel"][kind]
    for name in [*ours, *(name for name in others if name not in ours)]:
        yield name, *(f"{sizes[name]:.2f}" if name in sizes else "" for sizes in (ours, others))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
