"""Rows that were not understood, by reason, and whether today's parser understands them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from msgspec import Struct, field

from app.domain.columns import SENT
from app.domain.masking.masking import BINARY
from app.domain.records import Partition, RecordChunk
from app.pipeline.decoded import Decoded

_MOST_REASONS = 1_000  # counted separately, to bound memory
_OTHERS = "(other reasons)"
_MOST_SAMPLES = 3
_SAMPLE_CHARACTERS = 100

# Reasons for which the Body is the whole content of the record, or of its item.
_WHOLE_BODY = frozenset({"json", "empty"})


class RejectedRow(NamedTuple):
    """A row with a ParseError, as the table has it."""

    problem: str
    time_ms: int
    topic: str
    partition: int
    offset: int
    item: int
    body: bytes
    raw: bytes
    attributes: Mapping[str, str]


class Retried(Enum):
    """The result of trying today's parser on a row."""

    UNDERSTOOD = "understood"
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # the row does not hold the parser's input


class Tally(Struct):
    """Rows with the same reason."""

    rows: int = 0
    first_ms: int = 2**63
    last_ms: int = -(2**63)
    retried: dict[Retried, int] = field(default_factory=lambda: dict.fromkeys(Retried, 0))
    samples: list[str] = field(default_factory=list)

    def add(self, row: RejectedRow, retried: Retried) -> None:
        """Count one row."""
        self.rows += 1
        self.first_ms = min(self.first_ms, row.time_ms)
        self.last_ms = max(self.last_ms, row.time_ms)
        self.retried[retried] += 1
        if len(self.samples) < _MOST_SAMPLES:
            self.samples.append(_sample(row))


class Rejections:
    """The rows counted so far, by full reason. Its size does not grow with the number of rows."""

    def __init__(self, decode: Callable[[RecordChunk], Decoded]) -> None:
        self._decode = decode
        self.by_reason: dict[str, Tally] = {}

    @property
    def row_count(self) -> int:
        """The number of rows counted."""
        return sum(tally.rows for tally in self.by_reason.values())

    def add(self, rows: Sequence[RejectedRow]) -> None:
        """Try the parser on some rows, and count them."""
        for row, retried in zip(rows, retry(rows, self._decode), strict=True):
            is_new = row.problem not in self.by_reason
            reason = _OTHERS if is_new and len(self.by_reason) >= _MOST_REASONS else row.problem
            self.by_reason.setdefault(reason, Tally()).add(row, retried)


def retry(rows: Sequence[RejectedRow], decode: Callable[[RecordChunk], Decoded]) -> list[Retried]:
    """Try today's parser on each row.

    The row does not have the record's time, so its Timestamp is used: it is the record's if the event's own time was
    not understood, and otherwise close enough for the same result.
    """
    contents = [content_of(row) for row in rows]
    known = [index for index, content in enumerate(contents) if content is not None]
    outcomes = [Retried.UNKNOWN] * len(rows)
    if known:
        problems = decode(
            RecordChunk(
                partition=Partition("", 0),
                topic_id="",
                offsets=known,
                timestamps_ms=[rows[index].time_ms for index in known],
                values=[contents[index] for index in known],
                headers=[()] * len(known),  # a row of an NDJSON batch holds its own line
                next_offset=len(rows),
            )
        ).rows["ParseError"]
        for index, problem in zip(known, problems.to_pylist(), strict=True):
            outcomes[index] = Retried.REJECTED if problem else Retried.UNDERSTOOD
    return outcomes


def content_of(row: RejectedRow) -> bytes | None:
    """The parser's input, or None where the row does not hold it.

    That is `_raw`, unless it is empty. `Body` is the complete input only if the record was parsed as text. For a JSON
    event with invalid fields, the row has their values as attributes: an event of these and the message fails alike.
    A row that ClickHouse refused was understood, or its `_raw` has the invalid part; then the fault is another one.
    """
    words = [problem.partition(":")[0] for problem in row.problem.split("; ")]
    if words[0] in ("refused", "reader", "packed", "tombstone"):
        return None
    if row.raw:
        return None if row.raw == BINARY.encode() else row.raw
    if _WHOLE_BODY.issuperset(words):
        return row.body
    if not SENT.keys() >= set(words) or not row.attributes.keys() >= set(words):
        return None
    event: dict[str, Any] = {"message": row.body.decode(errors="replace")}
    for problem in row.problem.split("; "):
        name = problem.partition(":")[0]
        event[name] = _list_or_text(row.attributes[name]) if "list where" in problem else row.attributes[name]
    return json.dumps(event).encode()


def lines(found: Rejections, total: int, limit: int) -> Iterator[str]:
    """The report: reasons by their first word, then in full, most rows first, with samples; then the summary."""
    words = {reason.partition(":")[0] for reason in found.by_reason}
    for word in sorted(words, key=lambda word: -_sum_of(_of_word(found, word))):
        reasons = _of_word(found, word)
        yield f"{word}: {_several(_sum_of(reasons), 'row')}"
        for reason, tally in sorted(reasons.items(), key=lambda item: -item[1].rows):
            yield f"  {reason}"
            times = f"{_time(tally.first_ms)} to {_time(tally.last_ms)}"
            yield f"    {_several(tally.rows, 'row')}, {times}{_outcomes(tally)}"
            yield from (f"      {sample}" for sample in tally.samples)
        yield ""
    if total > limit:
        yield f"Only {limit:,} of {total:,} rows were read; raise --limit to read more."
    yield _summary(found)


def _of_word(found: Rejections, word: str) -> dict[str, Tally]:
    return {reason: tally for reason, tally in found.by_reason.items() if reason.partition(":")[0] == word}


def _sum_of(reasons: Mapping[str, Tally]) -> int:
    return sum(tally.rows for tally in reasons.values())


def _outcomes(tally: Tally) -> str:
    text = ""
    if understood := tally.retried[Retried.UNDERSTOOD]:
        text += f"; today's parser would understand {understood:,}"
    if unknown := tally.retried[Retried.UNKNOWN]:
        text += f"; {unknown:,} cannot be tried"
    return text


def _summary(found: Rejections) -> str:
    if not found.row_count:
        return "Every row of this time was understood."
    counts = {outcome: sum(tally.retried[outcome] for tally in found.by_reason.values()) for outcome in Retried}
    return (
        f"{_several(found.row_count, 'row')} not understood: today's parser would understand"
        f" {counts[Retried.UNDERSTOOD]:,}, and not {counts[Retried.REJECTED]:,}; {counts[Retried.UNKNOWN]:,} cannot be"
        " tried, since the row does not hold the record's text."
    )


def _sample(row: RejectedRow) -> str:
    text = " ".join((row.body or row.raw)[: 4 * _SAMPLE_CHARACTERS].decode(errors="replace").split())
    origin = f"{row.topic}/{row.partition} offset {row.offset}" + (f" item {row.item}" if row.item else "")
    return f"{origin}: {text[:_SAMPLE_CHARACTERS]}{'...' if len(text) > _SAMPLE_CHARACTERS else ''}"


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _list_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
