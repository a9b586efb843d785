"""Searching: results, suggestions, errors, and state in the address."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.query_table import QueryTable
from tests.explorer.conftest import Visit, site_over
from tests.explorer.site import Explorer, Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack


def expected(table: QueryTable, secs: float, **fields: str) -> int:
    """Number of logs of the last `secs` seconds with these values."""
    since_ms = (time.time() - secs) * 1000
    return sum(
        log.time_ms >= since_ms and all(log.event.get(name) == value for name, value in fields.items())
        for log in table.logs
    )


def test_the_page_opens_with_the_newest_logs_of_the_last_hour(explorer: Explorer, sample_table: QueryTable) -> None:
    times = [row.locator(".time").inner_text() for row in explorer.rows.all()]

    assert len(times) > 20
    assert explorer.cells("time") == sorted(times, reverse=True)
    # The range moves on while the page is opened.
    assert explorer.total == pytest.approx(expected(sample_table, 3600), abs=30)
    assert explorer.state == {}


def test_a_query_finds_only_matching_logs_and_is_in_the_address(explorer: Explorer, sample_table: QueryTable) -> None:
    explorer.search("service:payment-service level:ERROR")

    assert set(explorer.cells("service")) == {"payment-service"}
    assert set(explorer.cells("level")) == {"ERROR"}
    wanted = expected(sample_table, 3600, service="payment-service", level="error")
    assert explorer.total == pytest.approx(wanted, abs=5)
    assert explorer.state == {"query": "service:payment-service level:ERROR"}
    assert explorer.page.title().startswith("service:payment-service level:ERROR")


def test_an_address_shows_all_that_it_was_copied_from(visit: Visit, sample_site: Site) -> None:
    first = visit(sample_site)
    first.search("timeout")
    first.page.get_by_role("button", name="Columns", exact=True).click()
    first.page.get_by_label("host", exact=True).check()
    first.page.keyboard.press("Escape")
    first.open_log(3)
    first.page.get_by_role("tab", name="Context").click()

    second = visit(sample_site, first.page.url.removeprefix(sample_site.url))

    assert second.query.input_value() == "timeout"
    expect(second.page.get_by_role("tab", name="Context")).to_have_attribute("aria-selected", "true")
    expect(second.detail).to_contain_text("timeout after 30 s")
    assert set(second.cells("host")) <= {"host-0", "host-1", "host-2"}
    assert second.state == first.state


def test_the_back_button_goes_back_to_the_search_before(explorer: Explorer) -> None:
    explorer.search("level:ERROR")
    explorer.search("level:WARN")
    explorer.page.go_back()
    expect(explorer.query).to_have_value("level:ERROR")
    explorer.settled()

    assert set(explorer.cells("level")) == {"ERROR"}
    explorer.page.go_back()
    expect(explorer.query).to_have_value("")


def test_fields_and_values_are_suggested_and_taken_with_the_keyboard(explorer: Explorer) -> None:
    explorer.query.press_sequentially("serv", delay=20)
    expect(explorer.suggestions.get_by_role("option").first).to_contain_text("service:")
    explorer.query.press("ArrowDown")
    expect(explorer.query).to_have_attribute("aria-activedescendant", "suggestion-0")
    explorer.query.press("Enter")

    expect(explorer.query).to_have_value("service:")
    expect(explorer.suggestions.get_by_role("option")).to_have_count(3)
    explorer.query.press_sequentially("pay", delay=20)
    expect(explorer.suggestions.get_by_role("option")).to_have_count(1)
    explorer.query.press("Tab")
    expect(explorer.query).to_have_value("service:payment-service ")
    explorer.query.press("Enter")
    explorer.settled()

    assert set(explorer.cells("service")) == {"payment-service"}


def test_a_chosen_suggestion_stays_chosen_when_later_ones_arrive(explorer: Explorer) -> None:
    explorer.query.press_sequentially("serv", delay=20)
    expect(explorer.suggestions.get_by_role("option").first).to_contain_text("service:")
    explorer.query.press("ArrowDown")
    explorer.query.dispatch_event("input")  # like a key pressed just before
    explorer.page.wait_for_timeout(400)  # longer than the box waits for more keys

    explorer.query.press("Enter")

    expect(explorer.query).to_have_value("service:")


def test_suggestions_of_a_busy_service_come_a_little_later(explorer: Explorer) -> None:
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=429, json={"error": {"code": "too_busy", "message": "Too many concurrent requests"}})

    explorer.page.route("**/fields/service/values?*", refuse_once)
    explorer.query.fill("service:")

    expect(explorer.suggestions.get_by_role("option")).to_have_count(3)
    assert len(refused) == 1


def test_a_suggestion_is_taken_with_the_mouse_within_a_query(explorer: Explorer) -> None:
    explorer.query.fill("(level: OR timeout) ok")
    explorer.evaluate("document.getElementById('query').setSelectionRange(7, 7)")
    explorer.query.dispatch_event("input")
    explorer.suggestions.get_by_role("option", name="WARN").click()

    expect(explorer.query).to_have_value("(level:WARN OR timeout) ok")


def test_an_error_is_shown_at_its_position(explorer: Explorer) -> None:
    explorer.search("level:ERROR (timeout OR")

    problem = explorer.page.locator("#problem")
    expect(problem).to_contain_text("Expected")
    expect(explorer.query).to_have_attribute("aria-invalid", "true")
    assert explorer.rows.count() == 0

    explorer.query.press("End")
    explorer.query.press_sequentially(" ok)")
    expect(problem).to_be_hidden()
    explorer.query.press("Escape")
    explorer.query.press("Enter")
    explorer.settled()
    assert explorer.rows.count() > 0


def test_the_position_of_an_error_is_counted_in_characters(explorer: Explorer) -> None:
    explorer.search('"🙂🙂" response_time_ms:>fast')

    expect(explorer.page.locator("#problem mark")).to_have_text("f")


def test_a_query_of_several_lines_stays_one(visit: Visit, engine: RunningEngine) -> None:
    table = QueryTable(engine)
    table.store([(int(time.time() * 1000), {"message": "Exception: a\n  at b", "level": "error", "service": "web"})])
    site = site_over(table)
    explorer = visit(site)
    explorer.open_log().get_by_role("button", name="Find this message").click()
    explorer.settled()
    explorer.query.press("End")
    explorer.query.press_sequentially(" level:ERROR")
    explorer.query.press("Escape")
    explorer.query.press("Enter")
    explorer.settled()

    assert explorer.state["query"] == 'message:"Exception: a\n  at b" level:ERROR'
    assert explorer.rows.count() == 1
    site.close()
    table.drop()


def test_a_list_of_suggestions_does_not_come_after_the_search(explorer: Explorer) -> None:
    explorer.query.press_sequentially("level")
    explorer.query.press("Enter")
    explorer.settled()
    explorer.page.wait_for_timeout(400)

    expect(explorer.suggestions).to_be_hidden()


def test_a_suggestion_replaces_the_text_typed_so_far(explorer: Explorer) -> None:
    explorer.query.press_sequentially("service:pa")
    expect(explorer.suggestions.get_by_role("option")).to_have_count(1)
    explorer.query.press("y")
    explorer.query.press("Tab")

    expect(explorer.query).to_have_value("service:payment-service ")


def test_names_of_fields_are_not_suggested_as_values_while_these_are_loading(explorer: Explorer) -> None:
    explorer.page.route("**/values?*", lambda _route: None)  # is never answered
    explorer.query.press_sequentially("servic")
    expect(explorer.suggestions.get_by_role("option").first).to_be_visible()

    explorer.query.press_sequentially("e:")

    expect(explorer.suggestions).to_be_hidden()


def test_a_probable_typo_is_pointed_out(explorer: Explorer) -> None:
    explorer.search("servce:checkout")

    expect(explorer.page.locator("#problem")).to_contain_text("was service meant?")
    expect(explorer.page.get_by_role("heading", name="No logs match")).to_be_visible()


def test_the_list_of_suggestions_is_below_the_box_however_tall_that_is(explorer: Explorer) -> None:
    for query in ("service:", "timeout\nOR service:", "a\n" * 20 + "service:"):
        explorer.query.fill(query)
        expect(explorer.suggestions.get_by_role("option").first).to_be_visible()
        box, listed = explorer.query.bounding_box(), explorer.suggestions.bounding_box()
        assert box
        assert listed
        assert box["y"] + box["height"] <= listed["y"] < box["y"] + box["height"] + 12
        explorer.query.press("Escape")


def test_hints_are_buttons_that_apply_them(explorer: Explorer) -> None:
    statistics = {"took_ms": 1, "rows_read": 1, "bytes_read": 1}
    hints = [
        {"message": "A colon separates field and value.", "query": "level:ERROR"},
        {"message": "No query."},
    ]
    nothing = {"rows": [], "complete": True, "statistics": statistics, "hints": hints}
    explorer.page.route("**/api/v1/logs?*level%3DERROR*", lambda route: route.fulfill(json=nothing))
    explorer.search("level=ERROR")

    problem = explorer.page.locator("#problem")
    assert [line.split("\n")[0] for line in problem.locator("p").all_inner_texts()] == [
        "A colon separates field and value.",
        "No query.",
    ]
    problem.get_by_role("button").click()
    explorer.settled()
    expect(explorer.query).to_have_value("level:ERROR")
    assert explorer.rows.count() > 0
    expect(problem).to_be_hidden()


def test_what_a_value_begins_like_is_offered_when_nothing_is_found(explorer: Explorer) -> None:
    for query, offered, then in (
        ("service:che", "service:checkout", "service:checkout"),
        ("timeout service:CHECKOUT", "service:checkout", "timeout service:checkout"),
        ("route:/r -level:DEBUG", re.compile("route:.*r1"), "route:/r1 -level:DEBUG"),
    ):
        explorer.search(query)
        assert explorer.total == 0

        explorer.page.locator("#logs").get_by_role("button", name=offered).click()
        explorer.settled()
        assert explorer.rows.count() > 0
        assert explorer.query.input_value().replace('"', "") == then


def test_an_empty_result_offers_a_wider_range(explorer: Explorer) -> None:
    explorer.search("service:nobody")

    explorer.page.get_by_role("button", name="Clear the search").click()
    explorer.settled()

    assert explorer.rows.count() > 0
    assert explorer.state == {}


def test_an_empty_table_is_explained_with_how_to_send_logs(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, "?start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z")

    shown = explorer.page.get_by_label("Command that sends a log")
    expect(shown).to_contain_text(f"{sample_site.url}api/v1/logs")
    sent = subprocess.run(["bash", "-c", shown.inner_text()], capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(sent.stdout)["stored"] == 1, sent
    assert explorer.copied(explorer.page.get_by_role("button", name="Copy").click) == shown.inner_text()

    explorer.page.get_by_role("button", name="Search the last 24 hours").click()
    explorer.settled()
    assert explorer.rows.count() > 0


def test_a_failed_query_is_reported_and_retried(explorer: Explorer) -> None:
    message = "ClickHouse does not answer."
    body = f'{{"error": {{"status": 503, "code": "try_again_later", "message": "{message}"}}}}'
    explorer.page.route(
        "**/api/v1/**", lambda route: route.fulfill(status=503, content_type="application/json", body=body)
    )
    explorer.search("timeout")

    expect(explorer.page.get_by_role("alert").filter(has_text=message)).to_be_visible()

    explorer.page.unroute("**/api/v1/**")
    explorer.page.get_by_role("button", name="Try again").click()
    explorer.settled()
    assert explorer.rows.count() > 0


def test_an_unavailable_service_is_reported(explorer: Explorer) -> None:
    explorer.page.route("**/api/v1/**", lambda route: route.abort())
    explorer.search("timeout")

    expect(explorer.page.get_by_role("heading", name="No connection")).to_be_visible()


ERRORS = [
    (503, "try_again_later", "The logs are unavailable", "try again in a moment"),
    (504, "time_is_up", "The search took too long", "Choose a shorter time range"),
    (429, "too_busy", "The service is busy", "Wait a moment"),
    (422, "too_much_memory", "The search needs too much memory", "Choose a shorter time range"),
    (422, "cannot_be_answered", "ClickHouse refused the search", "Change the search"),
    (500, "internal_server_error", "The logs could not be read", "the log of the service"),
]


def refusing(status: int, code: str) -> Callable[[Route], None]:
    error = {"status": status, "code": code, "message": f"cannot answer a question: {code}"}
    return lambda route: route.fulfill(status=status, json={"error": error})


def test_an_error_says_what_happened_and_what_to_do(explorer: Explorer) -> None:
    alert = explorer.page.get_by_role("alert")
    for status, code, title, advice in ERRORS:
        explorer.page.route("**/api/v1/**", refusing(status, code))
        explorer.search("timeout")

        expect(alert.get_by_role("heading", name=title)).to_be_visible()
        expect(alert).to_contain_text(advice)
        expect(alert.locator(".details")).to_have_text(f"cannot answer a question: {code}")
        expect(explorer.facets.locator("li")).to_have_count(0)  # those of the search before
        explorer.page.unroute("**/api/v1/**")
        explorer.page.get_by_role("button", name="Try again").click()
        explorer.settled()
        assert explorer.rows.count() > 0
        expect(explorer.facets.locator("li")).not_to_have_count(0)


def test_a_search_that_ran_out_of_time_can_go_on(explorer: Explorer) -> None:
    """The first page is empty with a cursor, as for a rare word in many logs."""
    statistics = {"took_ms": 1, "rows_read": 1, "bytes_read": 1}
    nothing = {"rows": [], "complete": False, "next_cursor": "c", "statistics": statistics}
    urls: list[str] = []

    def answer(route: Route) -> None:
        urls.append(route.request.url)
        if len(urls) == 1:
            route.fulfill(json=nothing)
        else:
            route.continue_(url=urls[0])

    explorer.page.route("**/api/v1/logs?*", answer)
    explorer.search("timeout")
    expect(explorer.page.locator("#logs")).to_contain_text("The search timed out")
    assert len(urls) == 1

    explorer.page.get_by_role("button", name="Continue search").click()
    expect(explorer.rows.first).to_be_visible()
    assert "cursor=c" in urls[1]
