"""`python -m bench.layouts`: compares schema.sql with tables that differ in one thing each: disk space and query time.

All tables hold the same rows and get the same SQL queries in turn, as the service would send them, while nothing else
runs. Reported are the median and its ratio to that of the shipped table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from app.backends.clickhouse.schema import create_table
from app.query.order import NEWEST_FIRST
from bench.command import RESULTS, circumstances, positive, run
from bench.errors import BenchError
from bench.history import COLUMNS, DAYS, USERS, load_history, service_name
from bench.report import table as as_table
from bench.report import write_results
from bench.stack import DATABASE, BenchStack, running_stack

_SOURCE: Final = "history"
_SHIPPED: Final = "as it is"
_NEWEST: Final = f"ORDER BY {NEWEST_FIRST} LIMIT 100"
_ALL: Final = "Timestamp, SeverityText, ServiceName, Body, UserId, ResponseTimeMs, TraceId, SpanId, LogAttributes"
_NAME: Final = "layouts"
_FIVE_MINUTES: Final = "toStartOfFiveMinutes(Timestamp), ServiceName"
_SEED: Final = 11


@dataclass(frozen=True, slots=True)
class Variant:
    """A table that differs from schema.sql; `instead` maps text of schema.sql to its replacement."""

    name: str
    instead: Mapping[str, str]

    def statement(self, shipped: str) -> str:
        """The statement that creates the table.

        Raises:
            BenchError: schema.sql does not contain the text to replace.
        """
        for old, new in self.instead.items():
            if old not in shipped:
                raise BenchError(f"{self.name}: schema.sql has no {old!r}")
            shipped = shipped.replace(old, new)
        return shipped


_GRANULES: Final = "index_granularity = 2048"
_ONE_STREAM: Final = "string_serialization_version = 'single_stream'"
VARIANTS: Final = (
    Variant(_SHIPPED, {}),
    Variant("granules of 8,192 rows", {_GRANULES: "index_granularity = 8192"}),
    Variant("granules of 1,024 rows", {_GRANULES: "index_granularity = 1024"}),
    Variant("blocks of 64 KiB and more", {"min_compress_block_size = 32768": "min_compress_block_size = 65536"}),
    Variant("lengths of texts apart", {_ONE_STREAM: _ONE_STREAM.replace("single_stream", "with_size_stream")}),
    Variant("buckets of a minute", {_FIVE_MINUTES: _FIVE_MINUTES.replace("FiveMinutes", "Minute")}),
    Variant("buckets of an hour", {_FIVE_MINUTES: _FIVE_MINUTES.replace("FiveMinutes", "Hour")}),
    Variant("service first", {_FIVE_MINUTES: "ServiceName, toStartOfFiveMinutes(Timestamp)"}),
    Variant(
        "time itself in the primary key",
        {f"PRIMARY KEY ({_FIVE_MINUTES})": f"PRIMARY KEY ({_FIVE_MINUTES}, Timestamp)"},
    ),
    Variant("attributes ZSTD(1)", {"String) CODEC(ZSTD(3))": "String) CODEC(ZSTD(1))"}),
    Variant("messages ZSTD(3)", {"Body String CODEC(ZSTD(1))": "Body String CODEC(ZSTD(3))"}),
    Variant("messages LZ4", {"Body String CODEC(ZSTD(1))": "Body String CODEC(LZ4)"}),
    Variant(
        "projections and indexes LZ4", {"default_compression_codec = 'ZSTD(1)'": "default_compression_codec = 'LZ4'"}
    ),
    Variant(
        "token bloom filter instead of the text index",
        {
            "TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking')": (
                "TYPE tokenbf_v1(32768, 4, 0) GRANULARITY 1"
            )
        },
    ),
    Variant("text index without bit packing", {", posting_list_codec = 'bitpacking'": ""}),
)


@dataclass(frozen=True, slots=True)
class SearchValues:
    """Values that queries can search for."""

    end_secs: int
    words: Sequence[str]


QueryTemplate = Callable[[Random, SearchValues], str]


def _newest(rng: Random, values: SearchValues) -> str:
    end = values.end_secs - rng.randrange(86_400)
    return f"SELECT {_ALL} FROM {{}} WHERE {_span(end - 60, end)} {_NEWEST}"


def _service(rng: Random, values: SearchValues) -> str:
    end = values.end_secs - rng.randrange(86_400)
    service = service_name(rng.randrange(10))
    return (
        f"SELECT {_ALL} FROM {{}} WHERE {_span(end - 3600, end)}"
        f" AND ServiceName = '{service}' AND SeverityText = 'ERROR' {_NEWEST}"
    )


def _user(rng: Random, values: SearchValues) -> str:
    user = int(USERS * rng.random() ** 4)
    sparse_pieces = (
        f"SELECT toStartOfFiveMinutes(Timestamp) FROM {{0}} WHERE UserId = '{user}'"
        " GROUP BY toStartOfFiveMinutes(Timestamp) ORDER BY toStartOfFiveMinutes(Timestamp) DESC LIMIT 50"
    )
    where = f"UserId = '{user}' AND toStartOfFiveMinutes(Timestamp) IN ({sparse_pieces})"
    return f"SELECT {_ALL} FROM {{0}} WHERE {where} {_NEWEST}"


def _word(rng: Random, values: SearchValues) -> str:
    return f"SELECT {_ALL} FROM {{}} WHERE hasToken(lower(Body), '{rng.choice(values.words)}') {_NEWEST}"


def _routes(rng: Random, values: SearchValues) -> str:
    end = values.end_secs - rng.randrange(86_400)
    span = _span(end - 86_400, end)
    return f"SELECT attribute_http_route, countIf(SeverityNumber >= 17) FROM {{}} WHERE {span} GROUP BY 1"


QUERIES: Final[Mapping[str, QueryTemplate]] = {
    "newest, 1 min": _newest,
    "service, errors, 1 h": _service,
    "user": _user,
    "rare word": _word,
    "errors by route, 24 h": _routes,
}


def _span(start_secs: int, end_secs: int) -> str:
    return f"Timestamp >= toDateTime64({start_secs}, 9, 'UTC') AND Timestamp < toDateTime64({end_secs}, 9, 'UTC')"


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.layouts", description="Compare layouts of the table.")
    parser.add_argument("--rows", type=positive, default=10_000_000, help="rows over thirty days (default: 10 million)")
    parser.add_argument("--days", type=positive, default=8, help="days that each table holds (default: 8)")
    parser.add_argument("--samples", type=positive, default=30, help="samples of each query (default: 30)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    days = min(options.days, DAYS)
    with running_stack() as stack:
        print(f"Loading {options.rows:,} rows ...", flush=True)
        stack.create_table(_SOURCE)
        load_history(stack, _SOURCE, options.rows)
        tables = {variant.name: f"layout_{number}" for number, variant in enumerate(VARIANTS)}
        for variant in VARIANTS:
            print(f"{variant.name} ...", flush=True)
            _fill(stack, variant, tables[variant.name], days)
        stack.wait_until_idle()
        sizes = {name: stack.bytes_per_row(table) for name, table in tables.items()}
        millis = _time_queries(stack, tables, options.samples)
        about = circumstances(stack, _command(options)) | {"rows": round(options.rows * days / DAYS)}
    page = "\n".join(_page(about, sizes, millis)) + "\n"
    print(page)
    for path in write_results(options.results, _NAME, page, {**about, "bytes_per_row": sizes, "millis": millis}):
        print(f"Written: {path}")
    return 0


def _fill(stack: BenchStack, variant: Variant, table: str, days: int) -> None:
    stack.query(variant.statement(create_table(stack.clickhouse_settings(table))))
    columns = ", ".join(COLUMNS)
    values = columns.replace("_deadline", "now64(3) + 3600")
    stack.query(
        f"INSERT INTO `{DATABASE}`.`{table}` ({columns}) SELECT {values} FROM `{DATABASE}`.`{_SOURCE}`"
        f" WHERE toDate(Timestamp) < today() AND toDate(Timestamp) >= today() - {days}"
    )
    stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`{table}` FINAL")


def _command(options: argparse.Namespace) -> list[str]:
    chosen = {"--rows": options.rows, "--days": options.days, "--samples": options.samples}
    return ["bench.layouts", *(str(word) for pair in chosen.items() for word in pair)]


def _time_queries(stack: BenchStack, tables: Mapping[str, str], samples: int) -> dict[str, dict[str, float]]:
    """Run every query on each table in turn, so that disturbances hit all alike; the median in milliseconds."""
    source = f"`{DATABASE}`.`{_SOURCE}`"
    words = stack.query(
        rf"SELECT extract(Body, '\\b[0-9a-f]{{12}}\\b') AS word FROM {source} WHERE word != '' LIMIT 500"
    )
    values = SearchValues(int(stack.query("SELECT toUnixTimestamp(toDateTime(today()))")), words.split())
    found: dict[str, dict[str, float]] = {name: {} for name in tables}
    for kind, query in QUERIES.items():
        print(f"{kind} ...", flush=True)
        millis: dict[str, list[float]] = {name: [] for name in tables}
        rng = Random(_SEED)
        for _ in range(samples):
            sql = query(rng, values)
            for name, table in tables.items():
                millis[name].append(_millis(stack, sql.format(f"`{DATABASE}`.`{table}`")))
        for name in tables:
            found[name][kind] = median(millis[name])
    return found


def _millis(stack: BenchStack, sql: str) -> float:
    """The faster of two runs: the layout is measured, not the caches."""

    def once() -> float:
        began = time.perf_counter()
        stack.query(sql)
        return (time.perf_counter() - began) * 1000

    return min(once(), once())


def _page(
    about: Mapping[str, Any], sizes: Mapping[str, Mapping[str, float]], millis: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    yield "# Other layouts of the table"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- {about['rows']:,} rows, days merged; {about['machine']['cores']} cores; engine {about['clickhouse']}"
    yield "- Each table differs from schema.sql in one thing. SQL queries one after another, caches warm: median"
    yield f"  in milliseconds, and in parentheses how many times that of the table {_SHIPPED}"
    yield ""
    heads = ("Table", "Columns, bytes per row", "All", *QUERIES)
    yield from as_table(heads, [_cells(name, sizes[name], millis[name], millis[_SHIPPED]) for name in sizes])


def _cells(
    name: str, size: Mapping[str, float], millis: Mapping[str, float], shipped: Mapping[str, float]
) -> tuple[str, ...]:
    times = (f"{value:.0f} ({value / shipped[kind]:.2f})" for kind, value in millis.items())
    return (name, f"{size['columns']:.1f}", f"{size['everything']:.1f}", *times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
