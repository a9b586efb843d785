"""While a search is slow: what is old is grey, there is the elapsed time, and the search can be cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.explorer.site import Explorer

pytestmark = pytest.mark.stack

LOGS = re.compile(r"/api/v1/logs\?")
COUNTS = re.compile(r"/api/v1/histogram\?")
OLD = ("#logs .canvas", "#total", "#legend", "#histogram", "#facet-list")


def hold(explorer: Explorer, *paths: re.Pattern[str]) -> Callable[[], None]:
    """Leave requests unanswered; returns what lets them go on."""
    held: list[Route] = []
    for path in paths:
        explorer.page.route(path, lambda route: held.append(route))

    def release() -> None:
        for route in held:
            route.continue_()
        for path in paths:
            explorer.page.unroute(path)

    return release


def send(explorer: Explorer, query: str) -> None:
    explorer.query.fill(query)
    explorer.query.press("Escape")
    explorer.query.press("Enter")


def ended(explorer: Explorer, path: re.Pattern[str], query: str) -> Any:
    """A context that the page leaves once it has given up such a request, which it may be told of a little later."""
    return explorer.page.expect_event(
        "requestfailed", lambda request: bool(path.search(request.url)) and f"query={query}" in request.url
    )


def logs_are_new(explorer: Explorer) -> None:
    """Wait until the logs of the search are shown, whatever else is still awaited."""
    expect(explorer.page.locator("#logs .canvas")).to_have_css("opacity", "1")


def opacity(explorer: Explorer, element: str) -> float:
    return float(explorer.page.locator(element).evaluate("(one) => getComputedStyle(one).opacity"))


def test_what_belongs_to_the_search_before_is_grey_until_the_new_one_is_there(explorer: Explorer) -> None:
    release = hold(explorer, LOGS, COUNTS)
    send(explorer, "level:ERROR")

    elapsed = explorer.page.locator("#elapsed")
    expect(elapsed).to_have_text(re.compile(r"Searching for \d+\.\d s"))
    for one in OLD:
        expect(explorer.page.locator(one)).to_have_css("opacity", "0.4")
    release()
    explorer.settled()

    expect(elapsed).to_be_hidden()
    expect(explorer.page.get_by_role("button", name="Cancel")).to_be_hidden()
    assert [opacity(explorer, one) for one in OLD] == [1.0] * len(OLD)
    assert set(explorer.cells("level")) == {"ERROR"}


def test_logs_that_are_there_are_not_grey_while_they_are_still_counted(explorer: Explorer) -> None:
    release = hold(explorer, COUNTS)
    with explorer.page.expect_response(LOGS):
        send(explorer, "level:ERROR")

    logs_are_new(explorer)
    expect(explorer.page.get_by_role("button", name="Cancel")).to_be_visible()
    assert [opacity(explorer, one) for one in ("#logs .canvas", "#total")] == pytest.approx([1.0, 0.4])
    assert set(explorer.cells("level")) == {"ERROR"}
    release()
    explorer.settled()


def test_a_cancelled_search_ends_its_requests_and_leaves_nothing_of_the_one_before(explorer: Explorer) -> None:
    hold(explorer, LOGS, COUNTS)
    send(explorer, "timeout")
    with ended(explorer, LOGS, "timeout"), ended(explorer, COUNTS, "timeout"):
        explorer.page.get_by_role("button", name="Cancel").click()

    expect(explorer.page.get_by_role("heading", name="The search was cancelled")).to_be_visible()
    assert explorer.rows.count() == 0
    expect(explorer.page.locator("#total")).to_have_text("Cancelled")
    expect(explorer.query).to_be_focused()

    explorer.page.unroute(LOGS)
    explorer.page.unroute(COUNTS)
    explorer.page.get_by_role("button", name="Search again", exact=True).click()
    explorer.settled()
    assert explorer.rows.count() > 0
    assert explorer.total > 0


def test_cancelling_the_count_keeps_the_logs(explorer: Explorer) -> None:
    hold(explorer, COUNTS)
    with explorer.page.expect_response(LOGS):
        send(explorer, "timeout")
    logs_are_new(explorer)
    explorer.page.get_by_role("button", name="Cancel").click()

    expect(explorer.page.locator("#total")).to_have_text("Cancelled")
    assert explorer.rows.count() > 0
    assert opacity(explorer, "#logs .canvas") == 1.0
