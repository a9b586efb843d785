"""The explorer in a browser: the page over a table of logs, and actions of tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from playwright.sync_api import Locator, Page, expect

from app.http.server import HttpServer
from app.settings import HttpSettings
from local.ports import free_port

PATIENCE_MS = 60_000  # a wait that succeeds costs nothing, and the machine may be busy
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
    """Records the requests of a page, and what no page may do: log errors, or contact another host."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    requested: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    """The addresses whose responses have begun."""

    def look_at(self, page: Page) -> None:
        """From now on."""
        for event, listener in self._listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]  # each event has an overload of its own

    def look_away(self, page: Page) -> None:
        """Not any more."""
        for event, listener in self._listeners.items():
            page.remove_listener(event, listener)

    @cached_property
    def _listeners(self) -> dict[str, Callable[[Any], None]]:
        return {
            "console": lambda said: self._record(said.type, said.text),
            "pageerror": lambda error: self.complaints.append(f"{error.message}\n{error.stack}"),
            "response": lambda answer: self._check_response(answer.status, answer.url),
            "dialog": lambda dialog: self.complaints.append(f"dialog: {dialog.message}"),
            "request": lambda request: self._record_request(request.url),
        }

    def _record_request(self, url: str) -> None:
        self.requested.append(url)
        self.hosts.add(urlsplit(url).netloc)

    def _record(self, kind: str, text: str) -> None:
        # Chromium logs that for every error response, also for expected ones.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def _check_response(self, status: int, url: str) -> None:
        self.answered.append(url)
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
        expect(self.grid).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
        # The list is drawn in the next frame.
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self

    def following(self) -> Explorer:
        """Wait until the tail has begun: the page goes on without it after three seconds."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not any("/logs/tail" in url for url in self.watch.answered):
            assert time.monotonic() < deadline, "there is no tail"
            self.page.wait_for_timeout(50)
        return self

    def copied(self, copy: Callable[[], None]) -> str:
        """What an action copies."""
        self.evaluate("navigator.clipboard.writeText('')")
        copy()
        self.page.wait_for_function("navigator.clipboard.readText()")
        return str(self.evaluate("navigator.clipboard.readText()"))

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
