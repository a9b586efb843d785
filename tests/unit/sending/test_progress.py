"""Progress display while records are sent."""

import io
from pathlib import Path

import pytest

from sending.progress import Progress
from sending.tally import Tally
from tests.fakes import Clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_bar_is_redrawn_and_cleared() -> None:
    tally, out = Tally(), Terminal()
    progress = Progress(tally, out, max_count=4)
    tally.send()
    tally.complete(1, 10, None)

    progress.show()
    assert "[######                  ]  25%  1 acknowledged" in out.getvalue()
    progress.clear()
    assert out.getvalue().endswith(" \r")


def test_elsewhere_there_is_a_line_every_five_seconds() -> None:
    tally, out, clock = Tally(), io.StringIO(), Clock()
    progress = Progress(tally, out, max_count=0, expected_bytes=lambda: 200, clock=clock)
    tally.send()
    tally.read_bytes = 50

    for _ in range(11):
        progress.show()
        clock.now += 1

    assert out.getvalue().splitlines() == ["25%: 0 acknowledged, 0/s, 1 in flight"] * 2


def test_no_progress_is_shown_when_it_is_not_wanted() -> None:
    out = Terminal()

    Progress(Tally(), out, is_wanted=False, max_count=1).show()

    assert out.getvalue() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_progress_that_cannot_be_written_is_no_error() -> None:
    clock = Clock()
    with Path("/dev/full").open("w") as out:
        progress = Progress(Tally(), out, max_count=0, clock=clock)
        clock.advance(5)
        progress.show()
