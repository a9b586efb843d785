"""Compares an old and a new commit from pairs of measurements."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.report import Measurements, table

TOLERANCE: Final = 0.03

_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Compared:
    """A measurement of both commits; `is_rate` means that more is better."""

    name: str
    label: str
    digits: int
    is_rate: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """The confidence interval of the median of a quantity."""

    low: float
    high: float
    confidence: float


def median_interval(values: Sequence[float]) -> Interval:
    """The narrowest interval between a value and its counterpart from the other end that reaches the wanted confidence.

    Each value lies above the true median with probability one half, whatever the distribution, so this needs no other
    assumption. With too few values it is their whole range, with less confidence.
    """
    ascending, count = sorted(values), len(values)
    left_out = 0
    while _confidence(count, left_out + 1) >= _CONFIDENCE:
        left_out += 1
    return Interval(ascending[left_out], ascending[-1 - left_out], _confidence(count, left_out))


def _confidence(count: int, left_out: int) -> float:
    """Confidence of the interval that leaves out this many values at each end."""
    outside = sum(math.comb(count, number) for number in range(left_out + 1))
    return 1 - 2 * outside / 2**count


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measurement over all pairs; ratios are new / old, pair by pair."""

    compared: Compared
    old: float
    new: float
    ratios: Sequence[float]

    @property
    def interval(self) -> Interval:
        """Confidence interval of the median of the ratios."""
        return median_interval(self.ratios)

    @property
    def verdict(self) -> str:
        """Whether the whole interval says that the new commit is worse or better by more than the tolerance."""
        low, high, confidence = self.interval.low, self.interval.high, self.interval.confidence
        if confidence < _CONFIDENCE:
            return "too few pairs"
        if low > 1 + TOLERANCE:
            return "better" if self.compared.is_rate else "worse"
        if high < 1 - TOLERANCE:
            return "worse" if self.compared.is_rate else "better"
        return "same" if low >= 1 - TOLERANCE and high <= 1 + TOLERANCE else "undecided"

    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        old, new = (f"{value:,.{self.compared.digits}f}" for value in (self.old, self.new))
        between = f"{self.interval.low:.3f} to {self.interval.high:.3f} ({self.interval.confidence:.1%})"
        extremes = f"{min(self.ratios):.3f} to {max(self.ratios):.3f}"
        return self.compared.label, f"{median(self.ratios):.3f}", between, extremes, old, new, self.verdict


def compare(
    compared: Sequence[Compared], olds: Sequence[Measurements], news: Sequence[Measurements]
) -> list[Comparison]:
    """Compare the measurements of the old and the new commit, pair by pair."""
    comparisons = []
    for each in compared:
        old, new = [run[each.name] for run in olds], [run[each.name] for run in news]
        ratios = [after / before for before, after in zip(old, new, strict=True)]
        comparisons.append(Comparison(each, median(old), median(new), ratios))
    return comparisons


def page(context: Mapping[str, str], comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Lines of a page to read."""
    yield "# An old and a new commit, in pairs"
    yield ""
    yield from (f"- {name}: {value}" for name, value in context.items())
    yield "- Ratios are new / old within a pair; the interval is that of their median, with its confidence (order"
    yield "  statistics). Worse or better: the whole interval is beyond a tolerance of"
    yield f"  {TOLERANCE:.0%}. Same: the whole interval is within it"
    yield ""
    headings = ("Figure", "New / old", "Interval", "All pairs", "Old", "New", "Verdict")
    yield from table(headings, [comparison.cells() for comparison in comparisons])
