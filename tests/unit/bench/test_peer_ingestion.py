"""The comparison of ingestion with other programs: rates, ratios, what is wanted, and the steps of the cost."""

from __future__ import annotations

import pytest

from bench.costs import cost_rows, engine_parts, service_steps
from bench.peer_drain import (
    CONNECTOR_OWN,
    ENGINE_FULL,
    SERVICE_FULL,
    SERVICE_PLAIN,
    SINKER_OWN,
    SINKER_PLAIN,
    Moments,
    rates,
)
from bench.peer_ingestion import goals, ingestion_chart, ingestion_tables, medians_of, ratios_of
from bench.report import Measurements
from bench.table_cost import COLUMNS, SHIPPED

RATES = ("rows_per_sec", "rows_per_sec_merged", "rows_per_sec_from_start")
OF_ENGINE = ("engine_cpu_secs_per_million", "engine_cpu_secs_per_million_merged")
OF_PROGRAM = ("cpu_secs_per_million", "cpu_secs_per_million_steady", "peak_memory_mb")
EXACT: Measurements = {"rows_missing": 0, "rows_twice": 0}


def drain(value: float) -> Measurements:
    return dict.fromkeys((*RATES, *OF_ENGINE, *OF_PROGRAM), value) | EXACT


def runs() -> dict[str, list[Measurements]]:
    values = {SERVICE_FULL: 2.0, SERVICE_PLAIN: 1.0, SINKER_PLAIN: 4.0, SINKER_OWN: 5.0, CONNECTOR_OWN: 32.0}
    found = {name: [drain(value), drain(3 * value)] for name, value in values.items()}
    engine = dict.fromkeys((*RATES, *OF_ENGINE), 2.5) | EXACT
    return found | {ENGINE_FULL: [engine, engine]}


def test_rates_leave_out_the_first_rows_and_the_time_until_they_came() -> None:
    found = rates(Moments(began_at=0, first_at=10, last_at=20, merged_at=30), first=200, events=1000)

    assert found == {"rows_per_sec": 80, "rows_per_sec_from_start": 50, "rows_per_sec_merged": 40}


def test_rates_count_from_the_start_if_all_rows_came_at_once() -> None:
    found = rates(Moments(began_at=0, first_at=10, last_at=10, merged_at=20), first=1000, events=1000)

    assert found == {"rows_per_sec": 100, "rows_per_sec_from_start": 100, "rows_per_sec_merged": 50}


def test_a_ratio_is_the_median_of_those_of_the_rounds() -> None:
    ratios = ratios_of(runs())

    assert ratios[f"{SERVICE_FULL} / {SINKER_PLAIN}"]["rows_per_sec"] == 0.5
    assert ratios[f"{SERVICE_PLAIN} / {SINKER_PLAIN}"]["cpu_secs_per_million"] == 0.25
    assert ratios[f"{SERVICE_FULL} / {ENGINE_FULL}"]["rows_per_sec_merged"] == pytest.approx((0.8 + 2.4) / 2)


def test_the_engine_alone_has_no_program_whose_cost_could_be_compared() -> None:
    assert not set(OF_PROGRAM) & ratios_of(runs())[f"{SERVICE_FULL} / {ENGINE_FULL}"].keys()
    assert any(line.startswith("| Peak resident memory") and line.endswith("|  |") for line in ingestion_tables(runs()))


def test_what_is_wanted_is_said_with_what_was_reached() -> None:
    found = [line.cells() for line in goals(runs())]

    assert len(found) == 6
    assert found[:2] == [
        (f"CPU s per million: {SERVICE_FULL} / {SINKER_PLAIN}", "0.50", "0.50 to 0.50", "at most 1", "yes"),
        (f"Rows/s: {SERVICE_PLAIN} / {SINKER_PLAIN}", "0.25", "0.25 to 0.25", "at least 1", "NO"),
    ]
    assert found[3][3:] == ("at most 0.125", "yes")


def test_without_the_peers_the_engine_is_left_to_compare_with() -> None:
    found = {name: of for name, of in runs().items() if name in (SERVICE_FULL, SERVICE_PLAIN, ENGINE_FULL)}

    assert list(ratios_of(found)) == [f"{SERVICE_FULL} / {ENGINE_FULL}"]
    assert len(goals(found)) == 1


def test_a_row_that_was_lost_in_one_round_shows_in_the_table() -> None:
    found = runs()
    found[SINKER_OWN][1]["rows_missing"] = 7

    assert medians_of(found)[SINKER_OWN]["rows_missing"] == 7


def test_the_chart_names_every_drain_and_leaves_out_what_was_not_measured() -> None:
    chart = ingestion_chart(runs())

    assert all(f">{name}</text>" in chart for name in runs())
    # One background, and a bar for each of 7 measures and 6 drains but for the two that the engine alone does not have.
    assert chart.count("<rect") == 1 + 7 * 6 - 2


STEPS = {
    "records to rows": 0.7,
    "limits and receipts": 0.1,
    "batch of chunks": 0.05,
    "words": 0.01,
    "body of the insert": 0.2,
}


def test_the_steps_of_the_service_add_up_to_a_drain() -> None:
    found = service_steps(whole=4.0, reading=1.5, steps=STEPS, inserting=0.8)

    assert sum(found.values()) == pytest.approx(4.0)
    assert found["building: batches, words, blocks"] == pytest.approx(0.26)
    assert found["HTTP of the inserts"] == pytest.approx(0.59)


def test_parts_of_the_table_are_what_they_add_to_its_columns() -> None:
    parts = {
        SHIPPED: {"insert": 3.0, "merge": 4.0},
        COLUMNS: {"insert": 1.5, "merge": 2.5},
        "projection per_minute": {"insert": 1.75, "merge": 2.5},
    }

    found = engine_parts(1.0, parts)

    assert found[COLUMNS] == {"insert": 0.5, "merge": 2.5}
    assert found["projection per_minute"] == {"insert": 0.25, "merge": 0.0}
    assert list(found)[-1] == SHIPPED
    assert [cells[0] for cells in cost_rows({"service": {"decoding": 1.0}, "engine": found})] == [
        "service, decoding",
        "**service, a drain without its start**",
        "engine, HTTP, parsing, default values",
        f"engine, {COLUMNS}",
        "engine, projection per_minute",
        f"**engine, {SHIPPED}**",
    ]
