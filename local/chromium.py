"""Where the browser is in which tests, benchmarks and pictures look at the explorer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Final

MISSING: Final = "There is no Chromium: install the package chromium, or set CHROMIUM to where it is."
FLAGS: Final = ("--no-sandbox", "--disable-dev-shm-usage")
"""Containers run as root, and have no shared memory to speak of."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_path(environ: Mapping[str, str]) -> str | None:
    """The one that CHROMIUM names, or that is installed; None if there is none."""
    return environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
