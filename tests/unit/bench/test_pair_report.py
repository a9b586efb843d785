"""Verdicts over pairs of an old and a new commit, also with too few or too noisy pairs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.pair_report import Compared, Comparison, compare, median_interval, page
from bench.pairs import complaints
from bench.report import Measurements

CPU = Compared("cpu", "CPU, s", 2)
RATE = Compared("rate", "Events/s", 0, is_rate=True)
EXACT: Measurements = {"rows_missing": 0, "rows_twice": 0, "latency_rows_missing": 0, "latency_rows_twice": 0}


def comparison(compared: Compared, *ratios: float) -> Comparison:
    """Pairs in which the old commit measured 100 each."""
    [only] = compare(
        [compared],
        [{compared.name: 100.0} for _ in ratios],
        [{compared.name: 100.0 * ratio} for ratio in ratios],
    )
    return only


@pytest.mark.parametrize(
    ("count", "low", "high", "confidence"),
    [(1, 1, 1, 0.0), (2, 1, 2, 0.5), (5, 1, 5, 0.9375), (6, 1, 6, 0.96875), (8, 1, 8, 0.9921875), (9, 2, 8, 0.9609375)],
)
def test_the_interval_leaves_out_as_many_values_as_the_confidence_allows(
    count: int, low: float, high: float, confidence: float
) -> None:
    found = median_interval([float(value) for value in range(count, 0, -1)])

    assert (found.low, found.high, found.confidence) == (low, high, confidence)


@pytest.mark.parametrize(
    ("compared", "ratios", "verdict"),
    [
        (CPU, [1.04, 1.05, 1.06, 1.04, 1.07, 1.05, 1.04, 1.09], "worse"),
        (CPU, [1.02, 1.05, 1.06, 1.04, 1.07, 1.05, 1.04, 1.09], "undecided"),
        (CPU, [0.99, 1.01, 1.00, 1.02, 0.98, 1.00, 1.01, 1.02], "same"),
        (CPU, [0.90, 0.91, 0.96, 0.94, 0.90, 0.91, 0.96, 0.94], "better"),
        (CPU, [1.50, 1.50, 1.50, 1.50, 1.50], "too few pairs"),
        (RATE, [0.90, 0.91, 0.96, 0.94, 0.90, 0.91, 0.96, 0.94], "worse"),
        (RATE, [1.04, 1.05, 1.06, 1.04, 1.07, 1.05, 1.04, 1.09], "better"),
    ],
)
def test_it_is_worse_only_if_the_whole_interval_says_so(
    compared: Compared, ratios: Sequence[float], verdict: str
) -> None:
    assert comparison(compared, *ratios).verdict == verdict


def test_ratios_are_those_of_a_pair_and_not_of_medians() -> None:
    # The machine was half as fast in the second pair: the medians would say that the new commit is the faster one.
    [found] = compare([RATE], [{"rate": 100}, {"rate": 45}, {"rate": 90}], [{"rate": 95}, {"rate": 43}, {"rate": 94}])

    assert found.ratios == pytest.approx([0.95, 43 / 45, 94 / 90])


def test_only_worse_measurements_are_reported() -> None:
    comparisons = [comparison(CPU, *[1.1] * 8), comparison(RATE, *[1.1] * 8)]

    assert complaints(comparisons, [EXACT]) == ["Worse: CPU, s"]


@pytest.mark.parametrize("name", EXACT)
def test_a_single_row_that_was_not_stored_once_is_complained_of(name: str) -> None:
    assert complaints([], [EXACT, EXACT | {name: 1}]) == [f"Not stored exactly once: {name}"]


def test_the_page_has_a_row_for_each_measurement() -> None:
    lines = list(page({"Pairs": "8"}, [comparison(CPU, *[1.0] * 8)]))

    assert "- Pairs: 8" in lines
    assert lines[-1] == "| CPU, s | 1.000 | 1.000 to 1.000 (99.2%) | 1.000 to 1.000 | 100.00 | 100.00 | same |"
