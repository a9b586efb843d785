"""Rows, statements, responses and names must match the files beside this one."""

from __future__ import annotations

import difflib

import pytest

from tests.golden.corpus import FILES, FOLDER

_SHOWN_LINES = 40


@pytest.mark.parametrize("name", FILES)
def test_nothing_has_changed(name: str) -> None:
    """For an intended change run python -m tests.golden and review the difference."""
    stored, rendered = (FOLDER / name).read_text(encoding="utf-8"), FILES[name]()

    changes = list(
        difflib.unified_diff(stored.splitlines(), rendered.splitlines(), "stored", "rendered", "", "", 0, "")
    )
    assert changes[:_SHOWN_LINES] == []
