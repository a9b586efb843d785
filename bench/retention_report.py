"""The page of `bench.retention`: what each way to remove rows costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.report import table as as_table


@dataclass(frozen=True, slots=True)
class Cost:
    """What the engine spent, and what is on disk afterwards."""

    cpu_secs: float
    wall_secs: float
    read_mb: float
    written_mb: float
    parts_anew: int
    disk_mb: float
    rows: int
    insert_ms: float


def page(
    about: Mapping[str, Any],
    costs: Mapping[str, Mapping[str, Cost]],
    inserting: Mapping[str, Mapping[str, float]],
    insert_rows: int,
    reading: Mapping[str, float],
    positions: int,
) -> str:
    """The page.

    `costs` are those of each way by what is removed, `inserting` those of inserts of `insert_rows` by partition key,
    `reading` the CPU seconds for what is asked when `positions` are noted.
    """
    lines = [*_costs(about, costs, insert_rows), *_inserts(inserting), *_reading(positions, reading)]
    return "\n".join(lines) + "\n"


def _costs(about: Mapping[str, Any], costs: Mapping[str, Mapping[str, Cost]], insert_rows: int) -> Iterator[str]:
    yield "# Ways to remove the logs of some services"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- {about['rows']:,} rows of days that are merged; {about['machine']['cores']} cores; engine"
    yield f"  {about['clickhouse']}"
    yield "- CPU and time of the engine, what it read and wrote, the parts that are new afterwards, and what is on disk"
    yield f"  then (of the noted positions: their own table). Inserts: median of those of {insert_rows:,} rows"
    yield "  meanwhile, back to back"
    for title, mine in costs.items():
        removed = about["removed"][title]
        yield ""
        yield f"## {removed:,} rows removed, {removed / about['rows']:.0%}"
        yield ""
        heads = ("Way", "CPU s", "s", "MB read", "MB written", "new parts", "rows left", "MB on disk", "inserts, ms")
        yield from as_table(heads, [_cells(name, cost) for name, cost in mine.items()])


def _inserts(inserting: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield ""
    yield "## Inserts, and merging ten of them"
    yield ""
    of_inserts = ("Partition key", "CPU s per million rows", "merging", "parts per insert")
    keys = [
        (
            name,
            f"{mine['insert_cpu_secs_per_million']:.1f}",
            f"{mine['merge_cpu_secs_per_million']:.1f}",
            f"{mine['parts_per_insert']:.1f}",
        )
        for name, mine in inserting.items()
    ]
    yield from as_table(of_inserts, keys)


def _reading(positions: int, reading: Mapping[str, float]) -> Iterator[str]:
    yield ""
    yield f"## Reading {positions:,} noted positions"
    yield ""
    yield from as_table(("What", "CPU s"), [(name, f"{secs:.2f}") for name, secs in reading.items()])


def _cells(name: str, cost: Cost) -> tuple[str, ...]:
    return (
        name,
        f"{cost.cpu_secs:.1f}",
        f"{cost.wall_secs:.1f}",
        f"{cost.read_mb:,.0f}",
        f"{cost.written_mb:,.0f}",
        str(cost.parts_anew),
        f"{cost.rows:,}",
        f"{cost.disk_mb:,.1f}",
        f"{cost.insert_ms:.0f}",
    )
