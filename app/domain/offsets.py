"""Offsets of topics and of the table. Plain data: read in `backends/`, made up in tests."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

BUCKET_OFFSETS: Final = 65_536  # offsets per bucket of the projection `ledger` in schema.sql


class Span(NamedTuple):
    """Offsets from `first` up to, but not including, `next`."""

    first: int
    next: int

    @property
    def size(self) -> int:
        """The number of offsets; 0 for an empty span."""
        return max(0, self.next - self.first)

    def within(self, other: "Span") -> "Span":
        """The intersection of both."""
        return Span(max(self.first, other.first), min(self.next, other.next))

    def __str__(self) -> str:
        if self.size == 1:
            return f"{self.first:,}"
        return f"{self.first:,} to {self.next - 1:,}" if self.size else "none"


# Kafka.


class PartitionOffsets(Struct, frozen=True):
    """One partition in Kafka: its offsets, the offset from which it is checked, and the group's committed offset.

    `since` is the offset of the first record in the checked time range, `end` if there is none. `committed` is None
    if the group has committed nothing of this topic.
    """

    begin: int
    end: int
    since: int
    committed: int | None


class TopicOffsets(Struct, frozen=True):
    """A topic in Kafka, by partition."""

    topic: str
    topic_id: str
    partitions: Mapping[int, PartitionOffsets]


class Reading(NamedTuple):
    """Kafka's records in a span: their offsets, where the partition begins now, and up to which offset it was read."""

    records: Sequence[Span]
    begin: int
    read_up_to: int


# The table.


class Bucket(NamedTuple):
    """One row of the ledger: the rows of 65,536 offsets of one partition, starting at a multiple of 65,536.

    The two sums, of the offsets and of their squares, are modulo 2**64. `removed` of the rows are no longer there,
    because they were removed on purpose.
    """

    number: int
    rows: int
    first: int
    last: int
    offset_sum: int
    square_sum: int
    unparsed: int
    removed: int = 0


class Run(NamedTuple):
    """Consecutive offsets of which the table holds rows, or did.

    `surplus` counts rows beyond one per item. `absent` counts items that are missing: their record has more by what
    its rows say, or a later one is stored. A row that holds the whole record (`REST_ITEM`) completes it.
    """

    span: Span
    rows: int
    unparsed: int
    surplus: int = 0
    absent: int = 0
    superseded: int = 0
    removed: int = 0
