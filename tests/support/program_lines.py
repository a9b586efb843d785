"""Lines of many programs, and what each of them says: the file beside this module."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.formats.reading import Reading

LINES = Path(__file__).with_name("program_lines.txt")
TEN_FIFTEEN_ONE = 1_795_947_301
READING = Reading.of_record((TEN_FIFTEEN_ONE + 299) * 1000)
OPEN = "?"
"""What is not compared."""


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
