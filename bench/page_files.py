"""The files of a page on the wire, as a browser receives them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from bench.report import Measurements


class PageFiles:
    """Counts the bytes of a page's files, without the responses of the API, which depend on the logs."""

    def __init__(self, page: Page) -> None:
        self._bytes: dict[str, float] = {}
        self._files: set[str] = set()
        self._cached: set[str] = set()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestServedFromCache", lambda event: self._cached.add(event["requestId"]))
        session.on("Network.responseReceived", self._note_response)
        session.on("Network.loadingFinished", self._note_end)

    def measurements(self, name: str) -> Measurements:
        """Kilobytes and requests since the last call."""
        sizes = [self._bytes[request] for request in (self._files - self._cached) & self._bytes.keys()]
        self._bytes.clear()
        self._files.clear()
        self._cached.clear()
        return {f"{name}_kb": sum(sizes) / 1000, f"{name}_requests": float(len(sizes))}

    def _note_response(self, event: dict[str, Any]) -> None:
        if "/api/" not in event["response"]["url"] and not event["response"].get("fromDiskCache"):
            self._files.add(event["requestId"])

    def _note_end(self, event: dict[str, Any]) -> None:
        self._bytes[event["requestId"]] = event["encodedDataLength"]
