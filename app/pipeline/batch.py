"""Gathers rows, and the offsets that may be committed once they are stored; decides when to store them. Pure."""

import math
from collections.abc import Mapping

from msgspec import Struct

from app.domain.records import LastRecord, Partition, RecordChunk
from app.domain.rows import Rows, concatenate
from app.settings import BatchSettings


class Batch(Struct, frozen=True):
    """The rows of one insert, and the offsets that may be committed once they are stored."""

    rows: Rows
    next_offsets: Mapping[Partition, int]
    last_records: Mapping[Partition, LastRecord]
    may_be_stored: bool
    """Some rows may be in the table already, stored by an earlier run of this or another instance."""


class Gathering:
    """The batch that is filling. Times are seconds of the caller's clock."""

    def __init__(self, limits: BatchSettings) -> None:
        self._limits = limits
        self.clear()

    def clear(self) -> None:
        """Forget everything that was added."""
        self._parts: list[tuple[Partition, Rows]] = []
        self._next_offsets: dict[Partition, int] = {}
        self._last_records: dict[Partition, LastRecord] = {}
        self._may_be_stored = False
        self._oldest_at: float | None = None
        self._follows_full = self._is_rest = False
        self.row_count = 0
        self.byte_count = 0

    def add(self, chunk: RecordChunk, rows: Rows, *, may_be_stored: bool, since: float) -> None:
        """Add the rows of a chunk, of which none is older than `since`."""
        self._oldest_at = since if self._oldest_at is None else min(self._oldest_at, since)
        self._parts.append((chunk.partition, rows))
        self._next_offsets[chunk.partition] = chunk.next_offset
        self._last_records[chunk.partition] = chunk.last_record
        self._may_be_stored |= may_be_stored
        self._is_rest = False
        self.row_count += rows.num_rows
        self.byte_count += rows.nbytes

    def drop(self, partition: Partition) -> None:
        """Forget the rows of one partition."""
        for owner, rows in self._parts:
            if owner == partition:
                self.row_count -= rows.num_rows
                self.byte_count -= rows.nbytes
        self._parts = [part for part in self._parts if part[0] != partition]
        self._next_offsets.pop(partition, None)
        self._last_records.pop(partition, None)
        if not self._parts:
            self.clear()

    def end_backlog(self) -> None:
        """Note that nothing more was to be read: what follows a full batch is the rest of a backlog, and due."""
        self._is_rest = self._follows_full = self._follows_full and self.row_count > 0

    def is_full(self) -> bool:
        """Whether a limit of rows or bytes is reached, so no more should be added."""
        return self.row_count >= self._limits.max_rows or self.byte_count >= self._limits.max_bytes

    def is_due(self, now: float) -> bool:
        """Whether it should be stored: full, the rest of a backlog, or its oldest row is old enough."""
        return self.due_in_secs(now) <= 0

    def due_in_secs(self, now: float) -> float:
        """How long until it is due if nothing is added: 0 or less if it is, infinite if it is empty."""
        if self._oldest_at is None:
            return math.inf
        return 0.0 if self.is_full() or self._is_rest else self._oldest_at + self._limits.max_age_secs - now

    def take(self) -> Batch:
        """Return everything gathered and start an empty batch. Call it only when there are rows."""
        rows = concatenate([rows for _, rows in self._parts])
        batch = Batch(rows, self._next_offsets, self._last_records, self._may_be_stored)
        is_full = self.is_full()
        self.clear()
        self._follows_full = is_full
        return batch
