"""`python -m bench.wire --base COMMIT`: bytes on the wire and times of the explorer and the API, before and after.

The service of another commit and that of this checkout respond to the same browser and the same client, in turn, each
over a table of the same logs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from bench.checkout import checked_out, commit_of
from bench.command import circumstances, circumstances_as_context, parsed_visits, run
from bench.errors import BenchError
from bench.machine import interpreter
from bench.page_files import PageFiles
from bench.report import Measurements, table, write_results
from bench.service import Program, running_service
from bench.sides import Side, load_histories
from bench.stack import running_stack
from local.chromium import running_chromium
from local.paths import ROOT

_NAME: Final = "wire"
_ROWS, _VISITS = 1_000_000, 7
_QUICK_ROWS: Final = 50_000
_TIMEOUT_SECS: Final = 60
_RANGE: Final = "start=now-30d"
_RESPONSES: Final[Mapping[str, str]] = {
    "100 logs as JSON": f"/api/v1/logs?{_RANGE}",
    "10,000 logs as JSON": f"/api/v1/logs?{_RANGE}&limit=10000",
    "50,000 logs as NDJSON": f"/api/v1/logs?{_RANGE}&limit=50000&format=ndjson",
    "50,000 logs as CSV": f"/api/v1/logs?{_RANGE}&limit=50000&format=csv",
    "the OpenAPI document": "/api/v1/openapi.json",
}
_ENCODINGS: Final = "gzip, zstd"  # what the clients of the comparison accept
_ALL_SHOWN: Final = "#facet-list details:nth-of-type(2) li"


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured, else 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.wire", description="Bytes on the wire, before and after.")
    parser.add_argument("--base", required=True, help="the other commit, or a directory with its code")
    options = parsed_visits(parser, arguments, rows=_ROWS, quick_rows=_QUICK_ROWS, visits=_VISITS)
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)
    with running_chromium(os.environ) as browser, running_stack() as stack, checked_out(options.base) as directory:
        sides = (
            Side("old", Program(options.service_python, directory=directory)),
            Side("new", Program(options.service_python)),
        )
        print(f"Loading {options.rows:,} rows for each ...", flush=True)
        load_histories(stack, sides, options.rows)
        with ExitStack() as cleanup:
            urls = [
                cleanup.enter_context(running_service(stack, side.program, side.history, side.history)).url
                for side in sides
            ]
            visits = [_visit_in_turn(browser, urls, number) for number in range(options.visits)]
        command = ["bench.wire", "--base", options.base, "--rows", str(options.rows)]
        commits = {"old": commit_of(options.base), "new": commit_of(str(ROOT))}
        about = circumstances(stack, command) | commits | {"chromium": browser.version}
    old, new = zip(*visits, strict=True)
    context = _context(about, options)
    text = "\n".join(_page(context, _medians(old), _medians(new))) + "\n"
    print(f"\n{text}")
    if not options.quick:
        for path in write_results(options.results, _NAME, text, {**about, "old_visits": old, "new_visits": new}):
            print(f"Written: {path}")
    return 0


def _visit_in_turn(browser: Browser, urls: Sequence[str], number: int) -> tuple[Measurements, ...]:
    """One visit to each side; the first one changes, so that a machine that slows down favours neither."""
    order = range(len(urls)) if number % 2 == 0 else reversed(range(len(urls)))
    found = {side: _explorer(browser, urls[side]) | _api(urls[side]) for side in order}
    print(f"Visit {number + 1} ...", flush=True)
    return tuple(found[side] for side in range(len(urls)))


def _explorer(browser: Browser, url: str) -> Measurements:
    """The page in a new browser profile, and once more in the same one."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        files = PageFiles(page)
        measurements: Measurements = {}
        opened: Mapping[str, Callable[[], object]] = {
            "cold": lambda: page.goto(f"{url}/?{_RANGE}"),
            "warm": page.reload,
        }
        for name, show in opened.items():
            measurements[f"{name}_ms"] = _shown_millis(page, show)
            measurements |= files.measurements(name)
        return measurements
    finally:
        context.close()


def _shown_millis(page: Page, show: Callable[[], object]) -> float:
    """From opening the page until list, chart and filters are there."""
    began = time.monotonic()
    show()
    page.wait_for_selector(_ALL_SHOWN)
    return (time.monotonic() - began) * 1000


def _api(url: str) -> Measurements:
    measurements: Measurements = {}
    for name, path in _RESPONSES.items():
        began = time.monotonic()
        measurements[f"{name} kb"] = _received_bytes(url, path) / 1000
        measurements[f"{name} ms"] = (time.monotonic() - began) * 1000
    return measurements


def _received_bytes(url: str, path: str) -> int:
    """The bytes of a response's body on the wire.

    Raises:
        BenchError: it is an error.
    """
    connection = HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_SECS)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": _ENCODINGS})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise BenchError(f"{path} responds {response.status}")
    return len(body)


def _context(about: Mapping[str, Any], options: argparse.Namespace) -> dict[str, str]:
    return circumstances_as_context(about) | {
        "Browser": f"Chromium {about['chromium']}",
        "Tables": f"{options.rows:,} rows over 30 days for each, in ClickHouse engine {about['clickhouse']}",
        "Old": about["old"],
        "New": about["new"],
        "Visits of each": str(options.visits),
    }


def _medians(visits: Sequence[Measurements]) -> Measurements:
    return {name: median(visit[name] for visit in visits) for name in visits[0]}


def _page(context: Mapping[str, str], old: Measurements, new: Measurements) -> Sequence[str]:
    """Markdown: medians of both sides."""
    lines = [
        ("explorer, first visit", "cold_kb", "cold_ms"),
        ("explorer, reload", "warm_kb", "warm_ms"),
        *((name, f"{name} kb", f"{name} ms") for name in _RESPONSES),
    ]
    cells = [
        [what, f"{old[size]:,.1f}", f"{new[size]:,.1f}", f"{old[millis]:,.0f}", f"{new[millis]:,.0f}"]
        for what, size, millis in lines
    ]
    requests = [f"{side[name]:.0f}" for name in ("cold_requests", "warm_requests") for side in (old, new)]
    return [
        "# Bytes on the wire, before and after",
        "",
        *(f"- {name}: {value}" for name, value in context.items()),
        "",
        *table(["What", "Old, kB", "New, kB", "Old, ms", "New, ms"], cells),
        "",
        f"Requests for the page's files: {requests[0]} old and {requests[1]} new on a first visit, {requests[2]} and"
        f" {requests[3]} on a reload. Sizes are of bodies as sent, to clients that accept gzip and zstd; those of the"
        " page are its files with their headers, without the responses of the API. Times of the page end when list,"
        " chart and filters are there.",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
