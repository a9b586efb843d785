"""One log in full: its fields, context, trace, and export."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.e2e.query_table import Log, QueryTable
from tests.explorer.conftest import Visit
from tests.explorer.site import Explorer, Site

pytestmark = pytest.mark.stack


def newest(table: QueryTable, **has: object) -> Log:
    """The newest log that has these fields."""
    found = [log for log in table.logs if all((name in log.event) == wanted for name, wanted in has.items())]
    return max(found, key=lambda log: log.time_ms)


def test_a_log_opens_to_all_of_its_fields(visit: Visit, sample_site: Site, sample_table: QueryTable) -> None:
    log = newest(sample_table, user_id=True, response_time_ms=True, trace_id=True)
    detail = visit(sample_site, f"?query=trace_id:{log.event['trace_id']}").open_log()

    expect(detail.locator(".message")).to_have_text(log.event["message"])
    shown = {row.locator("th").inner_text(): row.locator(".value").inner_text() for row in detail.locator("tr").all()}
    assert shown.pop("timestamp").endswith("Europe/Berlin")
    assert shown == {
        **{name: log.event[name] for name in ("service", "user_id", "trace_id", "host")},
        "level": log.event["level"].upper(),
        "response_time_ms": f"{log.event['response_time_ms']:g}",
        "http.status_code": str(log.event["attributes"]["http.status_code"]),
        "route": log.event["attributes"]["route"],
        **{"topic": "logs", "partition": "0", "offset": str(log.offset)},
    }


def test_copying_gives_the_log_and_a_query_that_finds_it(explorer: Explorer) -> None:
    explorer.search("-level:DEBUG")
    detail = explorer.open_log(2)
    log_id = explorer.state["log"]

    def copied(button: str) -> str:
        text = explorer.copied(detail.get_by_role("button", name=button).click)
        expect(explorer.page.get_by_role("status").filter(has_text="Copied")).to_be_attached()
        return text

    assert json.loads(copied("Copy as JSON"))["id"] == log_id
    link = copied("Copy link")
    explorer.search(copied("Copy as query"))
    assert explorer.total == 1
    assert explorer.rows.first.get_attribute("id") == f"log-{log_id}"

    # The link shows the search and the time around the log, whenever it is opened.
    explorer.open(link.removeprefix(explorer.url))
    expect(explorer.detail.locator(".message")).to_be_visible()
    state = explorer.state
    at = int(log_id.split("-")[0]) / 1e9
    start, end = (datetime.fromisoformat(state.pop(name)).timestamp() for name in ("start", "end"))
    assert [at - start, end - at] == pytest.approx([900, 900], abs=1)
    assert state == {"query": "-level:DEBUG", "log": log_id}
    expect(explorer.page.locator(f'[id="log-{log_id}"]')).to_have_attribute("aria-selected", "true")


def test_the_context_is_that_of_the_service_the_host_or_everything(explorer: Explorer) -> None:
    detail = explorer.open_log(5)
    service = detail.locator("h2").inner_text().split()[-1]
    detail.get_by_role("tab", name="Context").click()
    lines = detail.locator(".lines li")

    expect(lines.first).to_be_visible()
    assert set(detail.locator(".lines .service").all_inner_texts()) == {service}
    expect(detail.locator('.lines [aria-current="true"]')).to_have_count(1)

    detail.get_by_role("button", name="everything").click()
    expect(lines).to_have_count(31)  # 25 before, itself, 5 after: it is the sixth of all
    assert len(set(detail.locator(".lines .service").all_inner_texts())) == 3

    detail.get_by_role("button", name="More").click()
    expect(lines).to_have_count(106)
    times = detail.locator(".lines .time").evaluate_all("(times) => times.map(({ title }) => title)")
    assert times == sorted(times)


def test_a_log_of_the_context_is_opened_in_its_turn(explorer: Explorer) -> None:
    detail = explorer.open_log(5)
    detail.get_by_role("tab", name="Context").click()
    before = explorer.state["log"]
    detail.locator(".lines li button").first.click()

    expect(detail.locator(".lines .is-this")).to_have_count(1)
    assert explorer.state["log"] != before
    assert explorer.state["tab"] == "context"


def test_the_trace_is_shown_and_can_be_searched(visit: Visit, sample_site: Site, sample_table: QueryTable) -> None:
    log = newest(sample_table, trace_id=True)
    trace_id = log.event["trace_id"]
    wanted = [
        other.id
        for other in sample_table.logs
        if other.event.get("trace_id") == trace_id and abs(other.time_ms - log.time_ms) < 3_600_000
    ]
    explorer = visit(sample_site, f"?log={log.id}&tab=trace")
    expect(explorer.detail.locator(".lines li")).to_have_count(len(wanted))

    explorer.detail.get_by_role("button", name="Search this trace").click()
    explorer.settled()
    assert explorer.total == len(wanted)


def test_a_log_without_a_trace_has_no_tab_for_it(visit: Visit, sample_site: Site, sample_table: QueryTable) -> None:
    explorer = visit(sample_site, f"?log={newest(sample_table, trace_id=False).id}&tab=trace")

    expect(explorer.page.get_by_role("tab", name="Fields")).to_have_attribute("aria-selected", "true")
    expect(explorer.page.get_by_role("tab", name="Trace")).to_have_count(0)


def test_a_log_that_no_longer_exists_is_reported(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, "?log=1-2-3-4-gone")

    expect(explorer.detail.get_by_role("alert")).to_be_visible()
    explorer.detail.get_by_role("button", name="Close").click()
    expect(explorer.detail).to_be_hidden()
    assert explorer.state == {}


def test_the_back_button_closes_the_log(explorer: Explorer) -> None:
    explorer.open_log(1)
    explorer.detail.get_by_role("button", name="Older log").click()
    expect(explorer.page.locator('#logs .row[aria-rowindex="4"]')).to_have_attribute("aria-selected", "true")
    explorer.page.go_back()

    expect(explorer.detail).to_be_hidden()


def test_how_a_log_was_read_is_shown_from_its_record(visit: Visit, sample_site: Site, sample_table: QueryTable) -> None:
    log = newest(sample_table, trace_id=True)
    detail = visit(sample_site, f"?log={log.id}").detail
    detail.get_by_role("tab", name="How it was read").click()

    expect(detail.locator(".reading-form")).to_have_text("Read as JSON")
    expect(detail.get_by_text("The time was written with its zone.")).to_be_visible()
    shown = {row.locator("th").inner_text(): row.locator(".value").inner_text() for row in detail.locator("tr").all()}
    assert shown["message"].startswith("key message: ")
    assert log.event["message"] in shown["message"]
    assert "a number since 1970" in shown["timestamp"]
    expect(detail.get_by_role("status")).to_contain_text("stored by a reader that the row does not name")


def test_a_log_whose_record_is_gone_says_so(explorer: Explorer) -> None:
    explorer.page.route(
        "**/api/v1/logs/*/explain",
        lambda route: route.fulfill(
            json={
                **{"basis": "message", "note": "Kafka no longer has the record.", "form": [], "sources": []},
                **{"settings": {"DAY_FIRST": "true"}, "differences": ["level"], "reader": "a", "reader_now": "b"},
            }
        ),
    )
    detail = explorer.open_log(1)
    detail.get_by_role("tab", name="How it was read").click()

    expect(detail.get_by_role("status")).to_have_text("Kafka no longer has the record.")
    expect(detail.get_by_text("With other settings it would be another row: DAY_FIRST=true")).to_be_visible()
    expect(detail.get_by_text("Stored today, these fields would have other values: level")).to_be_visible()
    expect(detail.get_by_role("row")).to_have_count(0)


def test_a_reading_that_fails_says_why(explorer: Explorer) -> None:
    body = {"error": {"status": 503, "code": "try_again_later", "message": "ClickHouse does not answer."}}
    explorer.page.route("**/api/v1/logs/*/explain", lambda route: route.fulfill(status=503, json=body))
    detail = explorer.open_log(1)
    detail.get_by_role("tab", name="How it was read").click()

    expect(detail.locator(".note.is-error")).to_contain_text("ClickHouse")
