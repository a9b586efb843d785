"""Time: ranges, the chart, and the zone in which times are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.query_table import QueryTable
from tests.explorer.conftest import Visit
from tests.explorer.site import Explorer, Site

pytestmark = pytest.mark.stack


def between(table: QueryTable, start: str, end: str) -> int:
    """Number of logs from one time until before another."""
    start_ms, end_ms = (datetime.fromisoformat(text).timestamp() * 1000 for text in (start, end))
    return sum(start_ms <= log.time_ms < end_ms for log in table.logs)


def test_a_quick_range_is_chosen_and_kept_relative(explorer: Explorer) -> None:
    before = explorer.total
    explorer.page.locator("#time").click()
    explorer.page.get_by_role("button", name="Last 6 hours").click()
    explorer.settled()

    assert explorer.total > 2 * before
    assert explorer.state == {"start": "now-6h"}
    expect(explorer.page.locator("#time")).to_have_text("Last 6 hours")


def test_an_exact_range_is_taken_in_the_zone_that_is_shown(explorer: Explorer, sample_table: QueryTable) -> None:
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    start = end - timedelta(minutes=20)
    explorer.page.locator("#time").click()
    explorer.page.get_by_label("UTC").check()
    explorer.page.get_by_label("From", exact=True).fill(utc(start))
    explorer.page.get_by_label("To", exact=True).fill(utc(end))
    explorer.page.get_by_role("button", name="Apply").click()
    explorer.settled()

    state = explorer.state
    assert datetime.fromisoformat(state["start"]) == start
    assert datetime.fromisoformat(state["end"]) == end
    assert explorer.total == between(sample_table, state["start"], state["end"])


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def test_a_range_that_ends_before_it_starts_is_not_taken(explorer: Explorer) -> None:
    explorer.page.locator("#time").click()
    explorer.page.get_by_label("From", exact=True).fill("2026-01-02T00:00:00")
    explorer.page.get_by_label("To", exact=True).fill("2026-01-01T00:00:00")
    explorer.page.get_by_role("button", name="Apply").click()

    expect(explorer.page.get_by_text("The start must be before the end.")).to_be_visible()
    assert explorer.state == {}


def test_dragging_over_the_chart_zooms_in_and_back_goes_out(explorer: Explorer, sample_table: QueryTable) -> None:
    before = explorer.total
    box = explorer.page.locator("#histogram").bounding_box()
    assert box
    middle = box["y"] + 30
    explorer.page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    explorer.page.mouse.down()
    explorer.page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=5)
    expect(explorer.page.locator("#tip")).to_be_visible()
    explorer.page.mouse.up()
    explorer.page.wait_for_url("**/?*start=*")
    explorer.settled()

    state = explorer.state
    length = datetime.fromisoformat(state["end"]) - datetime.fromisoformat(state["start"])
    assert timedelta(minutes=14) < length < timedelta(minutes=16)
    assert explorer.total == between(sample_table, state["start"], state["end"])
    assert 0 < explorer.total < before

    explorer.page.go_back()
    expect(explorer.page.locator("#time")).to_have_text("Last hour")
    explorer.settled()
    assert explorer.total == pytest.approx(before, abs=30)


def test_the_chart_is_read_and_zoomed_with_the_keyboard(explorer: Explorer) -> None:
    explorer.page.locator("#histogram").focus()
    explorer.page.keyboard.press("ArrowRight")
    explorer.page.keyboard.press("ArrowRight")
    tip = explorer.page.locator("#tip")
    expect(tip).to_contain_text(re.compile(r"INFO \d"))
    said = tip.inner_text()
    explorer.page.keyboard.press("Enter")
    explorer.page.wait_for_url("**/?*start=*")
    explorer.settled()

    together = re.search(r"total (\d+)", said)
    assert together
    assert explorer.total == int(together[1])


def test_the_legend_counts_by_level_and_narrows_to_one(explorer: Explorer) -> None:
    button = explorer.page.get_by_role("group", name="Levels").get_by_role("button", name="ERROR")
    count = int(button.locator(".count").inner_text().replace(",", ""))
    button.click()
    explorer.settled()

    assert explorer.total == pytest.approx(count, abs=5)
    assert explorer.query.input_value() == "level:ERROR"


def test_earlier_later_and_wider_move_the_range(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Earlier").click()
    explorer.settled()
    first = explorer.state
    explorer.page.get_by_role("button", name="Earlier").click()
    explorer.settled()
    assert explorer.state["end"] == first["start"]
    explorer.page.get_by_role("button", name="Later").click()
    explorer.settled()
    assert explorer.state == first
    explorer.page.get_by_role("button", name="Twice as much time").click()
    explorer.settled()
    length = datetime.fromisoformat(explorer.state["end"]) - datetime.fromisoformat(explorer.state["start"])
    assert length == timedelta(hours=2)


def test_a_time_without_a_zone_is_utc_as_it_is_for_the_service(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, "?start=2020-01-01T10:00:00&end=2020-01-01T11:00:00")

    expect(explorer.page.locator("#time")).to_have_text("Jan 01 2020 11:00:00 – 12:00:00")
    explorer.page.get_by_role("button", name="Earlier").click()
    assert explorer.state["start"] == "2020-01-01T09:00:00.000Z"


def test_times_are_shown_in_the_zone_of_the_visitor_or_in_utc(explorer: Explorer) -> None:
    local = explorer.cells("time")[0]
    explorer.page.locator("#time").click()
    explorer.page.get_by_label("UTC").check()
    explorer.page.keyboard.press("Escape")
    explorer.settled()
    utc_time = explorer.cells("time")[0]

    hours = (int(local.split()[2][:2]) - int(utc_time.split()[2][:2])) % 24
    assert hours in (1, 2)  # Berlin, in winter and in summer
    explorer.page.reload()
    explorer.settled()
    assert explorer.cells("time")[0].split()[2][:2] == utc_time.split()[2][:2]
