"""`python -m bench.explorer`: how soon the explorer shows logs and how smoothly it scrolls, in a real browser.

The table holds a million rows over thirty days. Each visit uses a new browser profile, so nothing is cached.
It opens the page, loads 10,000 rows by scrolling, scrolls through them, and then follows 500 new logs a second.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import partial
from typing import Any, Final

from playwright.sync_api import Browser, Page

from bench.command import circumstances, circumstances_as_context, conclude, parsed_visits, run
from bench.errors import BenchError
from bench.history import load_history, merge_days
from bench.machine import interpreter
from bench.page_files import PageFiles
from bench.report import Measure, Measurements, Report
from bench.service import Program, fed_service
from bench.stack import running_stack
from local.chromium import running_chromium

_TABLE: Final = "explorer"
# Events per second that are followed. Batches are stored about once a second, so ten seconds give the rate within 10 %.
_RATE: Final = 500
_LISTED: Final = 10_000
_FOLLOWED_SECS: Final = 10.0
_SETTLED_MS: Final = 3_000
_TIMEOUT_SECS: Final = 60.0
_QUICK_ROWS: Final = 50_000

_REPORT: Final = Report(
    "explorer",
    "How fast the explorer is",
    (
        Measure("first_log_ms", "From opening the page to the first log on screen (ms)", 0, limit=1000),
        Measure("complete_ms", "To all of it: chart and filters too (ms)", 0),
        Measure("cold_kb", "Files of the page on the wire, first visit (kB)", 1, limit=100),
        Measure("cold_requests", "Requests for them", 0),
        Measure("warm_kb", "The same on a reload (kB)", 1),
        Measure("warm_requests", "Requests for them", 0),
        Measure("scroll_p50_ms", "Between two pictures while scrolling 10,000 rows, p50 (ms)", 1),
        Measure("scroll_p99_ms", "The same, p99 (ms)", 1, limit=50, is_aim=True),
        Measure("follow_p50_ms", "Between two pictures while following 500 logs/s, p50 (ms)", 1),
        Measure("follow_p99_ms", "The same, p99 (ms)", 1, limit=50, is_aim=True),
        Measure("followed_per_sec", "Logs shown a second meanwhile", 0, limit=0.9 * _RATE, is_least=True),
        Measure("rows_drawn", "Rows that are in the page at the end", 0),
    ),
    "Visits",
)

# Times between animation frames (ms), while `step` runs in each frame.
_FRAMES: Final = """async ([step, millis]) => {
  const act = new Function("frame", step);
  const times = [];
  const began = performance.now();
  let last = began;
  for (let frame = 0; last - began < millis; frame += 1) {
    act(frame);
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times.slice(1).sort((one, other) => one - other);
}"""
_FIRST_LOG: Final = """new Promise((done) => {
  const check = () => document.querySelector("#logs .row") ? done(performance.now()) : requestAnimationFrame(check);
  check();
})"""


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a limit is missed, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.explorer", description="How fast the explorer is.")
    options = parsed_visits(parser, arguments, rows=1_000_000, quick_rows=_QUICK_ROWS, visits=5)
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)
    with running_chromium(os.environ) as browser, running_stack() as stack:
        print(f"Loading {options.rows:,} rows ...", flush=True)
        stack.create_table(_TABLE)
        load_history(stack, _TABLE, options.rows)
        merge_days(stack, _TABLE)
        stack.wait_until_idle()
        with fed_service(stack, Program(options.service_python), _TABLE, _RATE) as service:
            visits = [_visit(browser, service.url, number + 1) for number in range(options.visits)]
        about = circumstances(stack, ["bench.explorer", "--rows", str(options.rows)]) | {"chromium": browser.version}
    return conclude(_REPORT, options, _context(about, options), about, visits)


def _visit(browser: Browser, url: str, number: int) -> Measurements:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    files = PageFiles(page)
    page.goto(f"{url}/?start=now-30d", wait_until="commit")
    measurements = {"first_log_ms": float(page.evaluate(_FIRST_LOG))}
    page.wait_for_selector("#facet-list details:nth-of-type(2) li")
    measurements["complete_ms"] = float(page.evaluate("performance.now()"))
    measurements |= files.measurements("cold")
    page.reload()
    page.wait_for_selector("#facet-list details:nth-of-type(2) li")
    measurements |= files.measurements("warm")
    _load_rows(page)
    measurements |= _frames(page, "scroll", "document.getElementById('logs').scrollTop = (frame * 97) % 250000", 5.0)
    page.goto(f"{url}/?live=1&start=now-15m")
    page.wait_for_timeout(_SETTLED_MS)
    before, began = _listed(page), time.monotonic()
    measurements |= _frames(page, "follow", "", _FOLLOWED_SECS)
    measurements["followed_per_sec"] = (_listed(page) - before) / (time.monotonic() - began)
    measurements["rows_drawn"] = float(page.locator("#logs .row").count())
    context.close()
    print(f"Visit {number}: {', '.join(f'{name} {value:,.1f}' for name, value in measurements.items())}", flush=True)
    return measurements


def _load_rows(page: Page) -> None:
    """Load rows by scrolling, as a user does."""
    deadline = time.monotonic() + _TIMEOUT_SECS
    while _listed(page) < _LISTED:
        if time.monotonic() > deadline:
            raise BenchError("the page does not load 10,000 rows")
        page.locator("#logs").evaluate("(box) => (box.scrollTop = box.scrollHeight)")
        page.wait_for_timeout(20)


def _listed(page: Page) -> int:
    return int(page.locator('[role="grid"]').get_attribute("aria-rowcount") or 1) - 1


def _frames(page: Page, name: str, step: str, secs: float) -> Measurements:
    times = page.evaluate(_FRAMES, [step, secs * 1000])
    return {f"{name}_p{share}_ms": times[min(len(times) - 1, len(times) * share // 100)] for share in (50, 99)}


def _context(about: dict[str, Any], options: argparse.Namespace) -> dict[str, str]:
    return circumstances_as_context(about) | {
        "Browser": f"Chromium {about['chromium']}, without a window or a graphics card, 1440 x 900",
        "Beside it on the same machine": f"Kafka, the service, ClickHouse engine {about['clickhouse']},"
        f" {_RATE} logs/s that are sent and stored",
        "Table": f"{options.rows:,} rows over 30 days, all of them in the queried range",
        _REPORT.repeats: str(options.visits),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
