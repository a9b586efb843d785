"""Records that were polled and are not decoded yet. Pure."""

import math
from collections import deque
from typing import Final, NamedTuple

from app.domain.records import Partition, RecordChunk

# A record of a receiver holds a thousand events, and each takes 3 kB while it is decoded: what one poll may bring of
# them would take 350 MB at once. Ordinary events take less, and a chunk of theirs is mostly smaller than this.
PIECE_BYTES: Final = 1024 * 1024


class Piece(NamedTuple):
    """Records to decode at once, none of which came to Kafka before `since` as far as that counts as their age."""

    chunk: RecordChunk
    since: float


class Undecoded:
    """Polled records in the order in which they came. Times are seconds of the caller's clock."""

    def __init__(self, *, held_secs: float, piece_bytes: int) -> None:
        """`held_secs`: see `Ingest`. A piece has at most `piece_bytes` of values, or a single record."""
        self._held_secs = held_secs
        self._piece_bytes = piece_bytes
        self.clear()

    def clear(self) -> None:
        """Forget everything that was added."""
        self._pieces: deque[Piece] = deque()
        self._read_at: dict[Partition, float] = {}

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, chunk: RecordChunk, now: float) -> None:
        """Add a chunk that was polled just now."""
        # Kafka may have held them back to gather more, but not since before the last ones that it gave.
        since = max(now - self._held_secs, self._read_at.get(chunk.partition, -math.inf))
        self._read_at[chunk.partition] = now
        self._pieces.extend(Piece(piece, since) for piece in chunk.pieces(self._piece_bytes))

    def take(self) -> Piece:
        """Remove and return the first piece. Call it only when there is one."""
        return self._pieces.popleft()

    def drop(self, partition: Partition) -> None:
        """Forget the records of one partition."""
        self._pieces = deque(piece for piece in self._pieces if piece.chunk.partition != partition)
