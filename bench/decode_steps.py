"""The steps between the bytes of records and the body of an insert, and the CPU time of each. No stack is started."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from app.backends.clickhouse.block import native_block
from app.build.native import installed
from app.domain.event_time import EventTimeBounds
from app.domain.records import Partition, RecordChunk
from app.domain.rows import TABLE_COLUMNS, concatenate
from app.domain.words import searched_forms
from app.formats.reading import DEFAULT_RULES
from app.pipeline.decode import read_rows
from app.pipeline.decoded import ReadChunk, decoded
from app.pipeline.native_reader import NativeReader
from bench.errors import BenchError
from bench.workload import backlog_events

_BOUNDS: Final = EventTimeBounds.of_retention(30)
_CHUNKS, _RECORDS = 10, 1000


def readers() -> dict[str, ReadChunk]:
    """The reader in Python, and the compiled one if it is installed."""
    new_reader = installed().new_reader
    found: dict[str, ReadChunk] = {"python": partial(read_rows, bounds=_BOUNDS, rules=DEFAULT_RULES, reader="")}
    if new_reader is not None:
        found["native"] = NativeReader(new_reader, _BOUNDS, DEFAULT_RULES, "", found["python"])
    return found


def both_readers() -> dict[str, ReadChunk]:
    """Both readers.

    Raises:
        BenchError: there is no compiled code.
    """
    found = readers()
    if "native" not in found:
        raise BenchError(f"{installed().missing}: run make native")
    return found


def measure_steps(turns: int, readers: Mapping[str, ReadChunk]) -> dict[str, float]:
    """CPU seconds per million records of each step, the least of all turns; the readers take turns."""
    chunks = _chunks()
    steps: dict[str, Callable[[], object]] = {}
    for name, read in readers.items():
        read_chunks = [read(chunk) for chunk in chunks]
        steps[f"{name}: records to rows"] = partial(_each, read, chunks)
        steps[f"{name}: limits and receipts"] = partial(_each, partial(decoded, rules=DEFAULT_RULES), read_chunks)
    decoded_rows = [decoded(each, DEFAULT_RULES).rows for each in read_chunks]
    batch = concatenate(decoded_rows)
    columns = {name: batch[name] for name in TABLE_COLUMNS}
    steps |= {
        "batch of chunks": partial(concatenate, decoded_rows),
        "words": partial(searched_forms, batch["Body"]),
        "body of the insert": partial(native_block, columns, installed().forms),
    }
    least = dict.fromkeys(steps, float("inf"))
    for _ in range(turns):
        for name, step in steps.items():
            began = time.process_time()
            step()
            least[name] = min(least[name], time.process_time() - began)
    return {name: secs / (_CHUNKS * _RECORDS) * 1e6 for name, secs in least.items()}


def _each(work: Callable[..., object], items: Sequence[object]) -> None:
    for item in items:
        work(item)


def _chunks() -> list[RecordChunk]:
    now_ms = time.time_ns() // 10**6
    events = list(backlog_events(_CHUNKS * _RECORDS))
    return [
        RecordChunk(
            partition=Partition("bench", 0),
            topic_id="bench",
            offsets=list(range(first, first + _RECORDS)),
            timestamps_ms=[now_ms] * _RECORDS,
            values=events[first : first + _RECORDS],
            headers=[()] * _RECORDS,
            next_offset=first + _RECORDS,
        )
        for first in range(0, len(events), _RECORDS)
    ]
