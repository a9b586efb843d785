"""`python -m docs.screenshots`: pictures of the explorer for the README, from a service that is running."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from local.chromium import NoChromium, running_chromium

_IMAGES: Final = Path(__file__).parent / "images"
_DESK: Final = (1280, 800)
_PHONE: Final = (390, 844)


def main(arguments: list[str]) -> int:
    """Take and store them. 2 when there is no browser."""
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description="Pictures of the explorer.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the service (default: http://127.0.0.1:8080)")
    options = parser.parse_args(arguments)
    try:
        with running_chromium(os.environ) as browser:
            _take_all(browser, options.url)
    except NoChromium as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _take_all(browser: Browser, url: str) -> None:
    _IMAGES.mkdir(exist_ok=True)
    _take(browser, url, "explorer", _DESK, "light", "")
    _take(browser, url, "explorer-log", _DESK, "dark", "?query=level%3AERROR", opens_log=True)
    _take(browser, url, "explorer-phone", _PHONE, "light", "")


def _take(
    browser: Browser, url: str, name: str, size: tuple[int, int], scheme: str, address: str, *, opens_log: bool = False
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{url}/{address}")
    page.wait_for_selector("#logs .row")
    if opens_log:
        page.locator('#logs .row[aria-rowindex="3"]').click()
        page.wait_for_selector("#detail .message")
    page.wait_for_load_state("networkidle")
    path = _IMAGES / f"{name}.png"
    page.screenshot(path=path)
    print(f"Written: {path}")
    context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
