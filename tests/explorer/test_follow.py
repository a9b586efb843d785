"""Following new logs: each comes once, can be held back, and many do not fill the page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.query_table import QueryTable, sample_events
from tests.explorer.conftest import Visit, site_over
from tests.explorer.site import Explorer, Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

OLDER = re.compile(r"/api/v1/logs\?.*cursor=[^&]")


# Tests share the table: the texts of each are its own.
@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    made.store(list(sample_events(int(time.time()) * 1000, 20)))
    yield made
    made.drop()


@pytest.fixture(scope="module")
def site(table: QueryTable) -> Iterator[Site]:
    made = site_over(table)
    yield made
    made.close()


def followed(visit: Visit, site: Site, address: str = "?live=1") -> Explorer:
    """The page while it follows."""
    return visit(site, address).following()


class Tails:
    """Answers the requests for a tail one after another, as the test goes on; until then they wait."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self._waiting: list[Route] = []
        self._answers: list[Callable[[Route], None]] = []
        self._are_served = False
        page.route("**/api/v1/logs/tail*", self._take)

    def answer(self, *answers: Callable[[Route], None]) -> None:
        """How the next requests are answered."""
        self._answers += answers
        self._go_on()

    def serve(self) -> None:
        """From now on, let them reach the service."""
        self._are_served = True
        self._go_on()

    def _take(self, route: Route) -> None:
        self.asked.append(route.request.url)
        self._waiting.append(route)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self._answers:
            self._answers.pop(0)(self._waiting.pop(0))
        while self._waiting and self._are_served:
            self._waiting.pop(0).continue_()


def refused(message: str) -> Callable[[Route], None]:
    body = {"error": {"status": 503, "code": "try_again_later", "message": message}}
    return lambda route: route.fulfill(status=503, json=body)


def streamed(text: str) -> Callable[[Route], None]:
    """A stream that ends after a text, and is requested again soon."""
    return lambda route: route.fulfill(content_type="text/event-stream", body=f"{text}retry: 100\n\n")


def scroll_down(explorer: Explorer) -> None:
    """Further down than new logs appear, which the page has noticed."""
    explorer.page.locator("#logs").evaluate("(box) => (box.scrollTop = 1000)")
    expect(explorer.page.locator("#doing")).to_have_text("New logs are held back while you read further down")


def store(table: QueryTable, *messages: str, level: str = "info") -> None:
    now_ms = int(time.time() * 1000)
    table.store([(now_ms, {"service": "web", "level": level, "message": message}) for message in messages])


