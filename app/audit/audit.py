"""Compares what a group has consumed with what the table holds, cheaply: by the ledger first, exactly where in doubt.

Every record below the committed offset must be in the table. The ledger tells of each bucket count, least, greatest,
sum and sum of squares of its offsets: where these are those of consecutive numbers, each offset is there, and once.
Only the other buckets are looked at row by row. What is not there is then asked of Kafka, since not every offset is a
record's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict
from app.domain.offsets import BUCKET_OFFSETS, Bucket, PartitionOffsets, Run, Span
from app.ports import AuditedTopic, Ledger

_LOOK_OFFSETS = 4 * BUCKET_OFFSETS  # in one look: enough that calls do not count, few enough for the server's memory


@dataclass(frozen=True, slots=True)
class Scope:
    """What to check: records from a moment on (Unix time), and of which partitions (None: all).

    `starts_late`: the group may have begun to read later than at the first record, so that what lies before its first
    row was never its business.
    """

    since_ms: int
    starts_late: bool = False
    partitions: Set[int] | None = None


def audit(topic: AuditedTopic, ledger: Ledger, scope: Scope, *, has_time: Callable[[], bool]) -> Verdict:
    """Check a topic. What there is no time for is reported as unverified.

    Raises:
        TryAgainLater: one of the two sides does not answer.
    """
    # In this order: what was committed by now is in the table when the table is queried.
    found = topic.offsets(scope.since_ms)
    wanted = {
        number: offsets
        for number, offsets in found.partitions.items()
        if scope.partitions is None or number in scope.partitions
    }
    spans = {number: _to_check(number, offsets, found.topic_id, ledger, scope) for number, offsets in wanted.items()}
    buckets = ledger.buckets(found.topic_id, {number: span for number, span in spans.items() if span.size})
    partitions = {}
    for number, offsets in sorted(wanted.items()):
        check = _PartitionAudit(number, offsets, found.topic_id, topic, ledger, has_time)
        partitions[number] = check.verdict(spans[number], buckets.get(number, ()))
    others = {topic_id: rows for topic_id, rows in ledger.rows_by_topic().items() if topic_id != found.topic_id}
    return Verdict(found.topic_id, partitions, others)


def split(span: Span, buckets: Iterable[Bucket]) -> tuple[list[Bucket], list[Span], list[Span]]:
    """Sort a span by what the ledger says of it: buckets that add up, spans to look at, and spans without any row."""
    by_number = {bucket.number: bucket for bucket in buckets}
    sound: list[Bucket] = []
    doubtful: list[Span] = []
    bare: list[Span] = []
    numbers = range(span.first // BUCKET_OFFSETS, (span.next - 1) // BUCKET_OFFSETS + 1) if span.size else ()
    for number in numbers:
        piece = span.within(Span(number * BUCKET_OFFSETS, (number + 1) * BUCKET_OFFSETS))
        bucket = by_number.get(number)
        if bucket is None:
            _append(bare, piece)
        elif adds_up(bucket, piece):
            sound.append(bucket)
        else:
            _append(doubtful, piece, most=_LOOK_OFFSETS)
    return sound, doubtful, bare


def adds_up(bucket: Bucket, span: Span) -> bool:
    """Whether the rows of a bucket are one for each offset of the span, and no others.

    As many rows doubled as missing leave the count as it should be, and two of each may leave the sum. The squares take
    at least three of each, and then an odd chance.
    """
    figures = (bucket.rows, bucket.first, bucket.last, bucket.offset_sum, bucket.square_sum)
    sums = (_sum_below(span.next) - _sum_below(span.first), _squares_below(span.next) - _squares_below(span.first))
    return figures == (span.size, span.first, span.next - 1, *(wanted % 2**64 for wanted in sums))


def _sum_below(offset: int) -> int:
    return (offset - 1) * offset // 2


def _squares_below(offset: int) -> int:
    return (offset - 1) * offset * (2 * offset - 1) // 6


def gaps_between(span: Span, runs: Iterable[Run]) -> list[Span]:
    """What of a span lies in none of the runs, which come in the order of their offsets."""
    gaps, position = [], span.first
    for run in runs:
        if run.span.first > position:
            gaps.append(Span(position, run.span.first))
        position = run.span.next
    if position < span.next:
        gaps.append(Span(position, span.next))
    return gaps


def _append(spans: list[Span], span: Span, most: int | None = None) -> None:
    """Add a span, to the last one if it follows that and both together are not too long."""
    if spans and spans[-1].next == span.first and (most is None or span.next - spans[-1].first <= most):
        spans[-1] = Span(spans[-1].first, span.next)
    else:
        spans.append(span)


def _to_check(number: int, offsets: PartitionOffsets, topic_id: str, ledger: Ledger, scope: Scope) -> Span:
    """From the first record that is young enough up to what the group has committed."""
    if offsets.committed is None:
        return Span(0, 0)
    first = offsets.since
    if offsets.since == offsets.begin > 0:
        # All that Kafka holds is young enough, so what it has deleted may be too: the rows say how far back that goes.
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
        number: int,
        offsets: PartitionOffsets,
        topic_id: str,
        topic: AuditedTopic,
        ledger: Ledger,
        has_time: Callable[[], bool],
    ) -> None:
        self._number = number
        self._offsets = offsets
        self._topic_id = topic_id
        self._topic = topic
        self._ledger = ledger
        self._has_time = has_time

    def verdict(self, span: Span, buckets: Sequence[Bucket]) -> PartitionVerdict:
        sound, doubtful, gaps = split(span, buckets)
        runs: list[Run] = []
        findings: list[Finding] = list(self._beyond())
        for piece in doubtful:
            if not self._has_time():
                findings.append(_finding(Kind.UNVERIFIED, piece))
                continue
            found = self._ledger.runs(self._topic_id, self._number, piece)
            runs += found
            gaps += gaps_between(piece, found)
        for run in runs:
            findings += _findings_in(run)
        for gap in _joined(gaps):
            findings += self._check_gap(gap)
        return PartitionVerdict(
            offsets=self._offsets,
            checked=span,
            records=sum(bucket.rows for bucket in sound) + sum(run.span.size for run in runs),
            rows=sum(bucket.rows for bucket in sound) + sum(run.rows for run in runs),
            unparsed=sum(bucket.unparsed for bucket in sound) + sum(run.unparsed for run in runs),
            findings=findings,
        )

    def _beyond(self) -> Iterator[Finding]:
        """What is wrong between what Kafka holds and what the group has committed, whatever the table holds."""
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
        there = gap.within(Span(self._offsets.begin, gap.next))
        if deleted.size:
            yield _finding(Kind.LOST, deleted)
        if not there.size:
            return
        reading = self._topic.records(self._number, there, self._has_time)
        for span in reading.records:
            yield _finding(Kind.MISSING, span)
        silent = gaps_between(Span(there.first, reading.read_up_to), (Run(span, 0, 0) for span in reading.records))
        for span in silent:
            for kind, part in _parted(span, reading.begin):
                yield _finding(kind, part)
        unread = Span(reading.read_up_to, there.next)
        if unread.size:
            yield _finding(Kind.UNVERIFIED, unread)


def _parted(span: Span, begin: int) -> Iterator[tuple[Kind, Span]]:
    """Offsets where Kafka returned nothing: because it had deleted it by then, or since there is no record."""
    for kind, part in ((Kind.LOST, Span(0, begin)), (Kind.EMPTY, Span(begin, span.next))):
        if (common := span.within(part)).size:
            yield kind, common


def _findings_in(run: Run) -> Iterator[Finding]:
    if run.surplus:
        yield Finding(Kind.DUPLICATED, run.span, run.surplus)
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
