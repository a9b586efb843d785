"""A real browser, and the explorer over real tables."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from playwright.sync_api import Browser, expect

from app.settings import QuerySettings
from local.chromium import NoChromium, running_chromium
from tests.e2e.query_table import QueryTable, sample_events
from tests.explorer.site import Explorer, Site, Watch
from tests.support.servers import RunningEngine

COUNT = 3_000
FOREIGN_NAMES = "--host-resolver-rules=MAP *.example 127.0.0.1"
"""Names of other sites that lead to this machine, as their owners can have it."""

expect.set_options(timeout=15_000)  # milliseconds: the suite's workers share few processors


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; CHROMIUM names another one."""
    with ExitStack() as stack:
        try:
            launched = stack.enter_context(running_chromium(os.environ, FOREIGN_NAMES))
        except NoChromium as error:
            pytest.skip(str(error))
        yield launched


@pytest.fixture(scope="session")
def sample_table(engine: RunningEngine) -> Iterator[QueryTable]:
    """Logs of the last three hours."""
    made = QueryTable(engine)
    made.store(list(sample_events(int(time.time()) * 1000, COUNT)))
    yield made
    made.drop()


def served(table: QueryTable) -> Site:
    """The explorer over a table."""
    return Site(partial(table.application, QuerySettings()))


@pytest.fixture(scope="session")
def sample_site(sample_table: QueryTable) -> Iterator[Site]:
    """The explorer over the logs of the last three hours."""
    site = served(sample_table)
    yield site
    site.close()


Visit = Callable[..., Explorer]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a page of a site with a new browser profile. No page may log errors or contact another host."""
    contexts = []
    visits: list[tuple[Explorer, str]] = []

    def begin(
        site: Site, address: str = "", *, width: int = 1440, height: int = 900, scheme: str = "light"
    ) -> Explorer:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="Europe/Berlin",
            locale="en-GB",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        watch = Watch()
        watch.look_at(page)
        explorer = Explorer(page, site.url, watch)
        visits.append((explorer, site.url))
        return explorer.open(address)

    yield begin
    for context in contexts:
        context.close()
    for explorer, url in visits:
        assert explorer.watch.complaints == []
        assert {f"http://{host}/" for host in explorer.watch.hosts if host} <= {url}


@pytest.fixture
def explorer(visit: Visit, sample_site: Site) -> Explorer:
    """The page over the logs of the last three hours, just opened."""
    return visit(sample_site)
