"""`python -m bench.table_cost`: what each index, projection and constraint of the table costs the engine.

Each is measured alone, on a table with no other extras, and compared with the shipped table. All get the same rows in
turn.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from app.domain.rows import Rows
from bench.command import RESULTS, circumstances, positive, run
from bench.engine_limit import BODY_ROWS, decoded_batches
from bench.report import Measurements, write_results
from bench.report import table as as_table
from bench.stack import BenchStack, running_stack
from bench.storing import Extra, drop_extras, extras_of, measure_storing

_NAME: Final = "table_cost"
COLUMNS, SHIPPED = "columns alone", "the table of schema.sql"
_TYPE: Final = re.compile(r" TYPE (\w+)")
_BATCHES, _INSERTS_OF_EACH = 2, 2
_SIZES: Final = (1_000, 10_000, 50_000)
_WORK: Final = ("insert", "merge")

Storing = Callable[[], Measurements]


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.table_cost", description="Cost of each part.")
    parser.add_argument(
        "--repetitions", type=positive, default=7, help="repetitions, of which the median counts (default: 7)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    with running_stack() as stack:
        medians = measure_parts_of_table(
            stack, list(decoded_batches(_BATCHES)) * _INSERTS_OF_EACH, options.repetitions, sizes=_SIZES
        )
        about = circumstances(stack, ["bench.table_cost", "--repetitions", str(options.repetitions)])
    page = "\n".join([*_page(about, medians), *_page_of_sizes(medians)]) + "\n"
    print(page)
    for path in write_results(options.results, _NAME, page, {**about, "cpu_secs_per_million": medians}):
        print(f"Written: {path}")
    return 0


def measure_parts_of_table(
    stack: BenchStack, blocks: Sequence[Rows], repetitions: int, *, sizes: Sequence[int] = ()
) -> dict[str, Measurements]:
    """CPU seconds of the engine per million rows for inserts and for one merge, by what a table has: medians.

    The whole table and its columns alone are also measured with the first rows of each block: as many as `sizes` says.

    Raises:
        BenchError: the engine refuses something.
    """
    tables = _create_tables(stack)
    calls = {name: _storing(stack, table, blocks) for name, table in tables.items()}
    for rows in sizes:
        smaller = [block.slice(0, rows) for block in blocks]
        calls |= {_sized(name, rows): _storing(stack, tables[name], smaller) for name in (SHIPPED, COLUMNS)}
    runs: dict[str, list[Measurements]] = {name: [] for name in calls}
    for number in range(1, repetitions + 1):
        print(f"Repetition {number} of {repetitions} ...", flush=True)
        for name, storing in calls.items():
            runs[name].append(storing())
    return {name: _medians(mine) for name, mine in runs.items()}


def group_of(extra: Extra) -> str:
    """The group an extra is measured in: skip indexes of one type together, everything else alone."""
    if found := _TYPE.search(extra.text):
        return f"indexes of type {found[1]}"
    return f"{extra.kind.lower()} {extra.name}"


def _create_tables(stack: BenchStack) -> Mapping[str, str]:
    """Create a table per group of extras, one without any, and one with all; returns their names."""
    stack.create_table("table_0")
    extras = extras_of(stack, "table_0")
    tables = {SHIPPED: "table_0"}
    for number, name in enumerate([COLUMNS, *dict.fromkeys(map(group_of, extras))], 1):
        stack.create_table(table := f"table_{number}")
        drop_extras(stack, table, [extra for extra in extras if group_of(extra) != name])
        tables[name] = table
    return tables


def _storing(stack: BenchStack, table: str, blocks: Sequence[Rows]) -> Storing:
    def store() -> Measurements:
        measurements = measure_storing(stack, table, blocks)
        return {work: measurements[f"{table}_{work}_cpu_secs_per_million"] for work in _WORK}

    return store


def _medians(runs: Sequence[Measurements]) -> Measurements:
    return {work: median(measurements[work] for measurements in runs) for work in _WORK}


def _page(about: Mapping[str, Any], medians: Mapping[str, Measurements]) -> Iterator[str]:
    yield "# What the parts of the table cost the engine"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- {about['machine']['cores']} cores; engine {about['clickhouse']}"
    yield f"- {_BATCHES * _INSERTS_OF_EACH} inserts of {BODY_ROWS:,} rows, then one merge of them all. CPU seconds of"
    yield "  the engine per million rows: median, and in parentheses how much more than for the columns alone"
    yield ""
    plain = medians[COLUMNS]
    smaller = {_sized(name, rows) for rows in _SIZES for name in (SHIPPED, COLUMNS)}
    whole = [name for name in medians if name not in smaller]
    yield from as_table(("Beside the columns", "Inserts", "Merges"), [_cells(n, medians[n], plain) for n in whole])


def _page_of_sizes(medians: Mapping[str, Measurements]) -> Iterator[str]:
    yield ""
    yield "The same for inserts of fewer rows. CPU milliseconds of the engine for an insert, and seconds for a million"
    yield "rows in such inserts:"
    yield ""
    head = (
        "Rows of an insert",
        *(f"{name}, {unit}" for name in (SHIPPED, COLUMNS) for unit in ("ms", "s per million")),
    )
    yield from as_table(head, [_cells_of_size(rows, medians) for rows in (*_SIZES, BODY_ROWS)])


def _cells_of_size(rows: int, medians: Mapping[str, Measurements]) -> tuple[str, ...]:
    costs = [medians[_sized(name, rows)]["insert"] for name in (SHIPPED, COLUMNS)]
    return (f"{rows:,}", *(cell for cost in costs for cell in (f"{cost * rows / 1e3:.0f}", f"{cost:.2f}")))


def _sized(name: str, rows: int) -> str:
    return name if rows == BODY_ROWS else f"{name}, {rows:,} rows each"


def _cells(name: str, mine: Measurements, plain: Measurements) -> tuple[str, ...]:
    return (name, *(f"{mine[work]:.2f} ({mine[work] - plain[work]:+.2f})" for work in _WORK))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
