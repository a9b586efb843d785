"""Ratios between costs, and whether they still match the baseline: the verdict of `bench.ratios`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError
from bench.report import Line, Measure, Measurements

_MARGIN: Final = 1.15
# Compiled code, Java and ClickHouse do not gain and lose as Python does from another processor, or where others use the
# same one: with unchanged code, pipeline and query were 3.1 to 4.5 and 8.9 to 12 on one machine within a day.
_NOISY_MARGIN: Final = 1.5

_DIGITS: Final = 3
_RENEW: Final = "make one with: python -m bench.ratios --update"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of one of our costs to a cost that our code does not influence. More is worse."""

    name: str
    label: str
    costs: Sequence[str]
    """Names of the measurements that are added up."""
    yardstick: str
    is_held: bool = True
    """A worse ratio fails the command; ratios that are not held are only reported."""
    margin: float = _MARGIN
    """How many times its baseline it may be."""

    def of(self, measurements: Measurements) -> float:
        """The ratio in one repetition."""
        return sum(measurements[name] for name in self.costs) / measurements[self.yardstick]


RATIOS: Final = (
    Ratio(
        "service_cpu",
        "CPU of the service / of the bare loop",
        ["service_cpu_secs_per_million"],
        "bare_cpu_secs_per_million",
        margin=_NOISY_MARGIN,
    ),
    Ratio(
        "pipeline_cpu",
        "CPU of service, engine and broker / of the bare loop",
        ["service_cpu_secs_per_million", "engine_cpu_secs_per_million", "kafka_cpu_secs_per_million"],
        "bare_cpu_secs_per_million",
        margin=_NOISY_MARGIN,
    ),
    Ratio(
        "insert_cpu",
        "CPU of the engine, inserts: table / plain table",
        ["table_insert_cpu_secs_per_million"],
        "plain_insert_cpu_secs_per_million",
    ),
    Ratio(
        "merge_cpu",
        "CPU of the engine, merges: table / plain table",
        ["table_merge_cpu_secs_per_million"],
        "plain_merge_cpu_secs_per_million",
    ),
    Ratio(
        "query_cpu",
        "CPU of a small query / of SELECT 1",
        ["query_cpu_millis"],
        "select_1_cpu_millis",
        margin=_NOISY_MARGIN,
    ),
    Ratio(
        "drain_time",
        "Time, not held: service / bare loop",
        ["bare_events_per_sec"],  # a rate is the other way up
        "service_events_per_sec",
        is_held=False,
    ),
    Ratio("query_time", "Time, not held: small query / SELECT 1", ["query_millis"], "select_1_millis", is_held=False),
)


_EXACT: Final = (
    Measure("rows_missing", "Events not in the table", 0, limit=0, is_exact=True),
    Measure("rows_twice", "Rows stored more than once", 0, limit=0, is_exact=True),
)


def with_ratios(measurements: Measurements) -> Measurements:
    """The measurements of a repetition with their ratios."""
    return measurements | {ratio.name: ratio.of(measurements) for ratio in RATIOS}


def measures(baseline: Mapping[str, float]) -> Sequence[Measure]:
    """Every ratio, limited to its baseline plus the margin if there is a baseline; and whether all was stored once."""
    ratios = [
        Measure(
            ratio.name,
            ratio.label + (f" (baseline {known:.2f})" if known else ""),
            2,
            limit=round(known * ratio.margin, _DIGITS) if known and ratio.is_held else None,
        )
        for ratio in RATIOS
        for known in [baseline.get(ratio.name)]
    ]
    return [*ratios, *_EXACT]


def improvements(lines: Sequence[Line], baseline: Mapping[str, float]) -> Iterator[str]:
    """A sentence for each held ratio that improved so much that losing the improvement would go unnoticed."""
    for line in lines:
        if line.measure.is_exact or line.measure.limit is None:
            continue
        known = baseline[line.measure.name]
        if line.median * line.measure.limit / known < known:  # as far below as it may be above
            yield f"{line.measure.label}: {line.median:.2f}. Much better: renew the baseline, or this can be lost again"


def read_baseline(path: Path) -> Mapping[str, float]:
    """Read the baseline.

    Raises:
        BenchError: there is none, or it has other ratios than those that are measured.
    """
    try:
        baseline: dict[str, float] = json.loads(path.read_text())["ratios"]
    except FileNotFoundError:
        raise BenchError(f"There is no baseline in {path}; {_RENEW}") from None
    if differing := baseline.keys() ^ {ratio.name for ratio in RATIOS}:
        raise BenchError(f"The baseline in {path} has other ratios ({', '.join(sorted(differing))}); {_RENEW}")
    return baseline


def write_baseline(path: Path, about: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """Store the medians of the ratios with the environment in which they were measured."""
    ratios = {line.measure.name: round(line.median, _DIGITS) for line in lines if not line.measure.is_exact}
    path.write_text(json.dumps({"ratios": ratios, **about}, indent=2) + "\n")
