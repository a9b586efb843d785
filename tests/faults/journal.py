"""What was sent and what Kafka has acknowledged: the truth that a table is held to."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """Where a record is."""

    topic_id: str
    partition: int
    offset: int


class Event(NamedTuple):
    """What a record says: its id, and the CRC-32 of its text. An odd record has neither, and must be a row too."""

    id: str
    crc: int


ODD = Event("", 0)


class Journal:
    """A line for each acknowledged record, also in a file that outlives us. Any thread may write."""

    def __init__(self, file: Path) -> None:
        self.acknowledged: dict[Place, Event] = {}
        self.sent: dict[str, int] = {}
        """CRC of each event that Kafka may have, acknowledged or not."""
        self._file = file.open("w", buffering=1)
        self._lock = threading.Lock()

    def acknowledge(self, place: Place, event: Event) -> None:
        """Kafka has it."""
        with self._lock:
            self.acknowledged[place] = event
            self._file.write(f"{place.topic_id} {place.partition} {place.offset} {event.id or '-'} {event.crc:08x}\n")

    def close(self) -> None:
        """Nothing more will be acknowledged."""
        self._file.close()
