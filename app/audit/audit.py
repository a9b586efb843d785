"""Compares what a group has consumed with what the table holds: first by the ledger, which is cheap, then row by row.

Every record below the committed offset must be in the table. For each bucket of offsets, the ledger has their count,
minimum, maximum, sum and sum of squares: if these equal those of consecutive numbers, each offset is stored exactly
once. Only the other buckets are read row by row, and those with rows of records that have several: only there can a
record be incomplete. Offsets that are missing are then looked up in Kafka, since not every
offset has a record.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set

from msgspec import Struct

from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict
from app.domain.offsets import BUCKET_OFFSETS, Bucket, PartitionOffsets, Run, Span, TopicOffsets
from app.domain.records import Partition
from app.ports import AuditedTopics, Ledger

_READ_OFFSETS = 4 * BUCKET_OFFSETS  # per call: enough to keep calls few, and few enough for the server's memory


class Scope(Struct, frozen=True):
    """What to check: records since a time (Unix time), of these partitions (None: all).

    `starts_late`: the group may have begun to read after the first record, so offsets before its first row are not
    checked.
    """

    since_ms: int
    starts_late: bool = False
    partitions: Set[Partition] | None = None


def audit(topics: AuditedTopics, ledger: Ledger, scope: Scope, *, has_time: Callable[[], bool]) -> Verdict:
    """Check topics. Offsets that cannot be checked in time are reported as unverified.

    Raises:
        TryAgainLater: Kafka or ClickHouse does not answer.
    """
    # Committed offsets are read first: their rows are in the table when it is queried.
    found = topics.offsets(scope.since_ms)
    partitions: dict[Partition, PartitionVerdict] = {}
    for topic in found:
        partitions |= _audit_topic(topic, topics, ledger, scope, has_time)
    ids = {topic.topic: topic.topic_id for topic in found}
    others = {topic_id: rows for topic_id, rows in ledger.rows_by_topic().items() if topic_id not in ids.values()}
    return Verdict(ids, partitions, others)


def _audit_topic(
    found: TopicOffsets, topics: AuditedTopics, ledger: Ledger, scope: Scope, has_time: Callable[[], bool]
) -> dict[Partition, PartitionVerdict]:
    wanted = {
        number: offsets
        for number, offsets in found.partitions.items()
        if scope.partitions is None or Partition(found.topic, number) in scope.partitions
    }
    spans = {number: _to_check(number, offsets, found.topic_id, ledger, scope) for number, offsets in wanted.items()}
    filled = {number: span for number, span in spans.items() if span.size}
    if not wanted:
        return {}
    buckets = ledger.buckets(found.topic_id, filled)
    several = ledger.buckets_of_several(found.topic_id, filled)
    verdicts = {}
    for number, offsets in sorted(wanted.items()):
        partition = Partition(found.topic, number)
        check = _PartitionAudit(partition, offsets, found.topic_id, topics, ledger, has_time)
        verdicts[partition] = check.verdict(spans[number], buckets.get(number, ()), several.get(number, frozenset()))
    return verdicts


def split(
    span: Span, buckets: Iterable[Bucket], several: Set[int] = frozenset()
) -> tuple[list[Bucket], list[Span], list[Span]]:
    """Split a span by its ledger: buckets that add up, spans to read row by row, and spans without any row.

    The buckets of the numbers in `several` have rows of records that have several, so they cannot add up.
    """
    by_number = {bucket.number: bucket for bucket in buckets}
    sound: list[Bucket] = []
    doubtful: list[Span] = []
    empty: list[Span] = []
    numbers = range(span.first // BUCKET_OFFSETS, (span.next - 1) // BUCKET_OFFSETS + 1) if span.size else ()
    for number in numbers:
        piece = span.within(Span(number * BUCKET_OFFSETS, (number + 1) * BUCKET_OFFSETS))
        bucket = by_number.get(number)
        if bucket is None:
            _append(empty, piece)
        elif number not in several and adds_up(bucket, piece):
            sound.append(bucket)
        else:
            _append(doubtful, piece, most=_READ_OFFSETS)
    return sound, doubtful, empty


def adds_up(bucket: Bucket, span: Span) -> bool:
    """Whether the rows of a bucket are one for each offset of the span, and no others.

    If as many rows are duplicated as are missing, the count is right; with two of each, the sum may be right too. The
    sum of squares is right only with at least three of each, and an unlikely coincidence.
    """
    actual = (bucket.rows, bucket.first, bucket.last, bucket.offset_sum, bucket.square_sum)
    sums = (_sum_below(span.next) - _sum_below(span.first), _squares_below(span.next) - _squares_below(span.first))
    return actual == (span.size, span.first, span.next - 1, *(wanted % 2**64 for wanted in sums))


def _sum_below(offset: int) -> int:
    return (offset - 1) * offset // 2


def _squares_below(offset: int) -> int:
    return (offset - 1) * offset * (2 * offset - 1) // 6


def gaps_between(span: Span, runs: Iterable[Run]) -> list[Span]:
    """The parts of a span that no run covers; the runs are in the order of their offsets."""
    gaps, position = [], span.first
    for run in runs:
        if run.span.first > position:
            gaps.append(Span(position, run.span.first))
        position = run.span.next
    if position < span.next:
        gaps.append(Span(position, span.next))
    return gaps


def _append(spans: list[Span], span: Span, most: int | None = None) -> None:
    """Append a span, or extend the last one if it is adjacent and the result is not longer than `most`."""
    if spans and spans[-1].next == span.first and (most is None or span.next - spans[-1].first <= most):
        spans[-1] = Span(spans[-1].first, span.next)
    else:
        spans.append(span)


def _to_check(number: int, offsets: PartitionOffsets, topic_id: str, ledger: Ledger, scope: Scope) -> Span:
    """The offsets to check: from the first record within the time to the committed offset."""
    if offsets.committed is None:
        return Span(0, 0)
    first = offsets.since
    if offsets.since == offsets.begin > 0:
        # Everything in Kafka is recent enough, so deleted records may be too: the rows show how far back these go.
        oldest = ledger.first_ingested(topic_id, number, offsets.begin, scope.since_ms)
        before = ledger.last_before(topic_id, number, offsets.begin if oldest is None else oldest)
        first = 0 if before is None else before + 1
    if scope.starts_late:
        start = ledger.first_offset(topic_id, number)
        first = offsets.committed if start is None else max(first, start)
    until = min(offsets.committed, offsets.end)
    return Span(min(first, until), until)


class _PartitionAudit:
    """One partition under audit."""

    def __init__(
        self,
        partition: Partition,
        offsets: PartitionOffsets,
        topic_id: str,
        topics: AuditedTopics,
        ledger: Ledger,
        has_time: Callable[[], bool],
    ) -> None:
        self._partition = partition
        self._offsets = offsets
        self._topic_id = topic_id
        self._topics = topics
        self._ledger = ledger
        self._has_time = has_time

    def verdict(self, span: Span, buckets: Sequence[Bucket], several: Set[int]) -> PartitionVerdict:
        sound, doubtful, gaps = split(span, buckets, several)
        runs: list[Run] = []
        findings: list[Finding] = list(self._offset_findings())
        for piece in doubtful:
            if not self._has_time():
                findings.append(_finding(Kind.UNVERIFIED, piece))
                continue
            found = self._ledger.runs(self._topic_id, self._partition.number, piece)
            runs += found
            gaps += gaps_between(piece, found)
        for run in runs:
            findings += _findings_in(run)
        for gap in _joined(gaps):
            findings += self._check_gap(gap)
        return PartitionVerdict(
            offsets=self._offsets,
            checked=span,
            records=sum(bucket.rows - bucket.removed for bucket in sound)
            + sum(run.span.size - run.removed for run in runs),
            rows=sum(bucket.rows - bucket.removed for bucket in sound) + sum(run.rows for run in runs),
            unparsed=sum(bucket.unparsed for bucket in sound) + sum(run.unparsed for run in runs),
            removed=sum(bucket.removed for bucket in sound) + sum(run.removed for run in runs),
            findings=findings,
        )

    def _offset_findings(self) -> Iterator[Finding]:
        """Findings from the committed offset and the offsets that Kafka holds, regardless of the table."""
        committed = self._offsets.committed
        if committed is None:
            return
        if committed < self._offsets.begin:
            yield _finding(Kind.LOST, Span(committed, self._offsets.begin))
        if committed > self._offsets.end:
            yield _finding(Kind.UNVERIFIED, Span(self._offsets.end, committed))

    def _check_gap(self, gap: Span) -> Iterator[Finding]:
        """A gap counts as missing only where Kafka still has records."""
        deleted = gap.within(Span(0, self._offsets.begin))
        present = gap.within(Span(self._offsets.begin, gap.next))
        if deleted.size:
            yield _finding(Kind.LOST, deleted)
        if not present.size:
            return
        reading = self._topics.records(self._partition, present, self._has_time)
        for span in reading.records:
            yield _finding(Kind.MISSING, span)
        unused = gaps_between(Span(present.first, reading.read_up_to), (Run(span, 0, 0) for span in reading.records))
        for span in unused:
            for kind, part in _parted(span, reading.begin):
                yield _finding(kind, part)
        unread = Span(reading.read_up_to, present.next)
        if unread.size:
            yield _finding(Kind.UNVERIFIED, unread)


def _parted(span: Span, begin: int) -> Iterator[tuple[Kind, Span]]:
    """Offsets where Kafka returned nothing: it had deleted the record by then, or there is none."""
    for kind, part in ((Kind.LOST, Span(0, begin)), (Kind.EMPTY, Span(begin, span.next))):
        if (common := span.within(part)).size:
            yield kind, common


def _findings_in(run: Run) -> Iterator[Finding]:
    if run.surplus:
        yield Finding(Kind.DUPLICATED, run.span, run.surplus)
    if run.superseded:
        yield Finding(Kind.SUPERSEDED, run.span, run.superseded)
    if run.absent:
        yield Finding(Kind.INCOMPLETE, run.span, run.absent)


def _joined(gaps: list[Span]) -> list[Span]:
    """The gaps in the order of their offsets; those that touch are one."""
    joined: list[Span] = []
    for gap in sorted(gaps):
        _append(joined, gap)
    return joined


def _finding(kind: Kind, span: Span) -> Finding:
    return Finding(kind, span, span.size)
