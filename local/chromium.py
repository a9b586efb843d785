"""The browser in which tests, benchmarks and screenshots open the explorer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from local.errors import LocalError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The headless shell draws the same pages for two thirds of the processor time.
_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS: Final = ("--no-sandbox", "--disable-dev-shm-usage")
"""Containers run as root, and have little shared memory."""


class NoChromium(LocalError):
    """There is no browser on this machine."""


def chromium_path(environ: Mapping[str, str]) -> str:
    """The program that CHROMIUM names, or the one on PATH.

    Raises:
        NoChromium: neither exists; the message says what to do.
    """
    installed = (shutil.which(name, path=environ.get("PATH", "")) for name in _NAMES)
    path = environ.get("CHROMIUM") or next(filter(None, installed), None)
    if path is None:
        raise NoChromium("There is no Chromium: install the package chromium, or set CHROMIUM to where it is.")
    return path


@contextmanager
def running_chromium(environ: Mapping[str, str], *flags: str) -> Iterator[Browser]:
    """Chromium without a window, closed when the block ends; `flags` are further options of its command line.

    Raises:
        NoChromium: there is none on this machine.
    """
    from playwright.sync_api import sync_playwright  # only developers have it; `make run` does not need it

    path = chromium_path(environ)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()
