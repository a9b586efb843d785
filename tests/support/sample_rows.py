"""Sample rows, created as the service does."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from app.domain.event_time import EventTimeBounds
from app.domain.records import LastRecord, Partition, RecordChunk
from app.domain.rows import SCHEMA, Rows, concatenate
from app.pipeline.batch import Batch
from app.pipeline.decode import decode
from tests.fakes import RECORD_TIME_MS

BOUNDS = EventTimeBounds.of_retention(30)


def sample_chunk(values: Sequence[bytes | None], *, partition: int = 0, first_offset: int = 0) -> RecordChunk:
    """Consecutive records."""
    offsets = range(first_offset, first_offset + len(values))
    return RecordChunk(
        partition=Partition("logs", partition),
        topic_id="topic-1",
        offsets=offsets,
        timestamps_ms=[RECORD_TIME_MS] * len(values),
        values=values,
        headers=[()] * len(values),
        next_offset=offsets.stop,
    )


def sample_rows(count: int, *, partition: int = 0, first_offset: int = 0) -> Rows:
    """`count` rows of one partition; each body is the row's offset."""
    values = [b'{"message": "%d"}' % offset for offset in range(first_offset, first_offset + count)]
    return decode(sample_chunk(values, partition=partition, first_offset=first_offset), BOUNDS).rows


def sample_record(offset: int, items: int, *, partition: int = 0) -> Rows:
    """The rows of one record of several; each body is the row's number."""
    columns = sample_rows(1, partition=partition, first_offset=offset).to_pydict()
    changed = {"_item": range(items), "_items": [items] * items, "Body": [str(item) for item in range(items)]}
    arrays = [pa.array(changed.get(field.name, columns[field.name] * items), field.type) for field in SCHEMA]
    return pa.record_batch(arrays, schema=SCHEMA)


def sample_batch(*parts: Rows, may_be_stored: bool = False) -> Batch:
    """A batch of rows; each part is of another partition, or later in the same one."""
    last_records = {
        Partition("logs", rows["_partition"][0].as_py()): LastRecord(rows["_offset"][-1].as_py(), 0) for rows in parts
    }
    next_offsets = {partition: last.offset + 1 for partition, last in last_records.items()}
    return Batch(concatenate(parts), next_offsets, last_records, may_be_stored)


def without_offsets(rows: Rows, offsets: Iterable[int]) -> Rows:
    """The rows but for some."""
    left_out = set(offsets)
    return rows.take([index for index, offset in enumerate(rows["_offset"].to_pylist()) if offset not in left_out])
