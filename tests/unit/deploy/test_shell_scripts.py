"""shellcheck on every shell script of the project."""

from __future__ import annotations

import re
from pathlib import Path

from local.paths import ROOT
from tests.support.programs import run_program


def scripts() -> list[Path]:
    """By their first line, whatever their names."""
    files = [path for folder in (".ci", "deploy", "tests/support") for path in (ROOT / folder).rglob("*")]
    texts = [path for path in files if path.is_file() and path.suffix in ("", ".sh")]
    return [path for path in texts if re.match(r"#!.*\b(ba)?sh\b", path.read_text(encoding="utf-8"))]


def test_shellcheck_has_nothing_to_say() -> None:
    assert len(scripts()) >= 8
    assert run_program("shellcheck", *scripts()) == ""
