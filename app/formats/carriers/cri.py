"""Logs of containers as Kubernetes' runtimes write them (CRI): time, stream, full or part of a line, and the line."""

import re
from typing import Final

from app.domain.event import Event
from app.domain.event_time import Nanoseconds
from app.domain.times import find_time
from app.formats.carriers.carried import Carried
from app.formats.reading import Reading

_LINE: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) "
    r"(stdout|stderr) ([FP])(?::[^\s:]{1,20}){0,4}(?: |(?=\n|\Z))",
    re.ASCII,
)


def opened(text: str, reading: Reading) -> Carried | None:
    """`2026-11-29T10:15:01.123456789Z stdout F the line`; a P says that the line goes on in the next record."""
    match = _LINE.match(text)
    found = find_time(text[: match.start(1) - 1], reading.times) if match else None
    if match is None or found is None or found.time_ns is None:
        return None
    stream, tag = match.groups()
    inner = text[match.end() :]
    outer = Event(
        {"timestamp": Nanoseconds(found.time_ns), "message": inner},
        [("logtag", tag)] if tag == "P" else [],
        [("log.iostream", stream)],
        time_has_zone=True,
    )
    return Carried(outer, inner)
