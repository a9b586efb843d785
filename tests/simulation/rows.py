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
from app.pipeline.decode import Decoded

VERSIONS = 4
_PIECES = 6  # of every record
_ITEMS_BY_VERSION = (2, 3, 1, 2)
_REFUSED = "refused"

_TEXT_NAMES = ("TraceId", "SpanId", "SeverityText", "ServiceName", "UserId", "ParseError")


class Identity(NamedTuple):
    """The identity of a row."""

    topic_id: str
    partition: int
    offset: int
    item: int


class Row(NamedTuple):
    """A row of the table. `pieces` are the pieces of the record that it holds, a flagged row as JSON.

    `ingested` is when its insert began.
    """

    identity: Identity
    day: int
    items: int
    pieces: Sequence[int]
    ingested: float = 0.0


def decode(chunk: RecordChunk, version: int) -> Decoded:
    """Rows as the real decoder makes them. Another version parses other times, so other days, and other events."""
    offsets, items, counts, bodies, times = [], [], [], [], []
    for offset, text in zip(chunk.offsets, chunk.values, strict=True):
        value = int(text or b"")
        count = _ITEMS_BY_VERSION[version] if value % 4 == 0 else 1
        for item in range(count):
            offsets.append(offset)
            items.append(item)
            counts.append(count)
            bodies.append(_body(value, _PIECES * item // count, _PIECES * (item + 1) // count))
            times.append(value // 3 + item + version)
    columns = dict(_constants(len(offsets), chunk.partition.topic, chunk.topic_id, chunk.partition.number, version))
    columns["Timestamp"] = pa.array(times, pa.int64()).cast(SCHEMA.field("Timestamp").type)
    columns["Body"] = pa.array(bodies, pa.string())
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
    columns = [rows[name].to_pylist() for name in ("_items", "Body", "_raw")]
    matching = zip(identities_of(rows), days_of(rows), *columns, strict=True)
    return [Row(identity, day, items, _pieces(body, raw)) for identity, day, items, body, raw in matching]


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


def _body(value: int, first: int, end: int) -> str:
    return f"{'refused' if value % 23 == 0 else ''}:{','.join(map(str, range(first, end)))}"


def _pieces(body: str, raw: bytes) -> list[int]:
    """The pieces in a row, or in those that it holds as JSON."""
    if not raw:
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
