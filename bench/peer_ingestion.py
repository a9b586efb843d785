"""The ingestion part of `bench.compare_peers`: its tables, what is wanted of the service, and the chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from bench.peer_drain import CONNECTOR_OWN, ENGINE_FULL, SERVICE_FULL, SERVICE_PLAIN, SINKER_OWN, SINKER_PLAIN
from bench.report import HEADINGS, Line, Measure, Measurements, summarise, table
from bench.svg_bars import Group, bars

Runs = Mapping[str, Sequence[Measurements]]
"""The measurements of the rounds, by the name of the drain."""

INTRODUCTION: Final = """\
A topic of 4 partitions is filled; then each program in turn reads it with a new group into a new table. "Engine" is the
ClickHouse that all write to; it shares the cores with the broker and the program.

- The service delivers exactly once: into its full table (text index, projections), and into the plain one, which has
  the same columns and none of these.
- clickhouse_sinker delivers at least once: into the same plain table, where it fills the seven columns that events have
  keys for, and the position; other keys, which a third of the events have, it drops. And into a table of its own with
  these nine columns only; the service cannot fill that one, since exactly-once delivery needs its columns.
- clickhouse-kafka-connect, in a worker of Kafka Connect, delivers at least once into a table of the seven columns. A
  row has no position there: the number of rows is all that is checked.
- Engine alone: one client posts the same rows to the full table, in the very blocks in which the service stored them in
  a drain before, decoded beforehand. How rows are distributed to blocks matters to the engine.

"To the end of all merges": until everything is one part per partition of the table, so that work left for later counts.
"""

_MEASURES: Final = (
    ("rows_per_sec", "Rows/s, first to last row", 0),
    ("rows_per_sec_merged", "Rows/s, first row to the end of all merges", 0),
    ("rows_per_sec_from_start", "Rows/s, start to last row", 0),
    ("cpu_secs_per_million", "CPU s per million, with its start", 2),
    ("cpu_secs_per_million_steady", "CPU s per million, first to last row", 2),
    ("peak_memory_mb", "Peak resident memory, MB", 0),
    ("engine_cpu_secs_per_million", "Engine: CPU s per million, to the last row", 2),
    ("engine_cpu_secs_per_million_merged", "Engine: the same to the end of all merges", 2),
    ("rows_missing", "Rows lost, most of a round", 0),
    ("rows_twice", "Rows doubled, most of a round", 0),
)
EXACT: Final = ("rows_missing", "rows_twice")
_CHARTED: Final = (*_MEASURES[:5], *_MEASURES[6:8])
_PAIRS: Final = (
    (SERVICE_PLAIN, SINKER_PLAIN),
    (SERVICE_FULL, SINKER_PLAIN),
    (SERVICE_FULL, SINKER_OWN),
    (SERVICE_FULL, ENGINE_FULL),
    (SERVICE_FULL, CONNECTOR_OWN),
)


@dataclass(frozen=True, slots=True)
class _Goal:
    """A limit of the ratio of two drains; `measure` is named as what is divided."""

    mine: str
    theirs: str
    measure: Measure


_GOALS: Final = (
    _Goal(SERVICE_FULL, SINKER_PLAIN, Measure("cpu_secs_per_million", "CPU s per million", 2, limit=1)),
    _Goal(SERVICE_PLAIN, SINKER_PLAIN, Measure("rows_per_sec", "Rows/s", 2, limit=1, is_least=True)),
    _Goal(
        SERVICE_FULL,
        ENGINE_FULL,
        Measure("rows_per_sec_merged", "Rows/s to the end of all merges", 2, limit=0.8, is_least=True),
    ),
    _Goal(
        SERVICE_FULL,
        CONNECTOR_OWN,
        # Eight times the events of a CPU second. Without the starts, of which that of Java is the longer one.
        Measure("cpu_secs_per_million_steady", "CPU s per million", 3, limit=1 / 8),
    ),
    _Goal(SERVICE_FULL, SINKER_PLAIN, Measure("rows_per_sec", "Rows/s", 2, limit=1, is_least=True, is_aim=True)),
    _Goal(SERVICE_FULL, SINKER_PLAIN, Measure("cpu_secs_per_million", "CPU s per million", 2, limit=0.5, is_aim=True)),
)


def ratios_of(runs: Runs) -> dict[str, Measurements]:
    """The service's figures divided by a peer's of the same round: the median, by the two names and by measure."""
    return {
        f"{mine} / {theirs}": {
            name: median(found) for name, *_ in _MEASURES if (found := _quotients(runs, mine, theirs, name))
        }
        for mine, theirs in _PAIRS
        if mine in runs and theirs in runs
    }


def goals(runs: Runs) -> list[Line]:
    """What is wanted of the ratios of a round, and what they were; those without a peer are left out."""
    lines = []
    for goal in _GOALS:
        name = goal.measure.name
        if found := _quotients(runs, goal.mine, goal.theirs, name):
            measure = replace(goal.measure, label=f"{goal.measure.label}: {goal.mine} / {goal.theirs}")
            lines += summarise([measure], [{name: quotient} for quotient in found])
    return lines


def medians_of(runs: Runs) -> dict[str, Measurements]:
    """The median of each measure, and the most of what must be 0."""
    return {
        name: {key: (max if key in EXACT else median)(measurements[key] for measurements in found) for key in found[0]}
        for name, found in runs.items()
    }


def ingestion_tables(runs: Runs) -> Iterator[str]:
    """Lines of the three tables."""
    medians = medians_of(runs)
    rows = [[label, *(_cell(found, name, digits) for found in medians.values())] for name, label, digits in _MEASURES]
    yield from table(["Median", *medians], rows)
    yield ""
    if ratios := ratios_of(runs):
        measures = [(name, label) for name, label, _ in _MEASURES if name not in EXACT]
        rows = [[label, *(_cell(found, name, 2) for found in ratios.values())] for name, label in measures]
        yield from table(["Ratio of the same round, median", *ratios], rows)
        yield ""
        yield from table(HEADINGS, [line.cells() for line in goals(runs)])
        yield ""


def ingestion_chart(runs: Runs) -> str:
    """The medians as bars."""
    medians = medians_of(runs)
    groups = [
        Group(
            f"{label}{'' if digits else ', thousands'}",
            [_scaled(found.get(name), digits) for found in medians.values()],
        )
        for name, label, digits in _CHARTED
    ]
    return bars("Ingestion, median of the rounds", list(medians), groups)


def _quotients(runs: Runs, mine: str, theirs: str, name: str) -> list[float]:
    """Of each round; none if one of the two was not measured, or has no such measure."""
    rounds = zip(runs.get(mine, ()), runs.get(theirs, ()), strict=False)
    return [own[name] / (other[name] or 1e-9) for own, other in rounds if name in own and name in other]


def _cell(found: Measurements, name: str, digits: int) -> str:
    return f"{found[name]:,.{digits}f}" if name in found else ""


def _scaled(value: float | None, digits: int) -> float | None:
    return value if value is None or digits else value / 1000
