"""A decoder for the simulation: a record's value is a number that determines its rows."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from app.domain.records import RecordChunk
from app.domain.rows import SCHEMA
from app.pipeline.decode import Decoded

REFUSED_BODY = "refused"

_TEXT_NAMES = ("TraceId", "SpanId", "SeverityText", "ServiceName", "UserId", "ParseError")


def items_of(value: int) -> int:
    """The number of rows of a record."""
    return 2 if value % 7 == 0 else 1


def decode(chunk: RecordChunk, version: int) -> Decoded:
    """Rows as the real decoder makes them. Another version parses other times, and so other days."""
    offsets, items, bodies, times = [], [], [], []
    for offset, text in zip(chunk.offsets, chunk.values, strict=True):
        value = int(text or b"")
        for item in range(items_of(value)):
            offsets.append(offset)
            items.append(item)
            bodies.append(REFUSED_BODY if value % 23 == 0 else "")
            times.append(value // 3 + item + version)
    count = len(offsets)
    columns = dict(_constants(count, chunk.partition.topic, chunk.topic_id, chunk.partition.number))
    columns["Timestamp"] = pa.array(times, pa.int64()).cast(SCHEMA.field("Timestamp").type)
    columns["Body"] = pa.array(bodies, pa.string())
    columns["_offset"] = pa.array(offsets, pa.uint64())
    columns["_item"] = pa.array(items, pa.uint16())
    rows = pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
    return Decoded(rows, {})


@lru_cache(maxsize=1000)
def _constants(count: int, topic: str, topic_id: str, partition: int) -> tuple[tuple[str, pa.Array], ...]:
    """The columns that are the same for every chunk."""
    columns = {name: pa.repeat(pa.scalar(""), count) for name in _TEXT_NAMES}
    columns["SeverityNumber"] = pa.array([0] * count, pa.uint8())
    for name in ("ResourceAttributes", "LogAttributes"):
        columns[name] = pa.array([[]] * count, SCHEMA.field(name).type)
    columns["ResponseTimeMs"] = pa.nulls(count, pa.float32())
    columns["_topic"] = pa.repeat(pa.scalar(topic), count)
    columns["_topic_id"] = pa.repeat(pa.scalar(topic_id), count)
    columns["_partition"] = pa.array([partition] * count, pa.uint16())
    columns["_raw"] = pa.array([b""] * count, pa.binary())
    columns["record_time_ms"] = pa.array([0] * count, pa.int64())
    return tuple(columns.items())
