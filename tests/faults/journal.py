"""The sent and acknowledged events, with which the table is compared."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple


class RecordId(NamedTuple):
    """Where a record is."""

    topic_id: str
    partition: int
    offset: int


class Event(NamedTuple):
    """An event: its id, and the CRC-32 of its text. An odd record has neither, and must become a row too."""

    id: str
    crc: int


ODD = Event("", 0)


class Journal:
    """Records acknowledged events, also in a file, one per line. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self.acknowledged: dict[RecordId, Event] = {}
        self.sent: dict[str, int] = {}
        """CRC of each sent event, acknowledged or not."""
        self._file = file.open("w", buffering=1)
        self._lock = threading.Lock()

    def acknowledge(self, record_id: RecordId, event: Event) -> None:
        """Kafka has it."""
        with self._lock:
            self.acknowledged[record_id] = event
            self._file.write(
                f"{record_id.topic_id} {record_id.partition} {record_id.offset} {event.id or '-'} {event.crc:08x}\n"
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
