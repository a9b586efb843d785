"""`python -m app rejected` with sample rows."""

from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from app.audit.rejected import RejectedRow
from app.commands.rejected import report
from app.console import say
from app.domain.event_time import EventTimeBounds
from app.pipeline.decode import decode

TODAY = partial(decode, bounds=EventTimeBounds.of_retention(30))


class MemoryRows:
    """Flagged rows, two at a time."""

    def __init__(self, count: int, body: bytes = b"{") -> None:
        self._rows = [RejectedRow("json: not valid", 0, "logs", 0, offset, 0, body, b"", {}) for offset in range(count)]

    def count(self) -> int:
        return len(self._rows)

    def rows(self, limit: int) -> Iterator[Sequence[RejectedRow]]:
        rows = self._rows[:limit]
        for first in range(0, len(rows), 2):
            yield rows[first : first + 2]


def output_of(count: int, limit: int) -> list[str]:
    lines: list[str] = []
    report(MemoryRows(count), TODAY, limit=limit, say=lines.append)
    return lines


def test_all_portions_are_taken_together() -> None:
    assert output_of(5, 100)[0] == "json: 5 rows"


def test_what_others_wrote_cannot_harm_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = MemoryRows(1, b"{a\x1b]52;c;ZXZpbA==\x07\x1b[2J\r\nok \xe2\x80\xaez\xc2\x9b31m")
    report(rows, TODAY, limit=1, say=say)

    text = capsys.readouterr().out
    assert "{a\\x1b]52;c;ZXZpbA==\\x07\\x1b[2J ok \\u202ez\\x9b31m" in text
    assert all(char.isprintable() or char == "\n" for char in text)


def test_no_more_rows_than_the_limit_are_read() -> None:
    lines = output_of(5, 3)

    assert lines[0] == "json: 3 rows"
    assert "Only 3 of 5 rows were read; raise --limit to read more." in lines
