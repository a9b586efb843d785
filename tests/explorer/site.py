"""The explorer in a browser: the page over a table of logs, and actions of tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from playwright.sync_api import Locator, Page, expect

from app.http.server import HttpServer
from app.settings import HttpSettings
from local.ports import free_port

_PATIENCE_MS = 15_000
_STOP_SECS = 20.0


class Site:
    """An application served at its own address, as by the service; `make` gets a function that reports the stop."""

    def __init__(self, make: Callable[[Callable[[], bool]], Flask], port: int | None = None) -> None:
        self._stopping = threading.Event()
        port = port or free_port()
        self._server = HttpServer(HttpSettings(port=port), make(self._stopping.is_set))
        self._server.start()
        self.url = f"http://127.0.0.1:{port}/"

    def close(self) -> None:
        """Stop serving; tails end first."""
        self._stopping.set()
        self._server.join(_STOP_SECS)


@dataclass
class Watch:
    """Records what no page may do: log errors, or contact another host."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def look_at(self, page: Page) -> None:
        """From now on."""
        page.on("console", lambda said: self._record(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"{error.message}\n{error.stack}"))
        page.on("response", lambda answer: self._check_response(answer.status, answer.url))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _record(self, kind: str, text: str) -> None:
        # Chromium logs that for every error response, also for expected ones.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def _check_response(self, status: int, url: str) -> None:
        if status >= 400 and "/api/v1/" not in url:
            self.complaints.append(f"{status} {url}")


class Explorer:
    """The page, with the actions of a user."""

    def __init__(self, page: Page, url: str, watch: Watch) -> None:
        self.page = page
        self.url = url
        self.watch = watch
        self.query = page.get_by_role("combobox", name="Search logs")
        self.grid = page.get_by_role("grid")
        self.detail = page.get_by_role("complementary", name="Log detail")
        self.facets = page.get_by_role("complementary", name="Filters")
        self.suggestions = page.get_by_role("listbox", name="Suggestions")

    def open(self, address: str = "") -> Explorer:
        """Open an address and wait for the result."""
        self.page.goto(f"{self.url}{address}")
        return self.settled()

    def settled(self) -> Explorer:
        """Wait until the search has ended."""
        expect(self.grid).to_have_attribute("aria-busy", "false", timeout=_PATIENCE_MS)
        # The list is drawn in the next frame.
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self

    def search(self, query: str) -> Explorer:
        """Type a query and press Enter."""
        self.query.fill(query)
        self.query.press("Escape")
        self.query.press("Enter")
        return self.settled()

    @property
    def rows(self) -> Locator:
        """The visible logs and a few more."""
        return self.page.locator("#logs .row")

    @property
    def total(self) -> int:
        """The number of logs in the range, as shown on the page."""
        return int(self.page.locator("#total").inner_text().split()[0].replace(",", ""))

    @property
    def state(self) -> dict[str, str]:
        """What the address says."""
        return {
            name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query, keep_blank_values=True).items()
        }

    def cells(self, name: str) -> list[str]:
        """The cells of a column, from the top."""
        titles = [title.inner_text().strip() for title in self.page.get_by_role("columnheader").all()]
        titles[0] = titles[0].partition("UTC")[0].strip()  # the zone is named beside "time"
        column = titles.index(name) + 1
        rows = sorted(self.rows.all(), key=lambda row: int(row.get_attribute("aria-rowindex") or 0))
        return [row.locator(f":scope > :nth-child({column})").inner_text() for row in rows]

    def open_log(self, number: int = 0) -> Locator:
        """Show a log in full, counted from the top."""
        self.page.locator(f'#logs .row[aria-rowindex="{number + 2}"]').click()
        expect(self.detail).to_be_visible()
        return self.detail

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run a script in the page; returns its result."""
        return self.page.evaluate(script, argument)
