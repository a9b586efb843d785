"""Lines of Cloud Foundry's `cf logs`: time, the source and its number, the stream, and the line."""

import re
from typing import Final

from app.domain.event import Event
from app.domain.event_time import Nanoseconds
from app.domain.times import find_time
from app.formats.carriers.carried import Carried
from app.formats.reading import Reading

_LINE: Final = re.compile(
    r" {0,4}(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) "
    r"\[([A-Z]{2,8}(?:/[A-Z_-]{1,32}){0,4})/(\d{1,4})\] (OUT|ERR) ?",
    re.ASCII,
)
_STREAMS: Final = {"OUT": "stdout", "ERR": "stderr"}


def opened(text: str, reading: Reading) -> Carried | None:
    """`2026-11-29T10:15:01.12+0000 [APP/PROC/WEB/0] ERR the line`: ERR is a stream, and no level."""
    match = _LINE.match(text)
    found = find_time(match[1], reading.times) if match else None
    if match is None or found is None or found.time_ns is None:
        return None
    inner = text[match.end() :]
    outer = Event(
        {"timestamp": Nanoseconds(found.time_ns), "message": inner},
        [],
        [
            ("cloudfoundry.process.type", match[2]),
            ("cloudfoundry.app.instance.id", match[3]),
            ("log.iostream", _STREAMS[match[4]]),
        ],
        time_has_zone=True,
    )
    return Carried(outer, inner)
