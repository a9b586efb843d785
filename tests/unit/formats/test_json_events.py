"""Events in JSON as programs, agents and clouds write them."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.rows import Rows
from app.pipeline.decode import decode
from tests.unit.formats.json_events import PROGRAMS, details_of

RECORD_MS = 1_795_947_330_000  # 2026-11-29T10:15:30Z
BOUNDS = EventTimeBounds.of_retention(30)


def rows_of(value: bytes, headers: Headers = ()) -> list[dict[str, Any]]:
    """The rows of one record; times as epoch nanoseconds."""
    rows = decoded(value, headers)
    index = rows.schema.get_field_index("Timestamp")
    found: list[dict[str, Any]] = rows.set_column(index, "Timestamp", rows["Timestamp"].cast(pa.int64())).to_pylist()
    return found


def decoded(value: bytes, headers: Headers = ()) -> Rows:
    """The same as columns, for many rows."""
    chunk = RecordChunk(Partition("logs", 0), "topic-1", [0], [RECORD_MS], [value], [headers], 1)
    return decode(chunk, BOUNDS).rows


def row_of(value: str, headers: Headers = ()) -> dict[str, Any]:
    [row] = rows_of(value.encode(), headers)
    return row


def ns(time: str) -> int:
    """Epoch nanoseconds of a time of the 29th of November 2026; of the record if it is empty."""
    if not time:
        return RECORD_MS * 10**6
    clock, _, fraction = time.partition(".")
    seconds = int(datetime.fromisoformat(f"2026-11-29T{clock}").replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0"))


def test_there_are_events_of_many_programs() -> None:
    assert len(PROGRAMS) >= 80


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_event_is_read_as_its_program_means_it(name: str) -> None:
    program = PROGRAMS[name]

    row = row_of(program.record)

    level = row["SeverityText"] if row["SeverityNumber"] else ""
    assert (row["Body"], level, row["Timestamp"]) == (program.body, program.level, ns(program.time))
    assert row["ParseError"] == ""
    assert {name: details_of(row).get(name) for name in program.more} == program.more
