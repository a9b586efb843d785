"""Many logs: the list loads more on scrolling and draws only visible rows."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.query_table import QueryTable, sample_events
from tests.explorer.conftest import Visit, site_over
from tests.explorer.site import PATIENCE_MS, Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

COUNT = 10_000


@pytest.fixture(scope="module")
def site(engine: RunningEngine) -> Iterator[Site]:
    table = QueryTable(engine)
    table.store(list(sample_events(int(time.time()) * 1000, COUNT)))
    made = site_over(table)
    yield made
    made.close()
    table.drop()


def test_ten_thousand_logs_are_scrolled_through_to_the_last(visit: Visit, site: Site) -> None:
    explorer = visit(site, "?start=now-6h")
    grid, box = explorer.grid, explorer.page.locator("#logs")
    rows, deadline = "", 0.0
    while (loaded := str(grid.get_attribute("aria-rowcount"))) != str(COUNT + 1):
        if loaded != rows:
            rows, deadline = loaded, time.monotonic() + PATIENCE_MS / 1000
        assert time.monotonic() < deadline, f"it stays at {loaded} rows"
        box.evaluate("(box) => (box.scrollTop = box.scrollHeight)")
        explorer.page.wait_for_timeout(30)
    box.evaluate("(box) => (box.scrollTop = box.scrollHeight)")

    expect(explorer.page.locator(f'#logs .row[aria-rowindex="{COUNT + 1}"]')).to_be_visible()
    expect(box).to_contain_text("That is all")
    assert explorer.rows.count() < 80

    explorer.grid.press("Home")
    expect(explorer.page.locator('#logs .row[aria-rowindex="2"]')).to_be_visible()
    explorer.grid.press("End")
    active = explorer.page.locator("#logs .row.is-active")
    expect(active).to_have_attribute("aria-rowindex", str(COUNT + 1))
    expect(active).to_be_in_viewport()
