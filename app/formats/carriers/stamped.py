"""JSON behind the time at which it was collected: `kubectl logs --timestamps`, `docker logs -t`."""

import re
from typing import Final

from app.domain.event import Event
from app.domain.event_time import Nanoseconds
from app.domain.times import find_time
from app.formats.carriers.carried import Carried
from app.formats.reading import Reading

_STAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?=\{\s{0,8}[\"}])", re.ASCII
)


def opened(text: str, reading: Reading) -> Carried | None:
    """`2026-11-29T10:15:01.123456789Z {...}`."""
    match = _STAMP.match(text)
    found = find_time(match[1], reading.times) if match else None
    if match is None or found is None or found.time_ns is None:
        return None
    inner = text[match.end() :]
    return Carried(Event({"timestamp": Nanoseconds(found.time_ns), "message": inner}, time_has_zone=True), inner)
