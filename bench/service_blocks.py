"""The blocks in which the service stores a backlog, made anew, so that others can post the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from app.domain.rows import Rows, concatenate
from bench.engine_limit import CHUNK_ROWS, decoded_chunk
from bench.service import Program, running_service
from bench.stack import DATABASE, PARTITIONS, BenchStack
from bench.workload import backlog_events

_BEGIN_SECS: Final = 60.0
_SLOWEST_ROWS_PER_SEC: Final = 5_000
_TABLE: Final = "service_blocks"


class Range(NamedTuple):
    """Records of one partition in one block; the last is included."""

    block: str
    partition: int
    first: int
    last: int


def service_blocks(stack: BenchStack, python: str, topic: str, events: int) -> list[Rows]:
    """Let the service drain a backlog of `events` once, and make the blocks anew that it has stored.

    Raises:
        LocalError: the drain does not end.
    """
    stack.create_table(_TABLE)
    with running_service(stack, Program(python), topic, _TABLE) as service:
        service.wait_until_stored(events, _BEGIN_SECS + events / _SLOWEST_ROWS_PER_SEC)
    ranges = stored_ranges(stack, _TABLE)
    stack.drop_table(_TABLE)
    return decoded_blocks(list(backlog_events(events)), ranges)


def stored_ranges(stack: BenchStack, table: str) -> list[Range]:
    """Which records each block held that the service has inserted into a table, in the order of the inserts.

    All rows of an insert have the same `_ingested`.

    Raises:
        BenchError: the table does not exist.
    """
    answer = stack.query(
        f"SELECT toString(_ingested), _partition, min(_offset), max(_offset) FROM `{DATABASE}`.`{table}`"
        " GROUP BY _ingested, _partition ORDER BY _ingested, _partition FORMAT TSV"
    )
    rows = [line.split("\t") for line in answer.splitlines()]
    return [Range(block, int(partition), int(first), int(last)) for block, partition, first, last in rows]


def decoded_blocks(values: Sequence[bytes], ranges: Sequence[Range]) -> list[Rows]:
    """The blocks with these records of a backlog of `values`."""
    partitions = [values[number::PARTITIONS] for number in range(PARTITIONS)]
    return [
        concatenate([decoded_chunk(*chunk) for chunk in _chunks(partitions, list(mine))])
        for _, mine in groupby(ranges, lambda each: each.block)
    ]


def _chunks(
    partitions: Sequence[Sequence[bytes]], ranges: Sequence[Range]
) -> Iterator[tuple[int, int, Sequence[bytes]]]:
    """Partition, first offset and values of the chunks of a block: the partitions take turns, as when they are read."""
    longest = max(each.last + 1 - each.first for each in ranges)
    for begin in range(0, longest, CHUNK_ROWS):
        for each in ranges:
            first = each.first + begin
            if first <= each.last:
                end = min(first + CHUNK_ROWS, each.last + 1)
                yield each.partition, first, partitions[each.partition][first:end]
