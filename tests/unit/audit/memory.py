"""An in-memory topic and table of single offsets, and the expected findings as sets."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from app.audit.verdict import Kind, PartitionVerdict
from app.domain.offsets import (
    BUCKET_OFFSETS,
    Bucket,
    PartitionOffsets,
    Reading,
    Run,
    Span,
    TopicOffsets,
)
from app.domain.reader import REST_ITEM
from app.domain.records import Partition

TOPIC_ID = "of-this-topic"
NOW_MS = 1_700_000_000_000


def offsets(**changes: int | None) -> PartitionOffsets:
    """A partition of a hundred offsets, all of them read."""
    usual: dict[str, int | None] = {"begin": 0, "end": 100, "since": 0, "committed": 100}
    return PartitionOffsets(**(usual | changes))  # type: ignore[arg-type]


@dataclass
class MemoryTopic:
    """See `ports.AuditedTopics`. `records` are the offsets with a record, in every partition; None: all of them."""

    partitions: Mapping[int, PartitionOffsets]
    records_at: Set[int] | None = None
    begin_later: int = 0  # by the time that records are read
    reads: list[tuple[Partition, Span]] = field(default_factory=list)

    def offsets(self, since_ms: int) -> Sequence[TopicOffsets]:
        return [TopicOffsets("logs", TOPIC_ID, self.partitions)]

    def records(self, partition: Partition, span: Span, has_time: Callable[[], bool]) -> Reading:
        self.reads.append((partition, span))
        if not has_time():
            return Reading((), self.begin_later, span.first)
        there = [
            Span(offset, offset + 1)
            for offset in range(max(span.first, self.begin_later), span.next)
            if self.records_at is None or offset in self.records_at
        ]
        return Reading(there, self.begin_later, span.next)


@dataclass(frozen=True)
class Row:
    """An item of a record in the table."""

    offset: int
    item: int = 0
    items: int = 1
    partition: int = 0
    topic_id: str = TOPIC_ID
    is_unparsed: bool = False
    is_removed: bool = False
    ingested_ms: int = NOW_MS


@dataclass
class MemoryLedger:
    """See `ports.Ledger`."""

    rows: Sequence[Row]
    looks: list[Span] = field(default_factory=list)

    def rows_by_topic(self) -> Mapping[str, int]:
        return Counter(row.topic_id for row in self.rows if not row.is_removed)

    def buckets(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Sequence[Bucket]]:
        return {number: list(self._buckets(self._of(topic_id, number), span)) for number, span in spans.items()}

    def buckets_of_several(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Set[int]]:
        return {
            number: {row.offset // BUCKET_OFFSETS for row in self._of(topic_id, number) if row.items > 1}
            for number in spans
        }

    def runs(self, topic_id: str, partition: int, span: Span) -> Sequence[Run]:
        self.looks.append(span)
        by_offset: dict[int, list[Row]] = {}
        for row in self._of(topic_id, partition):
            if span.first <= row.offset < span.next:
                by_offset.setdefault(row.offset, []).append(row)
        return [_run(rows) for _, rows in sorted(by_offset.items())]

    def first_offset(self, topic_id: str, partition: int) -> int | None:
        return min((row.offset for row in self._of(topic_id, partition)), default=None)

    def first_ingested(self, topic_id: str, partition: int, below: int, since_ms: int) -> int | None:
        found = self._of(topic_id, partition)
        return min((row.offset for row in found if row.offset < below and row.ingested_ms >= since_ms), default=None)

    def last_before(self, topic_id: str, partition: int, offset: int) -> int | None:
        return max((row.offset for row in self._of(topic_id, partition) if row.offset < offset), default=None)

    def _of(self, topic_id: str, partition: int) -> list[Row]:
        return [row for row in self.rows if (row.topic_id, row.partition) == (topic_id, partition)]

    def _buckets(self, rows: Iterable[Row], span: Span) -> Iterable[Bucket]:
        by_number: dict[int, list[Row]] = {}
        for row in rows:
            by_number.setdefault(row.offset // BUCKET_OFFSETS, []).append(row)
        for number, found in by_number.items():
            if span.first // BUCKET_OFFSETS <= number <= (span.next - 1) // BUCKET_OFFSETS:
                unparsed = sum(row.is_unparsed for row in found)
                bucket = bucket_of([row.offset for row in found], unparsed)
                yield bucket._replace(removed=sum(row.is_removed for row in found))


def bucket_of(stored: Sequence[int], unparsed: int = 0) -> Bucket:
    """The ledger's line for rows of these offsets."""
    return Bucket(
        number=stored[0] // BUCKET_OFFSETS,
        rows=len(stored),
        first=min(stored),
        last=max(stored),
        offset_sum=sum(stored) % 2**64,
        square_sum=sum(offset * offset for offset in stored) % 2**64,
        unparsed=unparsed,
    )


def stored(*parts: int | range) -> list[Row]:
    """A row for each of these offsets."""
    return [Row(offset) for part in parts for offset in ([part] if isinstance(part, int) else part)]


def found_of(kind: Kind, verdict: PartitionVerdict) -> set[int]:
    """Every offset of the findings of a kind."""
    return {offset for finding in verdict.of(kind) for offset in range(*finding.span)}


def _run(rows: Sequence[Row]) -> Run:
    items = {row.item: row.items for row in rows}
    there = [row for row in rows if not row.is_removed]
    last = max(items)
    wanted = items[last] if last == REST_ITEM else max(last + 1, *items.values())
    return Run(
        span=Span(rows[0].offset, rows[0].offset + 1),
        rows=len(there),
        unparsed=sum(row.is_unparsed for row in there),
        surplus=len(there) - len({row.item for row in there}),
        absent=max(0, wanted - len(items)),
        removed=not there,
    )
