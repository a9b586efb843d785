"""What today's parser makes of rejected rows: the rows to store in their place. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from msgspec import Struct, field

from app.audit.rejected import RejectedRow, content_of
from app.domain.reader import REST_ITEM
from app.domain.records import OneRecord, Partition, RecordChunk
from app.domain.revisions import Place
from app.domain.rows import Rows, with_rows_changed
from app.maintenance.tables import FlaggedRow
from app.pipeline.decoded import Decoded

Decode = Callable[[RecordChunk], Decoded]

# ClickHouse refused the row and not its text; the row finishes a record of two readings; there is no text.
_NOT_READ_AGAIN: Final = frozenset({"refused", "reader", "tombstone"})


class Left(StrEnum):
    """Why a rejected row stays as it is. The values are for people."""

    REJECTED = "today's parser does not understand them either"
    NO_TEXT = "Kafka no longer has the record, and the row does not hold its text"
    NOT_TRIED = "they were refused by ClickHouse, empty, or finish a record of two versions"
    OTHER_COUNT = "their record would have another number of rows today"
    REFUSED = "ClickHouse refuses the new row"


class Replacements(Struct):
    """Rows to store, by record, with how many rejected rows they replace; and how many are left as they are."""

    records: list[tuple[Rows, int]] = field(default_factory=list)
    left: dict[Left, int] = field(default_factory=lambda: dict.fromkeys(Left, 0))


def replacements(flagged: Iterable[FlaggedRow], records: Mapping[Place, OneRecord], decode: Decode) -> Replacements:
    """Read rejected rows again: from their record if it is in `records`, else from what the row holds of it."""
    found = Replacements()
    for place, group in groupby(sorted(flagged), key=lambda row: row.place):
        rows = list(group)
        record = records.get(place)
        if any(row.item == REST_ITEM for row in rows):
            found.left[Left.NOT_TRIED] += len(rows)
        elif record is None:
            for row in rows:
                _add(found, 1, _from_row(row, decode))
        else:
            for of_rows, outcome in _from_record(rows, record, decode):
                _add(found, of_rows, outcome)
    return found


def _add(found: Replacements, rows: int, outcome: Rows | Left) -> None:
    if isinstance(outcome, Left):
        found.left[outcome] += rows
    else:
        found.records.append((outcome, rows))


def _from_record(flagged: Sequence[FlaggedRow], record: OneRecord, decode: Decode) -> Iterator[tuple[int, Rows | Left]]:
    """What becomes of the rejected rows of a record, and of how many of them."""
    tried = [row for row in flagged if _word(row.problem) not in _NOT_READ_AGAIN]
    yield len(flagged) - len(tried), Left.NOT_TRIED
    if not tried:
        return
    today = decode(_chunk(tried[0], record)).rows
    understood = [not problem for problem in today["ParseError"].to_pylist()]
    for row in tried:
        if today.num_rows == max(row.items, 1):
            yield 1, _kept(today.slice(row.item, 1), row) if understood[row.item] else Left.REJECTED
        elif row.items == 1:
            yield 1, _kept(today, row) if any(understood) else Left.REJECTED
        else:
            yield 1, Left.OTHER_COUNT


def _from_row(row: FlaggedRow, decode: Decode) -> Rows | Left:
    """The same from the text that the row holds. Key and headers are not known: what they gave the row is kept."""
    if _word(row.problem) in _NOT_READ_AGAIN:
        return Left.NOT_TRIED
    text = _original(row)
    if text is None:
        return Left.NO_TEXT
    today = decode(_chunk(row, OneRecord(row.time_ms, text, ()))).rows
    if today.num_rows != 1:
        return Left.OTHER_COUNT
    [values] = today.to_pylist()
    if values["ParseError"]:
        return Left.REJECTED
    changes: dict[str, Any] = {"_item": row.item, "_items": row.items}
    changes["ServiceName"] = values["ServiceName"] or row.service
    changes["LogAttributes"] = list({**row.attributes, **dict(values["LogAttributes"])}.items())
    changes["ResourceAttributes"] = list({**row.resource, **dict(values["ResourceAttributes"])}.items())
    return _kept(with_rows_changed(today, [0], [changes]), row)


def _kept(rows: Rows, row: FlaggedRow) -> Rows:
    """The rows, of which the first keeps the text that was not understood: a wrong reading can be repeated."""
    text = _original(row)
    if not text or rows["_raw"][0].as_py():
        return rows
    return with_rows_changed(rows, [0], [{"_raw": text}])


def _original(row: FlaggedRow) -> bytes | None:
    """The whole text that was rejected, or None if the row does not hold it."""
    place = row.place
    content = content_of(
        RejectedRow(row.problem, row.time_ms, row.topic, place.partition, place.offset, row.item, row.body, row.raw, {})
    )
    return content or None


def _chunk(row: FlaggedRow, record: OneRecord) -> RecordChunk:
    place = row.place
    return RecordChunk.of_one(record, Partition(row.topic, place.partition), place.topic_id, place.offset)


def _word(problem: str) -> str:
    """The first word of a ParseError, which names its kind."""
    return problem.partition(":")[0]
