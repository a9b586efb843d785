"""Lines of programs that no rule was written for: what they say is read, or nothing is claimed."""

import pytest

from tests.support.events import only_event
from tests.support.program_lines import OPEN, READING, TEN_FIFTEEN_ONE, Known, known_lines


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

    assert len(lines) >= 500
    assert len({line.program.split(",")[0] for line in lines}) >= 400
