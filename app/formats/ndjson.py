"""An NDJSON batch: one record with several events, one per line, each a JSON value or any other text."""

from collections.abc import Iterator
from typing import Final

from app.domain.event import Event
from app.formats.reading import Reading
from app.formats.room import MAX_ITEMS as MAX_ITEMS
from app.formats.value import ValueReader

CONTENT_TYPE: Final = b"application/x-ndjson"


def read_ndjson(value: bytes, reading: Reading) -> Iterator[Event]:
    """The events of the lines, at least one; beyond MAX_ITEMS, the last event holds the rest and is flagged."""
    lines = [line.rstrip(b"\r") for line in value.split(b"\n") if line.strip()] or [b""]
    return ValueReader(reading).lines(lines)
