"""Which ratios are worse than they were, and which only differ by noise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.ratio_report import RATIOS, Ratio, improvements, measures, read_baseline, with_ratios, write_baseline
from bench.ratios import BASELINE, BASELINE_IN_PYTHON
from bench.report import Line, Measurements, missed, summarise

# Measurements of a repetition on a typical machine.
USUAL: Measurements = {
    "bare_cpu_secs_per_million": 5.0,
    "bare_events_per_sec": 100_000,
    "service_cpu_secs_per_million": 10.0,
    "service_events_per_sec": 50_000,
    "engine_cpu_secs_per_million": 4.0,
    "kafka_cpu_secs_per_million": 1.0,
    "plain_insert_cpu_secs_per_million": 2.0,
    "table_insert_cpu_secs_per_million": 4.0,
    "plain_merge_cpu_secs_per_million": 2.0,
    "table_merge_cpu_secs_per_million": 3.0,
    "query_cpu_millis": 20.0,
    "query_millis": 20.0,
    "select_1_cpu_millis": 2.0,
    "select_1_millis": 2.0,
    "rows_missing": 0,
    "rows_twice": 0,
}
BASELINE_RATIOS = {ratio.name: ratio.of(USUAL) for ratio in RATIOS}
HELD = [ratio for ratio in RATIOS if ratio.is_held]


def repetition(slowness: float = 1.0, **times: float) -> Measurements:
    """The usual measurements on a slower machine; `times` multiplies some of them."""
    of_machine = {
        name: value / slowness if name.endswith("per_sec") else value * slowness for name, value in USUAL.items()
    }
    return with_ratios(of_machine | {name: of_machine[name] * factor for name, factor in times.items()})


def lines_of(*repetitions: Measurements) -> list[Line]:
    return summarise(measures(BASELINE_RATIOS), repetitions)


def test_a_machine_that_is_slower_changes_nothing() -> None:
    lines = lines_of(repetition(3.0), repetition(1.0), repetition(7.0))

    assert missed(lines) == []
    medians = {line.measure.name: line.median for line in lines}
    assert {name: medians[name] for name in BASELINE_RATIOS} == pytest.approx(BASELINE_RATIOS)


@pytest.mark.parametrize("held", HELD, ids=lambda ratio: str(ratio.name))
def test_a_cost_above_the_margin_is_reported_with_both_values(held: Ratio) -> None:
    factor = held.margin * 1.05
    dearer = repetition(**dict.fromkeys(held.costs, factor))

    sentences = missed(lines_of(dearer, dearer, dearer))

    [sentence] = [each for each in sentences if each.startswith(held.label)]
    assert f"(baseline {BASELINE_RATIOS[held.name]:.2f}): {BASELINE_RATIOS[held.name] * factor:.2f}" in sentence


@pytest.mark.parametrize("held", HELD, ids=lambda ratio: str(ratio.name))
@pytest.mark.parametrize("factor", [1.1, 0.9])
def test_noise_inside_the_margin_is_nothing(held: Ratio, factor: float) -> None:
    other = repetition(**dict.fromkeys(held.costs, factor))
    lines = lines_of(other, other, other)

    assert missed(lines) == []
    assert list(improvements(lines, BASELINE_RATIOS)) == []


def test_a_single_repetition_that_was_disturbed_does_not_count() -> None:
    disturbed = repetition(service_cpu_secs_per_million=3.0, table_insert_cpu_secs_per_million=2.0)

    assert missed(lines_of(repetition(), disturbed, repetition())) == []


@pytest.mark.parametrize("wrong", ["rows_missing", "rows_twice"])
def test_a_single_event_that_is_not_stored_once_is_worse(wrong: str) -> None:
    [sentence] = missed(lines_of(repetition(), repetition() | {wrong: 1}, repetition()))

    assert sentence.endswith("must be at most 0")


def test_time_is_reported_and_not_held() -> None:
    late = repetition(query_millis=9.0, service_events_per_sec=0.1)

    assert missed(lines_of(late, late, late)) == []


def test_a_much_lower_cost_suggests_a_new_baseline() -> None:
    cheaper = repetition(query_cpu_millis=0.5)
    lines = lines_of(cheaper, cheaper, cheaper)

    [sentence] = improvements(lines, BASELINE_RATIOS)
    assert sentence.startswith("CPU of a small query / of SELECT 1 (baseline 10.00): 5.00")
    assert missed(lines) == []


def test_a_baseline_that_was_written_is_held_to(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(path, {"date": "2026-11-29"}, summarise(measures({}), [repetition()]))

    assert read_baseline(path) == pytest.approx(BASELINE_RATIOS)


def test_without_a_baseline_nothing_is_compared(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no baseline"):
        read_baseline(tmp_path / "baseline.json")


def test_a_baseline_of_other_ratios_is_not_held_to(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"ratios": {**BASELINE_RATIOS, "another": 1.0}}))

    with pytest.raises(BenchError, match="another"):
        read_baseline(path)


@pytest.mark.parametrize("path", [BASELINE, BASELINE_IN_PYTHON], ids=lambda path: path.name)
def test_the_baselines_that_are_committed_have_every_ratio(path: Path) -> None:
    assert read_baseline(path).keys() == BASELINE_RATIOS.keys()
