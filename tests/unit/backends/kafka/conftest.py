"""What the tests of both clients' options share."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "file"
    path.write_text("token-1\n", encoding="utf-8")
    return str(path)
