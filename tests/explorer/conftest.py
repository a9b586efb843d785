"""A real browser, and the explorer over real tables."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from app.settings import QuerySettings
from local.chromium import NoChromium, running_chromium
from tests.e2e.query_table import QueryTable, sample_events
from tests.explorer.site import PATIENCE_MS, Explorer, Site, Watch
from tests.support.servers import RunningEngine

COUNT = 3_000
FOREIGN_NAMES = "--host-resolver-rules=MAP *.example 127.0.0.1"
"""Names of other sites that lead to this machine, as their owners can have it."""

PATIENT = QuerySettings(timeout_secs=PATIENCE_MS / 1000, queue_secs=PATIENCE_MS / 1000)
"""Queries may take as long as tests wait for them."""
_TIME_LIMIT = re.compile(r"&?timeout_ms=\d+")

expect.set_options(timeout=PATIENCE_MS)


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


def patient(application: Flask) -> Flask:
    """The application without the time limits of the page, which a busy machine exceeds."""
    run = application.wsgi_app

    def run_patiently(environ: dict[str, Any], start_response: Any) -> Any:
        return run({**environ, "QUERY_STRING": _TIME_LIMIT.sub("", environ["QUERY_STRING"])}, start_response)

    application.wsgi_app = run_patiently  # type: ignore[method-assign]  # the way that Flask documents
    return application


def site_over(table: QueryTable) -> Site:
    """The explorer over a table."""
    return Site(lambda is_stopping: patient(table.application(PATIENT, is_stopping)))


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A new profile of the browser, whose actions and pages are waited for."""
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture(scope="session")
def sample_site(sample_table: QueryTable) -> Iterator[Site]:
    """The explorer over the logs of the last three hours."""
    site = site_over(sample_table)
    yield site
    site.close()


class Pages:
    """Pages of the same profile. One is used for visits one after another, emptied in between.

    A new profile would start processes and load all files of the page, which takes half as much processor time again.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._spare: Page | None = None

    def take(self, *, is_new: bool) -> Page:
        """A page without history that matters; `is_new` makes it one that nobody has used."""
        page = None if is_new else self._spare
        if page is None:
            return new_context(
                self._browser,
                timezone_id="Europe/Berlin",
                locale="en-GB",
                permissions=["clipboard-read", "clipboard-write"],
            ).new_page()
        self._spare = None
        return page

    def give_back(self, page: Page, *, is_new: bool) -> None:
        """A page that is not used any more; one that was new stays nobody else's."""
        if not is_new and self._spare is None and self._is_emptied(page):
            self._spare = page
        else:
            page.context.close()

    def _is_emptied(self, page: Page) -> bool:
        try:
            page.unroute_all(behavior="ignoreErrors")
            page.evaluate("localStorage.clear(), sessionStorage.clear()")
            page.goto("about:blank")
            page.mouse.move(0, 0)
        except Error:  # it shows nothing of a site, or has crashed
            return False
        return True


@pytest.fixture(scope="session")
def pages(browser: Browser) -> Pages:
    """The pages of a run. The browser closes them."""
    return Pages(browser)


Visit = Callable[..., Explorer]


@pytest.fixture
def visit(pages: Pages) -> Iterator[Visit]:
    """Opens a page of a site. No page may log errors or contact another host.

    `is_new`: with a profile of its own, for a test that changes the page in a way that stays.
    """
    with ExitStack() as stack:

        def begin(
            site: Site,
            address: str = "",
            *,
            width: int = 1440,
            height: int = 900,
            scheme: str = "light",
            is_new: bool = False,
        ) -> Explorer:
            page = pages.take(is_new=is_new)
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            explorer = Explorer(page, site.url, Watch())
            stack.callback(check, explorer)
            stack.callback(explorer.watch.look_away, page)
            stack.callback(pages.give_back, page, is_new=is_new)
            explorer.watch.look_at(page)
            return explorer.open(address)

        yield begin


def check(explorer: Explorer) -> None:
    """It has done nothing that no page may do."""
    assert explorer.watch.complaints == []
    assert {f"http://{host}/" for host in explorer.watch.hosts if host} <= {explorer.url}


@pytest.fixture(scope="session")
def scripts(pages: Pages, sample_site: Site) -> Page:
    """A page for tests of functions of its modules. It stays open: nothing may change it."""
    page = pages.take(is_new=True)
    page.goto(sample_site.url)
    return page


@pytest.fixture
def explorer(visit: Visit, sample_site: Site) -> Explorer:
    """The page over the logs of the last three hours, just opened."""
    return visit(sample_site)
