"""What the bench of scaling makes of samples and journals, and its chart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from bench.scaling import scraped_by
from bench.scaling_group import Reading
from bench.scaling_report import Outcome, Pause, Sample, gaps_of, outcome_of, pause_rows
from bench.svg_chart import Line, Panel, chart


def sample(at: float, *, rate: int = 100, lag: int = 0, instances: int = 1, reading: int | None = None) -> Sample:
    return Sample(at, rate, lag, lag / rate, instances, instances if reading is None else reading, 1.0)


def journal(inserts: Sequence[float], assigned: Sequence[float]) -> str:
    entries = [{"at": at, "rows": 1} for at in inserts] + [{"at": at, "assigned": "logs/1"} for at in assigned]
    return "".join(f"{json.dumps(entry)}\n" for entry in entries)


def test_a_step_in_numbers() -> None:
    before = [sample(at) for at in range(0, 10)]
    behind = [sample(at, rate=1000, lag=9000 + 100 * at) for at in range(10, 20)]
    joining = [sample(at, rate=1000, lag=9000, instances=7, reading=4) for at in range(20, 25)]
    enough = [sample(at, rate=1000, lag=500, instances=6) for at in range(25, 40)]
    after = [sample(at, instances=6) for at in range(40, 50)] + [sample(at) for at in range(50, 55)]

    assert outcome_of([*before, *behind, *joining, *enough, *after], 10, 40, needed=6) == Outcome(
        needed=6,
        enough_after_secs=15,
        recovered_after_secs=15,
        most_lag=10_900,
        most_lag_secs=10.9,
        most_instances=7,
        overshoot=1,
        back_after_secs=10,
    )


def test_a_lag_that_stays_is_no_recovery() -> None:
    samples = [sample(0), *(sample(at, rate=1000, lag=9000) for at in range(1, 9)), sample(9, instances=2)]

    found = outcome_of(samples, 1, 9, needed=2)

    assert found.recovered_after_secs is None
    assert found.back_after_secs is None


def test_a_gap_with_an_assignment_is_a_pause_and_others_are_usual() -> None:
    changes = [(0.0, 1), (10.0, 3), (50.0, 2)]
    old = journal([1, 2, 3, 14, 15, 55], assigned=[0.5, 12, 12.1, 51])
    new = journal([16, 17], assigned=[12])

    pauses, usual = gaps_of([old, new], changes)

    assert pauses == [Pause(14, 11, is_up=True), Pause(55, 40, is_up=False)]
    assert usual == [1, 1, 1, 1]


def test_rows_say_how_often_and_how_long() -> None:
    gaps = gaps_of([journal([0, 5, 6, 16], assigned=[1, 7])], [(-1.0, 1), (-0.5, 2)])

    assert list(pause_rows(gaps)) == [("others joined", "2", "5.0", "10.0"), ("nothing", "1", "1.0", "1.0")]


@pytest.mark.parametrize("kind", ["line", "step", "dots"])
def test_a_chart_is_xml_within_its_size(kind: str) -> None:
    line = Line("a < b", [(0, 0), (60, 12_345), (120, 3)], kind)  # type: ignore[arg-type]

    root = ElementTree.fromstring(chart("Load & lag", [Panel("Lag", [line]), Panel("None", [Line("x", [])])], [30]))  # noqa: S314 - it is ours

    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"a < b", "Lag", "15,000", "7,500", "2 min"} <= set(texts)


def test_each_instance_is_known_as_of_its_last_scrape() -> None:
    def found(**assigned: int) -> dict[int, Reading]:
        return {int(name[1:]): Reading(count, {}, 0.0) for name, count in assigned.items()}

    readings = [(0.0, found(_1=12)), (5.0, found(_1=12, _2=0)), (10.0, found(_1=6, _2=6)), (20.0, found(_2=12))]

    # The first one is scraped at 4, 19 and 34 s, the second one at 8 and 23 s.
    assert [reading.assigned for reading in scraped_by(15, readings)] == [12, 0]
    assert [reading.assigned for reading in scraped_by(22, readings)] == [6, 0]
    assert [reading.assigned for reading in scraped_by(25, readings)] == [6, 12]
    assert [reading.assigned for reading in scraped_by(35, readings)] == [12]
