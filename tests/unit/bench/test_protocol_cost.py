"""The cost of the protocol from pairs of drains."""

from __future__ import annotations

import pytest

from bench.protocol_cost import REPORT, compare
from bench.report import Line, Measurements, missed, summarise


def drain(events_per_sec: float, *, cpu_secs: float = 10.0, rows_missing: int = 0, rows_twice: int = 0) -> Measurements:
    """The measurements of one drain."""
    return {
        "service_events_per_sec_saturated": events_per_sec,
        "service_cpu_secs_per_million": cpu_secs,
        "engine_cpu_secs_per_million": 5.0,
        "rows_missing": rows_missing,
        "rows_twice": rows_twice,
    }


def lines_of(*pairs: Measurements) -> dict[str, Line]:
    """Every measure over these pairs, by name."""
    return {line.measure.name: line for line in summarise(REPORT.measures, pairs)}


def test_drains_are_compared_with_their_neighbour_and_the_median_is_that_of_the_ratios() -> None:
    # The machine was slow for the second pair: the medians of both kinds would show no loss.
    lines = lines_of(
        compare(drain(90), drain(100)),
        compare(drain(45), drain(50)),
        compare(drain(100), drain(90)),
    )

    ratio = lines["ratio_of_service_events_per_sec_saturated"]
    assert ratio.median == pytest.approx(0.9)
    assert (ratio.least, ratio.most) == pytest.approx((0.9, 100 / 90))
    assert lines["with_service_events_per_sec_saturated"].median == 90
    assert lines["without_service_events_per_sec_saturated"].median == 90


def test_cpu_is_compared_too() -> None:
    lines = lines_of(compare(drain(100, cpu_secs=11.0), drain(100, cpu_secs=10.0)))

    assert lines["ratio_of_service_cpu_secs_per_million"].median == pytest.approx(1.1)


@pytest.mark.parametrize(("events_per_sec", "is_missed"), [(97, False), (96, True), (120, False)])
def test_more_than_three_percent_of_the_throughput_is_too_much(events_per_sec: float, is_missed: bool) -> None:
    sentences = missed(summarise(REPORT.measures, [compare(drain(events_per_sec), drain(100))]))

    assert bool(sentences) is is_missed
    assert all("events/s" in sentence for sentence in sentences)


@pytest.mark.parametrize("wrong", [drain(100, rows_missing=1), drain(100, rows_twice=1)])
@pytest.mark.parametrize("is_with_protocol", [True, False])
def test_a_single_drain_that_did_not_store_everything_once_is_reported(
    wrong: Measurements, is_with_protocol: bool
) -> None:
    good = drain(100)
    pairs = [compare(good, good), compare(wrong, good) if is_with_protocol else compare(good, wrong)]

    assert len(missed(summarise(REPORT.measures, [*pairs, compare(good, good)]))) == 1
