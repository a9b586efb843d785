"""An NDJSON batch: one record with several events, one per line, each a JSON object or any other text."""

from collections.abc import Iterator
from typing import Final

from app.domain.event import Event
from app.formats.line import read_line

CONTENT_TYPE: Final = b"application/x-ndjson"
MAX_ITEMS: Final = 2**16  # items of one record are numbered in 16 bits


def read_ndjson(value: bytes, record_time_ms: int) -> Iterator[Event]:
    """The events of the lines, at least one; beyond MAX_ITEMS lines, the last event holds the rest and is flagged."""
    lines = [line for line in value.split(b"\n") if line.strip()] or [b""]
    rest = lines[MAX_ITEMS - 1 :] if len(lines) > MAX_ITEMS else []
    if rest:
        lines[MAX_ITEMS - 1 :] = [b"\n".join(rest)]
    for number, line in enumerate(lines, start=1):
        event = read_line(line.rstrip(b"\r"), record_time_ms)
        if rest and number == MAX_ITEMS:
            event.problems.append("packed: more events than a record may hold")
        yield event
