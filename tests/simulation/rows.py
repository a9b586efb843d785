"""A decoder for the simulation: a record's value is a number; versions of the decoder make other rows of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from app.domain.reader import REST_ITEM
from app.domain.records import RecordChunk
from app.domain.rows import SCHEMA, Rows
from app.pipeline.decoded import Decoded

VERSIONS = 4
_PIECES = 6  # of every record
_ITEMS_BY_VERSION = (2, 3, 1, 2)
REJECTING_VERSIONS = range(VERSIONS, 2 * VERSIONS)
"""The same versions, of which the first two do not understand some of the records."""
_UNREADING_VERSIONS = REJECTING_VERSIONS[:2]
_REFUSED = "refused"
_UNREAD = b"unread "

_TEXT_NAMES = ("TraceId", "SpanId", "SeverityText", "ServiceName", "UserId", "ParseError")


class Identity(NamedTuple):
    """The identity of a row."""

    topic_id: str
    partition: int
    offset: int
    item: int


class Row(NamedTuple):
    """A row of the table. `pieces` are the pieces of the record that it holds, a flagged row as JSON.

    `ingested` is when its insert began. `problem` and `raw` are those of a flagged row.
    """

    identity: Identity
    day: int
    items: int
    pieces: Sequence[int]
    ingested: float = 0.0
    revision: int = 0
    problem: str = ""
    raw: bytes = b""


def decode(chunk: RecordChunk, version: int) -> Decoded:
    """Rows as the real decoder makes them. Another version parses other times, so other days, and other events."""
    offsets, items, counts, bodies, times, raws = [], [], [], [], [], []
    for offset, text in zip(chunk.offsets, chunk.values, strict=True):
        value = int((text or b"").removeprefix(_UNREAD))
        is_odd = value % 3 == 1 and version in REJECTING_VERSIONS
        is_unread = is_odd and version in _UNREADING_VERSIONS
        count = _ITEMS_BY_VERSION[version % VERSIONS] if (value % 4 == 0 or is_odd) and not is_unread else 1
        for item in range(count):
            offsets.append(offset)
            items.append(item)
            counts.append(count)
            raws.append(_UNREAD + b"%d" % value if is_unread else b"")
            bodies.append("" if is_unread else _body(value, _PIECES * item // count, _PIECES * (item + 1) // count))
            times.append(value // 3 + item + version % VERSIONS)
    columns = dict(_constants(len(offsets), chunk.partition.topic, chunk.topic_id, chunk.partition.number, version))
    columns["Timestamp"] = pa.array(times, pa.int64()).cast(SCHEMA.field("Timestamp").type)
    columns["Body"] = pa.array(bodies, pa.string())
    columns["_raw"] = pa.array(raws, pa.binary())
    columns["ParseError"] = pa.array(["unread: by this version" if raw else "" for raw in raws], pa.string())
    columns["_offset"] = pa.array(offsets, pa.uint64())
    columns["_item"] = pa.array(items, pa.uint16())
    columns["_items"] = pa.array(counts, pa.uint16())
    rows = pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
    return Decoded(rows, {})


def is_refused(row: dict[str, Any]) -> bool:
    """Whether the table refuses a row; it accepts the same row once it is flagged."""
    is_flagged = row["ParseError"].startswith("refused:")
    return not is_flagged and (_REFUSED in row["Body"] or _REFUSED.encode() in row["_raw"])


def rows_in(rows: Rows) -> list[Row]:
    """The rows to insert as the table keeps them."""
    columns = [rows[name].to_pylist() for name in ("_items", "Body", "_raw", "ParseError")]
    matching = zip(identities_of(rows), days_of(rows), *columns, strict=True)
    return [
        Row(identity, day, items, _pieces(body, raw), problem=problem, raw=raw if problem else b"")
        for identity, day, items, body, raw, problem in matching
    ]


def identities_of(rows: Rows) -> list[Identity]:
    """Identity of each row."""
    columns = [rows[name].to_pylist() for name in ("_topic_id", "_partition", "_offset", "_item")]
    return [Identity(*values) for values in zip(*columns, strict=True)]


def days_of(rows: Rows) -> list[int]:
    """Day of each row, 0 or 1."""
    return [time.value % 2 for time in rows["Timestamp"]]


def flaw_in(record: Sequence[Row]) -> str:
    """What is wrong with the rows of one record; empty if it is stored whole by one reading, or finished by rule."""
    plain = [row for row in record if row.identity.item != REST_ITEM]
    rest = [row for row in record if row.identity.item == REST_ITEM]
    pieces = Counter(piece for row in plain for piece in row.pieces)
    if pieces and max(pieces.values()) > 1:
        return "a piece is stored twice"
    if rest:
        is_whole = sorted(rest[0].pieces) == list(range(_PIECES)) and rest[0].items == len(record)
        return "" if is_whole else "the row that finishes it is not the whole record"
    if len(pieces) < _PIECES:
        return "a piece is lost"
    return "" if all(row.items == len(record) for row in record) else "it has not as many rows as they say"


def flaw_in_revised(there: Sequence[Row], removed: Sequence[Row], *, is_final: bool) -> str:
    """The same of a record that was stored anew: one reading is whole, and in the end the only one that is there."""
    numbers: dict[int, set[int]] = {}
    for row in (*there, *removed):
        numbers.setdefault(row.items, set()).add(row.identity.item)
    wholes = {items for items, found in numbers.items() if len(found) >= items}
    if not wholes:
        return "no reading of it is whole"
    if not is_final:
        return ""
    if len({row.identity for row in there}) < len(there):
        return "a row of it is there twice"
    if len({row.items for row in there}) > 1 or any(row.items not in wholes for row in there):
        return "rows of another reading are there too"
    gone = {(row.identity, row.items) for row in removed}
    is_back = any(row.revision and (row.identity, row.items) in gone for row in there)
    return "a removed row is back" if is_back else ""


def _body(value: int, first: int, end: int) -> str:
    return f"{'refused' if value % 23 == 0 else ''}:{','.join(map(str, range(first, end)))}"


def _pieces(body: str, raw: bytes) -> list[int]:
    """The pieces in a row, or in those that it holds as JSON."""
    if not raw and not body:
        return []
    if raw.startswith(_UNREAD) and not body:
        return list(range(_PIECES))
    if not raw or raw.startswith(_UNREAD):  # a row that is stored anew keeps what was not understood
        return [int(piece) for piece in body.partition(":")[2].split(",")]
    held = json.loads(raw)
    rows = held if isinstance(held, list) else [held]
    return [piece for row in rows for piece in _pieces(row["Body"], row["_raw"].encode())]


@lru_cache(maxsize=1000)
def _constants(count: int, topic: str, topic_id: str, partition: int, version: int) -> tuple[tuple[str, pa.Array], ...]:
    """The columns that are the same for every chunk."""
    columns = {name: pa.repeat(pa.scalar(""), count) for name in _TEXT_NAMES}
    columns["SeverityNumber"] = pa.array([0] * count, pa.uint8())
    for name in ("ResourceAttributes", "LogAttributes"):
        columns[name] = pa.array([[]] * count, SCHEMA.field(name).type)
    columns["ResponseTimeMs"] = pa.nulls(count, pa.float32())
    columns["_topic"] = pa.repeat(pa.scalar(topic), count)
    columns["_topic_id"] = pa.repeat(pa.scalar(topic_id), count)
    columns["_partition"] = pa.array([partition] * count, pa.uint16())
    columns["_reader"] = pa.repeat(pa.scalar(f"version-{version}"), count)
    columns["_raw"] = pa.array([b""] * count, pa.binary())
    columns["record_time_ms"] = pa.array([0] * count, pa.int64())
    return tuple(columns.items())