def test_new_logs_appear_at_the_top_each_once(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = visit(site)
    explorer.page.get_by_role("button", name="Live").click()
    explorer.settled().following()
    for number in range(5):
        store(table, f"first of {number}", f"second of {number}")
        expect(explorer.rows.filter(has_text=f"second of {number}")).to_have_count(1)

    messages = explorer.cells("message")
    assert messages[:10] == [f"{name} of {number}" for number in range(4, -1, -1) for name in ("second", "first")]
    assert explorer.state == {"live": "1"}

    explorer.page.get_by_role("button", name="Live").click()
    store(table, "unseen")
    expect(explorer.page.locator("#live-bar")).to_be_hidden()
    explorer.page.wait_for_timeout(1500)
    assert "unseen" not in explorer.cells("message")


def test_logs_stored_just_before_are_shown_once(visit: Visit, site: Site, table: QueryTable) -> None:
    store(table, "just before")
    explorer = followed(visit, site, "?live=1&start=now-15m")
    store(table, "just after")

    expect(explorer.rows.filter(has_text="just after")).to_have_count(1)
    expect(explorer.rows.filter(has_text="just before")).to_have_count(1)


def test_only_what_matches_is_followed(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = followed(visit, site, "?live=1&query=level:error")
    store(table, "nothing to see", level="info")
    store(table, "a failure", level="error")

    expect(explorer.rows.filter(has_text="a failure")).to_have_count(1)
    expect(explorer.rows.filter(has_text="nothing to see")).to_have_count(0)


def test_new_logs_are_held_back_on_request(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = followed(visit, site)
    explorer.page.get_by_role("button", name="Hold").click()
    store(table, "one", "two", "three")

    waiting = explorer.page.get_by_role("button", name="Show 3 new")
    expect(waiting).to_be_visible()
    expect(explorer.rows.filter(has_text="three")).to_have_count(0)
    waiting.click()
    expect(explorer.rows.filter(has_text="three")).to_have_count(1)
    expect(explorer.page.get_by_role("button", name="Hold")).to_be_visible()


def holding(visit: Visit, site: Site, table: QueryTable, message: str) -> Explorer:
    """The page while it follows and holds a log back."""
    explorer = followed(visit, site)
    explorer.page.get_by_role("button", name="Hold").click()
    store(table, message)
    expect(explorer.page.get_by_role("button", name="Show 1 new")).to_be_visible()
    return explorer


def test_held_back_logs_do_not_appear_in_another_search(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = holding(visit, site, table, "of the search before")
    explorer.watch.answered.clear()
    explorer.search("level:error").following()
    store(table, "another error", level="error")

    expect(explorer.rows.filter(has_text="another error")).to_have_count(1)
    expect(explorer.rows.filter(has_text="of the search before")).to_have_count(0)


def test_held_back_logs_are_shown_when_following_ends(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = holding(visit, site, table, "held back")
    explorer.page.get_by_role("button", name="Live").click()

    expect(explorer.rows.filter(has_text="held back")).to_have_count(1)


def test_nothing_is_missed_while_an_older_page_is_loaded(visit: Visit, site: Site, table: QueryTable) -> None:
    store(table, *(f"old {number}" for number in range(300)))
    explorer = visit(site)
    waiting: list[Route] = []
    explorer.page.route(OLDER, lambda route: waiting.append(route))  # unanswered
    explorer.page.get_by_role("button", name="Live").click()
    explorer.settled().following()
    with explorer.page.expect_request(OLDER):
        explorer.page.locator("#logs").evaluate("(box) => (box.scrollTop = 2000)")
    explorer.page.locator("#logs").evaluate("(box) => (box.scrollTop = 0)")
    store(table, "while loading")

    expect(explorer.rows.filter(has_text="while loading")).to_have_count(1)
    assert len(waiting) == 1


def test_following_that_ends_before_it_has_begun_lets_the_search_go_on(visit: Visit, site: Site) -> None:
    explorer = visit(site)
    explorer.page.route("**/api/v1/logs/tail*", lambda route: None)  # never answered
    explorer.page.get_by_role("button", name="Live").click()
    explorer.page.get_by_role("button", name="Live").click()
    explorer.settled()

    assert explorer.rows.count() > 0


def test_trouble_is_shown_until_it_is_over(visit: Visit, site: Site) -> None:
    explorer = visit(site)
    tails = Tails(explorer.page)
    tails.answer(
        streamed('event: ready\ndata: {}\n\nevent: trouble\ndata: {"message": "ClickHouse does not answer."}\n\n')
    )
    explorer.page.get_by_role("button", name="Live").click()
    trouble = explorer.page.locator("#trouble")
    expect(trouble).to_be_visible()
    tails.serve()
    expect(trouble).to_be_hidden()  # reconnected to a healthy service


def test_a_reader_further_down_the_list_is_not_disturbed(visit: Visit, site: Site, table: QueryTable) -> None:
    store(table, *(f"old {number}" for number in range(200)))
    explorer = followed(visit, site, "?live=1&start=now-15m")
    scroll_down(explorer)
    store(table, "at the top")

    expect(explorer.page.get_by_role("button", name="Show 1 new")).to_be_visible()
    assert explorer.page.locator("#logs").evaluate("(box) => box.scrollTop") == 1000
    explorer.page.locator("#logs").evaluate("(box) => (box.scrollTop = 0)")
    expect(explorer.rows.filter(has_text="at the top")).to_have_count(1)


def test_a_missing_slot_for_a_tail_is_reported(visit: Visit, site: Site) -> None:
    """EventSource does not expose the reason of a refusal."""
    explorer = visit(site)
    body = '{"error": {"status": 429, "code": "too_busy", "message": "There are too many streams."}}'
    explorer.page.route(
        "**/api/v1/logs/tail*", lambda route: route.fulfill(status=429, content_type="application/json", body=body)
    )
    explorer.page.get_by_role("button", name="Live").click()

    expect(explorer.page.get_by_text("There are too many streams.")).to_be_visible()
    expect(explorer.page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")


def test_following_begins_by_itself_when_the_database_is_back(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = visit(site)
    away = refused("ClickHouse does not answer.")
    explorer.page.route("**/api/v1/**", away)
    tails = Tails(explorer.page)
    tails.answer(away, away)  # the tail, and the request that finds out why it was refused
    live = explorer.page.get_by_role("button", name="Live")
    live.click()
    trouble = explorer.page.locator("#trouble")
    expect(trouble).to_contain_text("ClickHouse does not answer. Trying again in 1 s")
    tails.answer(away, away)
    expect(trouble).to_contain_text("Trying again in 2 s")
    expect(explorer.page.locator("#doing")).to_have_text("Interrupted")
    expect(live).to_have_attribute("aria-pressed", "true")

    explorer.page.unroute("**/api/v1/**")
    tails.serve()
    expect(trouble).to_be_hidden()
    expect(explorer.page.locator("#doing")).to_have_text("Following new logs")
    explorer.settled()
    assert explorer.rows.count() > 0  # the search that failed as well is repeated
    store(table, "after that")
    expect(explorer.rows.filter(has_text="after that")).to_have_count(1)


def test_nothing_is_missed_when_a_refused_tail_goes_on(visit: Visit, site: Site, table: QueryTable) -> None:
    """A browser gives up for good when a reconnect is refused."""
    explorer = visit(site)
    explorer.page.get_by_role("button", name="Live").click()
    explorer.settled().following()
    store(table, "of the tail before")
    expect(explorer.rows.filter(has_text="of the tail before")).to_have_count(1)
    token = explorer.evaluate(TOKEN)
    tails = Tails(explorer.page)
    tails.answer(streamed(f"id: {token}\nevent: ready\ndata: {{}}\n\n"), refused("away"), refused("away"))
    explorer.page.get_by_role("button", name="Live").click()
    explorer.page.get_by_role("button", name="Live").click()
    expect(explorer.page.locator("#trouble")).to_contain_text("Trying again in 1 s")
    store(table, "meanwhile")
    tails.serve()

    expect(explorer.page.locator("#trouble")).to_be_hidden()
    expect(explorer.rows.filter(has_text="meanwhile")).to_have_count(1)
    assert "last_id=" in tails.asked[3]


TOKEN = """() => new Promise((done) => {
  const source = new EventSource("/api/v1/logs/tail");
  source.addEventListener("ready", (event) => (source.close(), done(event.lastEventId)));
})"""


def test_what_is_said_of_new_logs_is_true_while_they_are_held_back(visit: Visit, site: Site, table: QueryTable) -> None:
    store(table, *(f"old {number}" for number in range(200)))
    explorer = followed(visit, site, "?live=1&start=now-15m")
    doing, counted = explorer.page.locator("#doing"), explorer.page.locator("#total")
    expect(doing).to_have_text("Following new logs")
    before = counted.inner_text()
    scroll_down(explorer)
    store(table, "one more")
    expect(explorer.page.get_by_role("button", name="Show 1 new")).to_be_visible()
    assert counted.inner_text() == before  # the chart stands still with the list
    explorer.page.get_by_role("button", name="Show 1 new").click()
    expect(doing).to_have_text("Following new logs")
    expect(counted).not_to_have_text(before)

    explorer.page.get_by_role("button", name="Hold").click()
    expect(doing).to_have_text("New logs are held back")
    explorer.page.get_by_role("button", name="Resume").click()
    expect(doing).to_have_text("Following new logs")


def test_a_list_that_is_longer_than_the_range_of_the_chart_says_so(visit: Visit, site: Site, table: QueryTable) -> None:
    explorer = followed(visit, site, "?live=1&start=now-3s")
    store(table, "soon out of the range")
    expect(explorer.rows.filter(has_text="soon out of the range")).to_have_count(1)  # new, whatever the range
    explorer.page.wait_for_timeout(3100)
    explorer.page.get_by_role("button", name="Hold").click()
    explorer.page.get_by_role("button", name="Resume").click()  # counts again

    expect(explorer.page.locator("#total")).to_have_text("0 logs")
    expect(explorer.page.locator("#kept")).to_have_text(re.compile(r"in the last 3 seconds; the list keeps \d+"))


FEED = """async ([batches, rows]) => {
  const { Tail, MOST_KEPT } = await import("/explorer/any/tail.js");
  const { LogList } = await import("/explorer/any/log_list.js");
  const box = document.createElement("div");
  box.className = "logs";
  box.style.height = "600px";
  document.body.replaceChildren(box);
  const nothing = () => {};
  const list = new LogList({ box, onOpen: nothing, onNearEnd: nothing, onRemoveColumn: nothing, onScroll: nothing });
  list.setColumns(["level", "service", "message"]);
  let most = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const newest = (batch + 1) * rows - 1;
    const row = (n) => ({ id: `1-0-${n}-0-t`, timestamp: "2026-01-01T00:00:00Z", level: "INFO", message: `log ${n}` });
    list.prepend(Array.from({ length: rows }, (_, n) => row(newest - n)), MOST_KEPT);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    most = Math.max(most, box.querySelectorAll(".row").length);
  }
  return [list.rows.length, list.rows[0].message, most];
}"""


def test_however_many_logs_come_only_the_newest_are_kept_and_those_in_sight_drawn(explorer: Explorer) -> None:
    kept, newest, most_drawn = explorer.evaluate(FEED, [150, 100])

    assert (kept, newest) == (10_000, "log 14999")
    assert most_drawn < 60
