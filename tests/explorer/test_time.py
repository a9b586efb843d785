"""Time: ranges, the chart, and the zone in which times are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

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


def test_there_is_nothing_later_than_now(explorer: Explorer) -> None:
    later = explorer.page.get_by_role("button", name="Later")
    expect(later).to_be_disabled()
    explorer.page.get_by_role("button", name="Earlier").click()
    explorer.settled()
    expect(later).to_be_enabled()
    explorer.page.get_by_role("button", name="Twice as much time").click()  # half an hour is left until now
    explorer.settled()
    later.click()
    explorer.settled()

    state = explorer.state
    assert datetime.fromisoformat(state["end"]) <= datetime.now(UTC)
    expect(later).to_be_disabled()
    assert datetime.fromisoformat(state["end"]) - datetime.fromisoformat(state["start"]) == timedelta(hours=2)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("now-30m", "now", "Last 30 minutes"),
        ("now-1d", "now", "Last day"),
        ("now-2h", "now-1h", "2 hours ago to 1 hour ago"),
        ("2026-01-02T03:04:05Z", "now", "Jan 02 .*04:04:05 to now"),
        ("garbage", "now", "Unreadable time range"),
    ],
)
def test_a_range_is_named_in_words(scripts: Page, start: str, end: str, words: str) -> None:
    script = """async ([start, end]) => (await import("/explorer/any/time.js")).rangeText(start, end)"""

    assert re.fullmatch(words, scripts.evaluate(script, [start, end]))


def test_a_range_that_cannot_be_used_is_explained(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, "?start=garbage&end=now")
    expect(explorer.page.locator("#time-label")).to_have_text("Unreadable time range")
    for start, end in (("garbage", "now"), ("now", "now-1h"), ("now-1h", "tomorrow")):
        explorer.open(f"?start={start}&end={end}")
        expect(explorer.page.get_by_role("heading", name="The time range cannot be used")).to_be_visible()

    explorer.page.get_by_role("button", name="Search the last hour").click()
    explorer.settled()
    assert explorer.rows.count() > 0


def test_a_link_moves_on_with_time_or_keeps_its_times(explorer: Explorer) -> None:
    explorer.search("timeout")
    before = explorer.total

    def copied(button: str) -> str:
        explorer.page.get_by_role("button", name="Share").click()
        text = explorer.copied(explorer.page.get_by_role("button", name=button, exact=True).click)
        expect(explorer.page.get_by_role("dialog", name="Share")).to_be_hidden()
        return text.removeprefix(explorer.url)

    assert copied("Copy link") == "?query=timeout"
    fixed = copied("Copy link to these times")
    explorer.page.wait_for_timeout(1100)
    explorer.open(fixed)
    assert explorer.total == before
    state = explorer.state
    length = datetime.fromisoformat(state["end"]) - datetime.fromisoformat(state["start"])
    assert (state["query"], length) == ("timeout", timedelta(hours=1))
    explorer.page.get_by_role("button", name="Share").click()
    expect(explorer.page.get_by_role("button", name=re.compile("Copy link"))).to_have_count(1)


def times_of(url: str) -> tuple[str, str, str]:
    """What a request is about, and its range."""
    path, given = urlsplit(url).path.removeprefix("/api/v1/"), parse_qs(urlsplit(url).query)
    return path, given["start"][0], given["end"][0]


def test_all_requests_of_a_view_mean_the_same_now(explorer: Explorer) -> None:
    expect(explorer.facets.locator("summary", has_text="route")).to_be_visible()  # the requests before have ended
    before = len(explorer.watch.requested)
    explorer.page.get_by_role("button", name="Search again").click()
    explorer.settled()
    expect(explorer.facets.locator("ul.is-stale:visible")).to_have_count(0)

    asked = [times_of(url) for url in explorer.watch.requested[before:] if "start=" in url]
    paths = [path for path, _, _ in asked]
    assert {"logs", "histogram", "fields/level/values", "fields/service/values"} <= set(paths)
    [(start, end)] = {(start, end) for path, start, end in asked if path != "fields"}
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(hours=1)
    legend = explorer.page.get_by_role("group", name="Levels").get_by_role("button", name="INFO").locator(".count")
    facet = explorer.facets.locator("li").filter(has_text="INFO").locator(".count")
    assert facet.inner_text() == legend.inner_text()


def test_now_is_that_of_the_service_where_the_clock_of_the_browser_is_wrong(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, is_new=True)
    before = explorer.total
    explorer.page.clock.install(time=datetime.now(UTC) - timedelta(days=2))
    explorer.page.reload()
    explorer.settled()
    explorer.page.get_by_role("button", name="Search again").click()
    explorer.settled()

    assert explorer.total == pytest.approx(before, abs=30)


SCALE = """async (counts) => (await import("/explorer/any/chart_scale.js")).scaleOf(counts)"""


def test_one_spike_does_not_flatten_the_chart_and_its_scale_is_round(explorer: Explorer) -> None:
    scales = [explorer.evaluate(SCALE, counts) for counts in ([110] * 59 + [9000], [110] * 50 + [900] * 10, [7], [])]

    assert scales == [
        {"top": 200, "isCut": True},
        {"top": 1000, "isCut": False},
        {"top": 8, "isCut": False},
        {"top": 1, "isCut": False},
    ]
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now - timedelta(hours=1)
    counts = [{"time": utc(start + timedelta(minutes=n)) + "Z", "level": "INFO", "count": 110} for n in range(60)]
    counts[20]["count"] = 9000
    statistics = {"took_ms": 1, "rows_read": 1, "bytes_read": 1}
    answer = {"rows": counts, "complete": True, "interval_secs": 60, "start": utc(start) + "Z", "end": utc(now) + "Z"}
    explorer.page.route("**/api/v1/histogram?*", lambda route: route.fulfill(json={**answer, "statistics": statistics}))
    explorer.page.get_by_role("button", name="Search again").click()
    explorer.settled()
    heights = [float(bar.get_attribute("height") or 0) for bar in explorer.page.locator(".bars rect").all()]
    assert max(heights) < 3 * min(heights)
    expect(explorer.page.locator(".bars .cut")).to_have_count(1)
    expect(explorer.page.locator(".bars .cut-count")).to_have_text("↑ 9,000")
    assert explorer.page.locator(".bars .most").all_text_contents() == ["200", "100"]


def test_the_zone_is_named_above_the_times(explorer: Explorer) -> None:
    zone = explorer.page.locator(".head .zone")
    expect(zone).to_have_text(re.compile(r"UTC\+0[12]:00"))
    explorer.page.locator("#time").click()
    explorer.page.get_by_label("UTC").check()
    expect(zone).to_have_text("UTC")
