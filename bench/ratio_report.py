"""What costs are to each other, and whether that is still what it was: the verdict of `bench.ratios`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError
from bench.report import Figures, Line, Measure

MARGIN: Final = 1.15

_DIGITS: Final = 3
_RENEW: Final = "make one with: python -m bench.ratios --update"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A cost of ours to one that our code has no part in. More is worse."""

    name: str
    label: str
    costs: Sequence[str]
    """Figures that are added up."""
    yardstick: str
    is_held: bool = True
    """It fails the command when it gets worse; others are only reported."""

    def of(self, figures: Figures) -> float:
        """The ratio in one repetition."""
        return sum(figures[name] for name in self.costs) / figures[self.yardstick]


RATIOS: Final = (
    Ratio(
        "service_cpu",
        "CPU of the service / of the bare loop",
        ["service_cpu_secs_per_million"],
        "bare_cpu_secs_per_million",
    ),
    Ratio(
        "pipeline_cpu",
        "CPU of service, engine and broker / of the bare loop",
        ["service_cpu_secs_per_million", "engine_cpu_secs_per_million", "kafka_cpu_secs_per_million"],
        "bare_cpu_secs_per_million",
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
    Ratio("query_cpu", "CPU of a small query / of SELECT 1", ["query_cpu_millis"], "select_1_cpu_millis"),
    Ratio(
        "drain_time",
        "Time, not held: service / bare loop",
        ["bare_events_per_sec"],  # a rate is the other way up
        "service_events_per_sec",
        is_held=False,
    ),
    Ratio("query_time", "Time, not held: small query / SELECT 1", ["query_millis"], "select_1_millis", is_held=False),
)


def with_ratios(figures: Figures) -> Figures:
    """The figures of a repetition, and what they are to each other."""
    return figures | {ratio.name: ratio.of(figures) for ratio in RATIOS}


def measures(baseline: Mapping[str, float]) -> Sequence[Measure]:
    """Every ratio, held to its baseline and the margin where there is one."""
    return [
        Measure(
            ratio.name,
            ratio.label + (f" (baseline {known:.2f})" if known else ""),
            2,
            limit=round(known * MARGIN, _DIGITS) if known and ratio.is_held else None,
        )
        for ratio in RATIOS
        for known in [baseline.get(ratio.name)]
    ]


def improvements(lines: Sequence[Line], baseline: Mapping[str, float]) -> Iterator[str]:
    """A sentence for each held ratio that is so much better that a loss of it all would go unseen."""
    for line in lines:
        if line.measure.limit is not None and line.median * MARGIN < baseline[line.measure.name]:
            yield f"{line.measure.label}: {line.median:.2f}. Much better: renew the baseline, or this can be lost again"


def read_baseline(path: Path) -> Mapping[str, float]:
    """The ratios that are held to.

    Raises:
        BenchError: there are none, or they are not those that are measured.
    """
    try:
        baseline: dict[str, float] = json.loads(path.read_text())["ratios"]
    except FileNotFoundError:
        raise BenchError(f"There is no baseline in {path}; {_RENEW}") from None
    if differing := baseline.keys() ^ {ratio.name for ratio in RATIOS}:
        raise BenchError(f"The baseline in {path} has other ratios ({', '.join(sorted(differing))}); {_RENEW}")
    return baseline


def write_baseline(path: Path, about: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """Store the medians, with the circumstances in which they were measured."""
    ratios = {line.measure.name: round(line.median, _DIGITS) for line in lines}
    path.write_text(json.dumps({"ratios": ratios, **about}, indent=2) + "\n")
