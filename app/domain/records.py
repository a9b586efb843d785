"""Kafka's side of the service: partitions, records, and what the group commits for them."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


Headers = Sequence[tuple[str, bytes | None]]


class OneRecord(NamedTuple):
    """One record: its time (Unix epoch), value, headers and key."""

    time_ms: int
    value: bytes | None
    headers: Headers
    key: bytes | None = None


class LastRecord(NamedTuple):
    """The last record of a range: its offset, and the CRC-32 of its time and value."""

    offset: int
    crc: int


Buffer = Any
"""An object with Python's buffer protocol, as compiled code gives and takes it."""


class PackedValues(Protocol):
    """Values in one piece of memory, a sequence as any other: each becomes bytes of its own only if it is asked for."""

    @property
    def byte_count(self) -> int:
        """The length of all together."""


class RecordChunk(Struct, frozen=True):
    """Records of one partition in the order of their offsets, as parallel sequences of equal length.

    A part of a sequence may share its memory: offsets and times may be memoryviews, and values `PackedValues`.

    `timestamps_ms` are Kafka's, unix epoch; a value of None is a tombstone; `next_offset` is where reading goes on
    (not always the last offset + 1: transaction markers take up offsets too). `keys` are None where nobody needs them.
    """

    partition: Partition
    topic_id: str
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]
    values: Sequence[bytes | None]
    headers: Sequence[Headers]
    next_offset: int
    keys: Sequence[bytes | None] | None = None

    @classmethod
    def of_one(cls, record: OneRecord, partition: Partition, topic_id: str, offset: int) -> Self:
        """The chunk of one record that was read by itself."""
        return cls(
            partition=partition,
            topic_id=topic_id,
            offsets=[offset],
            timestamps_ms=[record.time_ms],
            values=[record.value],
            headers=[record.headers],
            next_offset=offset + 1,
            keys=[record.key],
        )

    @property
    def byte_count(self) -> int:
        """The length of all values together."""
        packed_bytes: int | None = getattr(self.values, "byte_count", None)  # of `PackedValues`
        return sum(map(len, filter(None, self.values))) if packed_bytes is None else packed_bytes

    @property
    def last_record(self) -> LastRecord:
        """Offset and CRC of the last record, which distinguish it from another record at its offset."""
        return LastRecord(self.offsets[-1], self.crc(-1))

    def pieces(self, max_bytes: int) -> Iterator["RecordChunk"]:
        """The records in their order, in chunks of at most so many bytes of values each, or of a single record."""
        count = len(self.offsets)
        if count == 1 or self.byte_count <= max_bytes:
            yield self
            return
        yield from self.part(0, count // 2).pieces(max_bytes)
        yield from self.part(count // 2, count).pieces(max_bytes)

    def part(self, start: int, end: int) -> "RecordChunk":
        """The chunk of the records from number `start` up to, and without, number `end`."""
        some = slice(start, end)
        return replace(
            self,
            offsets=self.offsets[some],
            timestamps_ms=self.timestamps_ms[some],
            values=self.values[some],
            headers=self.headers[some],
            next_offset=self.next_offset if end == len(self.offsets) else self.offsets[end - 1] + 1,
            keys=None if self.keys is None else self.keys[some],
        )

    def record(self, index: int) -> "RecordChunk":
        """The chunk of one of the records."""
        return self.part(index, index + 1)

    def records(self, indexes: Sequence[int]) -> "RecordChunk":
        """The chunk of some of the records, in this order."""
        return replace(
            self,
            offsets=[self.offsets[index] for index in indexes],
            timestamps_ms=[self.timestamps_ms[index] for index in indexes],
            values=[self.values[index] for index in indexes],
            headers=[self.headers[index] for index in indexes],
            keys=None if self.keys is None else [self.keys[index] for index in indexes],
        )

    def crc(self, index: int) -> int:
        """CRC-32 of the time and value of one record."""
        return zlib.crc32(self.values[index] or b"", self.timestamps_ms[index] & 0xFFFFFFFF)


class Polled(Struct, frozen=True):
    """The result of one poll of the source.

    `assigned` is None while the partitions stay the same. Otherwise it maps every partition that is ours from now on
    to its position; a partition yields no records until it is started.
    """

    chunks: Sequence[RecordChunk] = ()
    assigned: Mapping[Partition, "Position"] | None = None


class Lease(NamedTuple):
    """Permission to insert records of a partition up to `end` until `deadline_ms`, by ClickHouse's clock (fencing).

    It is committed to Kafka before the insert is sent, so that the next owner of the partition knows which insert may
    still be on its way to the table, and until when. `token` names the insert. `last_record` is the last one before
    `end`: if Kafka lost records and reused their offsets, it now has a different record there.
    """

    token: str
    deadline_ms: int
    end: int
    last_record: LastRecord


class Checkpoint(NamedTuple):
    """What the group commits for a partition: all before `next_offset` is stored; the lease's insert may be running."""

    next_offset: int
    lease: Lease | None = None


class Position(NamedTuple):
    """State of a partition when it is assigned: the id of its topic, the next offset to read, the open lease if any.

    `is_set_by_others`: the offset was set by another client, so an open lease would not be known.
    """

    topic_id: str
    next_offset: int
    lease: Lease | None = None
    is_set_by_others: bool = False
