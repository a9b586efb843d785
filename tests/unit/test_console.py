"""What commands print."""

from __future__ import annotations

import json

import pytest

from app.console import json_line, say, say_error


def test_lines_keep_their_ends_and_tabs_and_nothing_else_that_moves_a_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = "a\n\tb\x1b]52;c;eA==\x07\r\x9b\u202e\u2066\u2028"

    say(evil)
    say_error(evil)

    escaped = "a\n\tb" + r"\x1b]52;c;eA==\x07\r\x9b\u202e\u2066\u2028" + "\n"
    assert capsys.readouterr() == (escaped, escaped)


@pytest.mark.parametrize("text", ["\x1b]52;c;x\x07", "\x9b2J", "\u202e", "\x7f", "\ud800", "\U000e0001"])
def test_json_holds_nothing_that_could_harm_a_terminal_and_says_the_same(text: str) -> None:
    line = json_line({"message": text})

    assert line.isprintable()
    assert json.loads(line) == {"message": text}


def test_json_stays_readable() -> None:
    assert json_line({"message": "é日本 🎉"}) == '{"message": "é日本 🎉"}'
