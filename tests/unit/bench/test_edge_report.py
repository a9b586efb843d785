"""What the bench of too many clients makes of its samples."""

from __future__ import annotations

from collections import Counter

from bench.edge_clients import Tally
from bench.edge_report import (
    REPORT,
    memory_measurements,
    millis_measurements,
    tally_as_context,
    tally_measurements,
)
from bench.processes import Memory, memory_of_rollup
from bench.report import missed, summarise

TALLY = Tally(
    statuses=Counter({"tails 200": 50, "queries 429": 7, "pages 429": 2, "queries 503": 1}),
    received=Counter({"tails": 3_000_000, "queries": 500_000}),
    most_open=Counter({"tails": 50}),
)


def test_the_peak_of_the_memory_counts_and_not_its_median() -> None:
    found = memory_measurements("everything", [Memory(200, 300), Memory(451, 500), Memory(210, 310)])
    all_measures = {measure.name: 0.0 for measure in REPORT.measures}

    assert found == {"memory_everything_median_mb": 210, "memory_everything_peak_mb": 451}
    assert missed(summarise(REPORT.measures, [all_measures | found])) == [
        "Memory, everything, peak, MB: 451 (451 to 451), must be at most 450"
    ]


def test_a_probe_that_failed_is_counted_and_in_no_percentile() -> None:
    found = millis_measurements("everything", [2.0, None, 1.0, 101.0])

    assert found["live_everything_p50_ms"] == 2.0
    assert found["live_everything_max_ms"] == 101.0
    assert found["live_everything_failed"] == 1


def test_a_phase_in_which_every_probe_failed_has_no_good_times() -> None:
    found = millis_measurements("everything", [None, None])

    assert found["live_everything_failed"] == 2
    assert found["live_everything_max_ms"] == float("inf")


def test_refusals_of_all_kinds_of_clients_are_added_up() -> None:
    assert tally_measurements(TALLY) == {"refused_429": 9, "refused_503": 1, "received_mb": 3.5}
    assert tally_as_context(TALLY)["What queries got"] == "at most 0 open at once, 0.5 MB; 429: 7, 503: 1"


def test_memory_is_read_in_kibibytes() -> None:
    rollup = (
        "55bc59de0000-7ffdd6a50000 ---p 00000000 00:00 0   [rollup]\nRss:   2000 kB\nPss:   1000 kB\nPss_Dirty: 1 kB\n"
    )

    assert memory_of_rollup(rollup) == Memory(1.024, 2.048)
