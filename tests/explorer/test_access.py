"""Accessibility: with the keyboard, on a phone, in both themes, and within the rules of WCAG AA."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.explorer.axe import COLOURS, RULES, violations
from tests.explorer.conftest import Visit
from tests.explorer.site import Explorer, Site

pytestmark = pytest.mark.stack


def list_of_logs(_: Explorer) -> None:
    """As the page opens."""


def log_in_full(explorer: Explorer) -> None:
    explorer.open_log(1)


def context(explorer: Explorer) -> None:
    explorer.detail.get_by_role("tab", name="Context").click()
    expect(explorer.detail.locator(".lines li").first).to_be_visible()


def reading(explorer: Explorer) -> None:
    explorer.detail.get_by_role("tab", name="How it was read").click()
    expect(explorer.detail.get_by_role("row").first).to_be_visible()


def time_picker(explorer: Explorer) -> None:
    explorer.page.locator("#time").click()


def columns(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Columns", exact=True).click()


def suggestions(explorer: Explorer) -> None:
    explorer.query.fill("level:")
    expect(explorer.suggestions).to_be_visible()
    explorer.query.press("ArrowDown")


def mistake(explorer: Explorer) -> None:
    explorer.search("(timeout")


def nothing_found(explorer: Explorer) -> None:
    explorer.search("service:che")
    expect(explorer.page.get_by_role("button", name="service:checkout")).to_be_visible()


def how_to_send(explorer: Explorer) -> None:
    explorer.open("?start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z")
    expect(explorer.page.get_by_label("Command that sends a log")).to_be_visible()


def failed(explorer: Explorer) -> None:
    body = {"error": {"status": 503, "code": "try_again_later", "message": "ClickHouse does not answer."}}
    explorer.page.route("**/api/v1/logs?*", lambda route: route.fulfill(status=503, json=body))
    explorer.search("timeout")


def shared(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Share").click()


def help_dialog(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Keys and syntax").click()


def following(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Live").click()
    explorer.settled()


def filters(explorer: Explorer) -> None:
    if explorer.page.get_by_role("button", name="Filters").is_visible():
        explorer.page.get_by_role("button", name="Filters").click()
    explorer.facets.get_by_role("button", name="ERROR").first.click()
    explorer.settled()


State = Callable[[Explorer], None]
WALKS: list[list[State]] = [
    [log_in_full, context, reading],
    [mistake, nothing_found, how_to_send, failed],
    [following, filters],
]
"""States that one page takes one after another, since opening it costs more than a state."""
OVER_THE_LIST: list[State] = [list_of_logs, time_picker, columns, suggestions, shared, help_dialog]
"""The same; each is closed before the next."""


def walk(explorer: Explorer, states: list[State]) -> Iterator[State]:
    """Brings about one state after another."""
    for bring_about in states:
        bring_about(explorer)
        yield bring_about
        if states is OVER_THE_LIST:
            explorer.page.keyboard.press("Escape")


def assert_accessible(explorer: Explorer) -> None:
    expect(explorer.page.locator(".is-stale:visible")).to_have_count(0)  # until then it is grey
    assert violations(explorer.page, RULES) == []


def assert_fits_a_phone(explorer: Explorer) -> None:
    assert explorer.evaluate("document.documentElement.scrollWidth") <= 390
    help_button = explorer.page.locator("#help").bounding_box()
    assert help_button
    assert help_button["x"] + help_button["width"] <= 390
    assert explorer.page.locator("#logs").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0


def names_of(states: list[State]) -> str:
    return "-".join(bring_about.__name__ for bring_about in states)


@pytest.mark.parametrize("states", [OVER_THE_LIST, *WALKS], ids=names_of)
def test_axe_finds_no_violations(visit: Visit, sample_site: Site, states: list[State]) -> None:
    explorer = visit(sample_site)
    for state in walk(explorer, states):
        assert_accessible(explorer)
        explorer.page.emulate_media(color_scheme="dark")
        assert violations(explorer.page, COLOURS) == [], state
        explorer.page.emulate_media(color_scheme="light")


DIFFERENT_ON_A_PHONE = (list_of_logs, log_in_full, filters, how_to_send)


@pytest.mark.parametrize("states", [OVER_THE_LIST, *WALKS], ids=names_of)
def test_nothing_is_wider_than_a_phone_and_axe_finds_nothing_there(
    visit: Visit, sample_site: Site, states: list[State]
) -> None:
    explorer = visit(sample_site, "?start=now-3650d&end=now-10m", width=390, height=844)  # a long label of a time range
    for state in walk(explorer, states):
        assert_fits_a_phone(explorer)
        if state in DIFFERENT_ON_A_PHONE:
            assert_accessible(explorer)


def test_a_chart_that_was_drawn_for_a_wide_window_does_not_widen_a_phone(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, width=390, height=844)
    script = "document.querySelector('.bars').setAttribute('width', 1188), document.documentElement.scrollWidth"

    assert explorer.evaluate(script) <= 390


def test_on_a_phone_a_log_covers_the_list_and_gives_it_back(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, width=390, height=844)
    explorer.open_log(1)

    expect(explorer.detail.get_by_role("button", name="Close")).to_be_focused()
    assert explorer.detail.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    explorer.detail.get_by_role("button", name="Close").click()
    expect(explorer.grid).to_be_focused()


def test_everything_is_reached_with_the_keyboard(explorer: Explorer) -> None:
    page = explorer.page
    page.keyboard.press("/")
    expect(explorer.query).to_be_focused()
    page.keyboard.type("timeout")
    page.keyboard.press("Enter")
    explorer.settled()
    assert explorer.state == {"query": "timeout"}
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(explorer.detail).to_be_visible()
    expect(page.locator('#logs .row[aria-rowindex="3"]')).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator('#logs .row[aria-rowindex="4"]')).to_have_attribute("aria-selected", "true")
    page.keyboard.press("k")
    expect(page.locator('#logs .row[aria-rowindex="3"]')).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(explorer.detail).to_be_hidden()
    expect(explorer.grid).to_be_focused()

    page.keyboard.press("t")
    expect(page.get_by_role("dialog", name="Time")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Time")).to_be_hidden()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")
    explorer.settled()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.keyboard.press("l")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_single_keys_can_be_switched_off(explorer: Explorer) -> None:
    explorer.page.keyboard.press("?")
    explorer.page.get_by_label("Enable single-key shortcuts").uncheck()
    explorer.page.get_by_role("button", name="Close").click()
    explorer.page.keyboard.press("t")
    expect(explorer.page.get_by_role("dialog", name="Time")).to_be_hidden()
    explorer.page.reload()
    explorer.settled()
    explorer.page.keyboard.press("?")
    expect(explorer.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_focus_stays_where_it_was_when_a_value_is_chosen(explorer: Explorer) -> None:
    value = explorer.facets.get_by_role("button", name="ERROR").first
    value.focus()
    explorer.page.keyboard.press("Enter")
    explorer.settled()

    expect(explorer.facets.locator('button[aria-pressed="true"]')).to_be_focused()


def test_covered_elements_cannot_be_reached_on_a_phone(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, width=390, height=844)
    explorer.page.get_by_role("button", name="Filters").click()
    assert explorer.evaluate("document.getElementById('main').inert")
    explorer.page.keyboard.press("Escape")
    expect(explorer.facets).to_be_hidden()
    explorer.open_log(1)
    assert explorer.evaluate("['top', 'main'].every((id) => document.getElementById(id).inert)")
    explorer.page.go_back()
    expect(explorer.detail).to_be_hidden()
    assert not explorer.evaluate("document.getElementById('main').inert")


def test_the_theme_is_that_of_the_system_until_another_is_chosen(visit: Visit, sample_site: Site) -> None:
    explorer = visit(sample_site, scheme="dark")
    dark = explorer.evaluate("getComputedStyle(document.body).backgroundColor")
    explorer.page.get_by_role("button", name="Light or dark").click()
    light = explorer.evaluate("getComputedStyle(document.body).backgroundColor")
    explorer.page.reload()
    explorer.settled()

    assert (dark, light) == ("rgb(20, 24, 31)", "rgb(255, 255, 255)")
    assert explorer.evaluate("getComputedStyle(document.body).backgroundColor") == light
