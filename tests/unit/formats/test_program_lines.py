"""Lines of programs that no rule was written for: what they say is read, or nothing is claimed."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from app.formats.reading import Reading
from tests.support.events import only_event

LINES = Path(__file__).with_name("program_lines.txt")
TEN_FIFTEEN_ONE = 1_795_947_301
READING = Reading.of_record((TEN_FIFTEEN_ONE + 299) * 1000)
OPEN = "?"


class Known(NamedTuple):
    """What a line says: time, level, service, host and process, "-" for what it does not say."""

    program: str
    text: str
    says: tuple[str, str, str, str, str]


def known_lines() -> Iterator[Known]:
    """The lines of the file; above each stands what it says."""
    rows = iter(LINES.read_text(encoding="utf-8").splitlines())
    for row in rows:
        if row.startswith("== "):
            program, time, level, *origin = row.removeprefix("== ").split(" | ")
            service, host, pid = (*origin, "-", "-", "-")[:3]
            text = next(rows).replace(r"\t", "\t").replace(r"\x1b", "\x1b")
            yield Known(program, text, (time, level, service, host, pid))


def written(time_ns: object) -> str:
    """A time as the file writes it; one of another second by its nanoseconds since then."""
    if time_ns is None:
        return "-"
    behind = int(str(time_ns)) - TEN_FIFTEEN_ONE * 10**9
    if not 0 <= behind < 10**9:
        return f"{behind:+} ns"
    return f"10:15:01.{behind:09}".rstrip("0").rstrip(".")


@pytest.mark.parametrize("line", list(known_lines()), ids=lambda line: line.program)
def test_a_line_says_what_its_program_meant(line: Known) -> None:
    event = only_event(line.text.encode(), READING)
    named = dict([*event.attributes, *event.resource])
    origin = [str(event.fields.get(name) or "-") for name in ("level", "service", "host")]
    found = (written(event.fields.get("timestamp")), *origin, named.get("process.pid", "-"))

    assert [one for one, known in zip(found, line.says, strict=True) if known != OPEN] == [
        known for known in line.says if known != OPEN
    ]


def test_there_are_many_lines_of_many_programs() -> None:
    lines = list(known_lines())

    assert len(lines) >= 300
    assert len({line.program.split(",")[0] for line in lines}) >= 200
