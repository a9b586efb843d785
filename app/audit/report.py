"""A verdict in words for people, and as data for programs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from app.audit.verdict import BAD, Finding, Kind, PartitionVerdict, Verdict, exit_code
from app.domain.offsets import Span
from app.domain.records import Partition

_MOST_SPANS = 8  # listed for one partition and kind; the JSON has all of them

_Count = Callable[[PartitionVerdict], int]
_COLUMNS: Sequence[tuple[str, _Count]] = (
    ("consumed", lambda partition: partition.checked.size),
    ("stored", lambda partition: partition.records),
    ("missing", lambda partition: partition.count(Kind.MISSING, Kind.INCOMPLETE)),
    ("duplicated", lambda partition: partition.count(Kind.DUPLICATED)),
    ("unparsed", lambda partition: partition.unparsed),
    ("lost to retention", lambda partition: partition.count(Kind.LOST)),
)
# Listed only where there are any.
_RARE_COLUMNS: Sequence[tuple[str, _Count]] = (
    ("rows", lambda partition: partition.rows),
    ("no record", lambda partition: partition.count(Kind.EMPTY)),
    ("removed", lambda partition: partition.removed),
    ("superseded", lambda partition: partition.count(Kind.SUPERSEDED)),
    ("unverified", lambda partition: partition.count(Kind.UNVERIFIED)),
)

_MEANING: Mapping[Kind, str] = {
    Kind.MISSING: "Kafka has these records, the table does not",
    Kind.INCOMPLETE: "some items of these records, which hold several, are not in the table",
    Kind.DUPLICATED: "the table has these more than once",
    Kind.SUPERSEDED: "these were stored anew, and the old ones are not deleted: run `python -m app reprocess` again",
    Kind.LOST: "Kafka has deleted these, and the table does not have them",
    Kind.UNVERIFIED: "there was no time to check these, or Kafka ends before them",
}


def lines(verdict: Verdict) -> Iterator[str]:
    """A table by partition, the findings with their offsets, and a summary as the last line."""
    yield from _table(verdict)
    details = [line for kind in _MEANING for line in _about(kind, verdict)]
    if details:
        yield ""
        yield from details
    if verdict.other_ids:
        yield ""
        rows = sum(verdict.other_ids.values())
        yield (
            f"Not checked: {_several(rows, 'row')} of {_several(len(verdict.other_ids), 'other topic id')}"
            " (other topics, or this one before it was deleted and created again)."
        )
    if verdict.unchecked:
        yield ""
        yield f"Not checked: {', '.join(verdict.unchecked)}, which do not exist or may not be seen."
    yield ""
    yield summary(verdict)


def summary(verdict: Verdict) -> str:
    """The result in one line."""
    consumed = sum(partition.checked.size for partition in verdict.partitions.values())
    totals = f"{_several(consumed, 'offset')} consumed, {_several(_records(verdict), 'record')} stored"
    code = exit_code(verdict)
    if code == 1:
        wrong = [f"{verdict.count(kind):,} {kind}" for kind in BAD if verdict.count(kind)]
        return f"{totals}: {', '.join(wrong)}."
    if verdict.count(Kind.UNVERIFIED):
        return f"{totals}: {verdict.count(Kind.UNVERIFIED):,} could not be checked, of the others nothing is missing."
    if verdict.unchecked:
        topics = _several(len(verdict.unchecked), "topic")
        return f"{totals}: {topics} could not be checked, of the others nothing is missing."
    if not consumed:
        return "Nothing to check: the group has consumed no record of this time."
    return f"{totals}: nothing is missing or duplicated."


def as_data(verdict: Verdict) -> dict[str, object]:
    """The complete verdict, for JSON."""
    return {
        "exit_code": exit_code(verdict),
        "summary": summary(verdict),
        "topic_ids": dict(verdict.topic_ids),
        "partitions": [_partition_data(partition, found) for partition, found in verdict.partitions.items()],
        "rows_of_other_topic_ids": dict(verdict.other_ids),
        "topics_not_checked": list(verdict.unchecked),
    }


def spans_in_words(spans: Iterable[Span]) -> str:
    """The first spans, and the number of others."""
    spans = list(spans)
    listed = ", ".join(map(str, spans[:_MOST_SPANS]))
    left = len(spans) - _MOST_SPANS
    return f"{listed} and {left:,} other ranges" if left > 0 else listed


def _table(verdict: Verdict) -> Iterator[str]:
    found = verdict.partitions
    rare = [column for column in _RARE_COLUMNS if _is_shown(column, found.values())]
    columns = [*_COLUMNS, *rare]
    cells = [["partition", "offsets", *(title for title, _ in columns)]]
    for name, partition in found.items():
        span = "none committed" if partition.offsets.committed is None else str(partition.checked)
        cells.append([str(name), span, *(f"{count(partition):,}" for _, count in columns)])
    cells.append(["all", "", *(f"{sum(map(count, found.values())):,}" for _, count in columns)])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def _is_shown(column: tuple[str, _Count], partitions: Iterable[PartitionVerdict]) -> bool:
    title, count = column
    if title == "rows":
        return any(partition.rows != partition.records for partition in partitions)
    return any(map(count, partitions))


def _about(kind: Kind, verdict: Verdict) -> Iterator[str]:
    """The meaning of one kind, then its findings by partition."""
    found = {name: partition.of(kind) for name, partition in verdict.partitions.items() if partition.count(kind)}
    if not found:
        return
    yield f"{kind}: {_MEANING[kind]}"
    for name, findings in found.items():
        count = sum(finding.count for finding in findings)
        yield f"  {name}  {_counted(kind, count)}: offsets {_spans_of(findings)}"


def _counted(kind: Kind, count: int) -> str:
    noun = {Kind.MISSING: "record", Kind.INCOMPLETE: "item", Kind.DUPLICATED: "row", Kind.SUPERSEDED: "row"}.get(
        kind, "offset"
    )
    return _several(count, noun) + (" too many" if kind is Kind.DUPLICATED else "")


def _spans_of(findings: Iterable[Finding]) -> str:
    return spans_in_words(finding.span for finding in findings)


def _partition_data(partition: Partition, found: PartitionVerdict) -> dict[str, object]:
    offsets = found.offsets
    return {
        "topic": partition.topic,
        "partition": partition.number,
        "kafka": {"begin": offsets.begin, "end": offsets.end, "committed": offsets.committed},
        "first": found.checked.first,
        "next": found.checked.next,
        "records": found.records,
        "rows": found.rows,
        "unparsed": found.unparsed,
        "removed": found.removed,
        "findings": [
            {
                "kind": finding.kind.value,
                "first": finding.span.first,
                "last": finding.span.next - 1,
                "count": finding.count,
            }
            for kind in Kind
            for finding in found.of(kind)
        ],
    }


def _records(verdict: Verdict) -> int:
    return sum(partition.records for partition in verdict.partitions.values())


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
