"""Measures how fast the engine can store the same rows when one client only posts them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.native import installed
from app.domain.event_time import EventTimeBounds
from app.domain.records import Partition, RecordChunk
from app.domain.rows import TABLE_COLUMNS, Rows, concatenate
from app.pipeline.decode import decode
from bench.processes import cpu_secs
from bench.report import Measurements
from bench.stack import DATABASE, PARTITIONS, BenchStack
from bench.workload import backlog_events

BODY_ROWS = 100_000

_MILLION = 1e6
_TOPIC = "engine-limit"
CHUNK_ROWS = 5_000  # as in the service
_DEADLINE_SECS = 60.0


def measure_engine_limit(stack: BenchStack, *, bodies: int, rounds: int) -> Measurements:
    """Post `bodies` different bodies `rounds` times, as blocks like the service and then as JSONEachRow."""
    batches = list(decoded_batches(bodies))
    blocks, json_rows = f"blocks_{uuid.uuid4().hex}", f"json_{uuid.uuid4().hex}"
    stack.create_table(blocks)
    stack.create_table(json_rows)
    writer = ClickHouseWriter(stack.clickhouse_settings(blocks), installed().forms)
    measurements = _measured("native", stack, rounds, [insert_call(writer, batch) for batch in batches])
    texts = [_as_json_rows(stack, blocks, first * BODY_ROWS) for first in range(bodies)]
    stack.drop_table(blocks)
    measurements |= _measured("json", stack, rounds, [_post_call(stack, json_rows, text) for text in texts])
    stack.drop_table(json_rows)
    return measurements


def _measured(form: str, stack: BenchStack, rounds: int, calls: Sequence[Callable[[], None]]) -> Measurements:
    stack.wait_until_idle()
    start, cpu_start = time.monotonic(), cpu_secs(stack.engine.pid)
    for _ in range(rounds):
        for call in calls:
            call()
    elapsed, cpu = time.monotonic() - start, cpu_secs(stack.engine.pid) - cpu_start
    rows = rounds * len(calls) * BODY_ROWS
    return {
        f"engine_{form}_rows_per_sec": rows / elapsed,
        f"engine_{form}_cpu_secs_per_million": cpu / rows * _MILLION,
    }


def insert_call(writer: ClickHouseWriter, rows: Rows) -> Callable[[], None]:
    """A function that inserts these rows as the service does, each time with a new token."""
    return lambda: writer.insert(rows, uuid.uuid4().hex, int((time.time() + _DEADLINE_SECS) * 1000))


def _post_call(stack: BenchStack, table: str, body: bytes) -> Callable[[], None]:
    columns = ", ".join(TABLE_COLUMNS)
    sql = f"INSERT INTO `{DATABASE}`.`{table}` ({columns}) FORMAT JSONEachRow"

    def post() -> None:
        # With a token, or the engine would drop a body that it has seen before.
        stack.post(body, {"query": sql, "async_insert": "0", "insert_deduplication_token": uuid.uuid4().hex})

    return post


def _as_json_rows(stack: BenchStack, table: str, first: int) -> bytes:
    """The rows of one body, in the order in which they were inserted."""
    columns = ", ".join(TABLE_COLUMNS)
    begin, end = first // PARTITIONS, (first + BODY_ROWS) // PARTITIONS
    sql = (
        f"SELECT {columns} FROM `{DATABASE}`.`{table}` WHERE _offset >= {begin} AND _offset < {end}"
        " ORDER BY _offset, _partition LIMIT 1 BY _offset, _partition FORMAT JSONEachRow"
    )
    return stack.post(sql.encode(), {})


def decoded_batches(count: int) -> Iterator[Rows]:
    """Batches of BODY_ROWS as the service makes them: decoded chunks of all partitions, concatenated."""
    events = backlog_events(count * BODY_ROWS)
    for first in range(0, count * BODY_ROWS, BODY_ROWS):
        values = list(islice(events, BODY_ROWS))
        yield concatenate(list(_decoded_chunks(values, first // PARTITIONS)))


def _decoded_chunks(values: Sequence[bytes], first_offset: int) -> Iterator[Rows]:
    for begin in range(0, len(values) // PARTITIONS, CHUNK_ROWS):
        for number in range(PARTITIONS):
            yield decoded_chunk(number, first_offset + begin, values[number::PARTITIONS][begin : begin + CHUNK_ROWS])


def decoded_chunk(partition: int, first_offset: int, values: Sequence[bytes]) -> Rows:
    """The rows of records that follow one another in a partition."""
    offsets = range(first_offset, first_offset + len(values))
    chunk = RecordChunk(
        partition=Partition(_TOPIC, partition),
        topic_id=_TOPIC,
        offsets=list(offsets),
        timestamps_ms=[int(time.time() * 1000)] * len(values),
        values=values,
        headers=[()] * len(values),
        next_offset=offsets.stop,
    )
    return decode(chunk, EventTimeBounds.of_retention(30)).rows
