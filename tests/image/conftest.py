"""The image, built once for all tests of a worker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.image.builder import Image, build_image


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    # Not pytest's own folder, which is kept for a while: this one is large.
    with tempfile.TemporaryDirectory(prefix="image-") as scratch:
        yield build_image(ROOT, ROOT / ".local/cache", Path(scratch))
