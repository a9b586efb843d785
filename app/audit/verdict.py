"""The findings of an audit, and its exit code."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from app.domain.offsets import PartitionOffsets, Span
from app.domain.records import Partition


class Kind(StrEnum):
    """The state of offsets that are not simply stored once."""

    MISSING = "missing"  # Kafka has records there, the table has no rows
    INCOMPLETE = "incomplete"  # records of several items, some of which are missing
    DUPLICATED = "duplicated"  # rows that are stored more than once
    SUPERSEDED = "superseded"  # rows that were stored anew by a command that has not deleted the old ones yet
    LOST = "lost to retention"  # Kafka deleted what was there, and the table has no rows
    EMPTY = "no record"  # transaction markers, aborted transactions, compaction
    UNVERIFIED = "unverified"  # there was no time to check, or Kafka ends before


BAD = (Kind.MISSING, Kind.INCOMPLETE, Kind.DUPLICATED, Kind.SUPERSEDED)


class Finding(Struct, frozen=True):
    """One span of offsets. `count` counts what the kind names: records, items, surplus rows, or offsets."""

    kind: Kind
    span: Span
    count: int


class PartitionVerdict(Struct, frozen=True):
    """One partition. `checked` ends at the committed offset; `records` and `rows` are those found in the table.

    `removed` counts the records of which all rows were removed on purpose.
    """

    offsets: PartitionOffsets
    checked: Span
    records: int = 0
    rows: int = 0
    unparsed: int = 0
    removed: int = 0
    findings: Sequence[Finding] = ()

    def count(self, *kinds: Kind) -> int:
        """The total count of these kinds."""
        return sum(finding.count for finding in self.findings if finding.kind in kinds)

    def of(self, kind: Kind) -> Sequence[Finding]:
        """The findings of one kind, in the order of their offsets."""
        return sorted((finding for finding in self.findings if finding.kind is kind), key=lambda f: f.span)


class Verdict(Struct, frozen=True):
    """All topics: their ids, by name, and partitions. `other_ids` counts rows of other topic ids, not checked."""

    topic_ids: Mapping[str, str]
    partitions: Mapping[Partition, PartitionVerdict]
    other_ids: Mapping[str, int] = field(default_factory=dict)
    unchecked: Sequence[str] = ()
    """Topics that are named in the settings, and do not exist or may not be seen."""

    def count(self, *kinds: Kind) -> int:
        """The total count of these kinds in all partitions."""
        return sum(partition.count(*kinds) for partition in self.partitions.values())


def exit_code(verdict: Verdict) -> int:
    """0: everything is accounted for. 1: something is missing or duplicated. 2: not all of it could be checked."""
    if verdict.count(*BAD):
        return 1
    return 2 if verdict.count(Kind.UNVERIFIED) or verdict.unchecked else 0
