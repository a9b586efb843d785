"""The service's blocks, made anew from what it stored."""

from __future__ import annotations

import json

import pyarrow.compute as pc

from bench.engine_limit import CHUNK_ROWS
from bench.service_blocks import Range, decoded_blocks
from bench.workload import backlog_events

EVENTS = list(backlog_events(60_000))  # once: what happens in them depends on their times
RANGES = [
    Range("first", 0, 0, 99),
    Range("first", 2, 0, CHUNK_ROWS + 9),
    Range("second", 0, 100, 149),
]


def test_a_block_has_the_records_that_it_had() -> None:
    first, second = decoded_blocks(EVENTS, RANGES)

    assert [block.num_rows for block in (first, second)] == [100 + CHUNK_ROWS + 10, 50]
    assert pc.min_max(second["_offset"]).as_py() == {"min": 100, "max": 149}
    # The partitions take turns, chunk by chunk.
    assert first["_partition"].to_pylist() == [0] * 100 + [2] * (CHUNK_ROWS + 10)


def test_a_row_is_the_event_of_its_partition_and_offset() -> None:
    *_, second = decoded_blocks(EVENTS, RANGES)

    sent = [json.loads(event)["message"] for event in EVENTS[400:600:4]]

    assert second["Body"].to_pylist() == sent
