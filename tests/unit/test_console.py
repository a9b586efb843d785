"""What commands print."""

from __future__ import annotations

import pytest

from app.console import say, say_error


def test_lines_keep_their_ends_and_tabs_and_nothing_else_that_moves_a_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = "a\n\tb\x1b]52;c;eA==\x07\r\x9b\u202e\u2066\u2028"

    say(evil)
    say_error(evil)

    escaped = "a\n\tb" + r"\x1b]52;c;eA==\x07\r\x9b\u202e\u2066\u2028" + "\n"
    assert capsys.readouterr() == (escaped, escaped)
