"""The explorer as a browser sees it: the page over a table of logs, and what tests do with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import waitress
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from waitress import wasyncore

_THREADS = 24
_PATIENCE_MS = 15_000
_STOP_SECS = 20.0


class Site:
    """An application at an address of its own, as the service serves it; it is made when it is told how to stop."""

    def __init__(self, make: Callable[[Callable[[], bool]], Flask]) -> None:
        self._stopping = threading.Event()
        application = make(self._stopping.is_set)
        self._server = waitress.create_server(application, host="127.0.0.1", port=0, threads=_THREADS)
        self.url = f"http://127.0.0.1:{self._server.effective_port}/"
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more; tails end first."""
        self._stopping.set()
        self._server.task_dispatcher.shutdown()
        # In the server's own thread: it must not be waiting for a connection that is closed meanwhile.
        with suppress(OSError):  # a worker's pull came first: the trigger is closed by then, like everything else
            self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._server._map))
        self._thread.join(_STOP_SECS)
        assert not self._thread.is_alive(), f"the server has not ended within {_STOP_SECS:g} s"


@dataclass
class Watch:
    """What no page may do: complain, or ask another host."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def look_at(self, page: Page) -> None:
        """From now on."""
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"{error.message}\n{error.stack}"))
        page.on("response", lambda answer: self._judge(answer.status, answer.url))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _note(self, kind: str, text: str) -> None:
        # Chromium says that of each answer that is an error, also of one that is expected.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def _judge(self, status: int, url: str) -> None:
        if status >= 400 and "/api/v1/" not in url:
            self.complaints.append(f"{status} {url}")


class Explorer:
    """The page, in the words of who uses it."""

    def __init__(self, page: Page, url: str, watch: Watch) -> None:
        self.page = page
        self.url = url
        self.watch = watch
        self.query = page.get_by_role("combobox", name="Search logs")
        self.grid = page.get_by_role("grid")
        self.detail = page.get_by_role("complementary", name="Log in full")
        self.facets = page.get_by_role("complementary", name="Filters")
        self.suggestions = page.get_by_role("listbox", name="Suggestions")

    def open(self, address: str = "") -> Explorer:
        """Go there and wait for what is found."""
        self.page.goto(f"{self.url}{address}")
        return self.settled()

    def settled(self) -> Explorer:
        """Wait until the search has ended."""
        expect(self.grid).to_have_attribute("aria-busy", "false", timeout=_PATIENCE_MS)
        # The list is drawn with the next picture.
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
        """The logs in sight and a few beyond."""
        return self.page.locator("#logs .row")

    @property
    def total(self) -> int:
        """How many logs there are in the range, as the page says."""
        return int(self.page.locator("#total").inner_text().split()[0].replace(",", ""))

    @property
    def state(self) -> dict[str, str]:
        """What the address says."""
        return {
            name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query, keep_blank_values=True).items()
        }

    def cells(self, name: str) -> list[str]:
        """What is in a column, from the top."""
        titles = [title.inner_text().strip() for title in self.page.get_by_role("columnheader").all()]
        place = titles.index(name) + 1
        rows = sorted(self.rows.all(), key=lambda row: int(row.get_attribute("aria-rowindex") or 0))
        return [row.locator(f":nth-child({place})").inner_text() for row in rows]

    def open_log(self, number: int = 0) -> Locator:
        """Show a log in full, counted from the top."""
        self.page.locator(f'#logs .row[aria-rowindex="{number + 2}"]').click()
        expect(self.detail).to_be_visible()
        return self.detail

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """What a script of the page says."""
        return self.page.evaluate(script, argument)
