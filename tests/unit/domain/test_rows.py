"""Rows: identity, selection, and flagged rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.reader import MAX_ITEMS
from app.domain.records import Partition, RecordChunk
from app.domain.rows import (
    SCHEMA,
    TABLE_COLUMNS,
    Rows,
    concatenate,
    flagged,
    identities,
    partitions_of,
    whole_record,
)
from app.pipeline.decode import decode
from local.paths import ROOT

IDENTITY = ("_topic_id", "_partition", "_offset", "_item")
RECORD_MS = 1_795_435_200_000


def rows_of(*values: bytes, partition: int = 2, topic_id: str = "id", first_offset: int = 100) -> Rows:
    count = len(values)
    chunk = RecordChunk(
        partition=Partition("logs", partition),
        topic_id=topic_id,
        offsets=list(range(first_offset, first_offset + count)),
        timestamps_ms=[RECORD_MS] * count,
        values=values,
        headers=[[("content-type", b"application/x-ndjson")]] * count,
        next_offset=first_offset + count,
    )
    return decode(chunk, EventTimeBounds.of_retention(30)).rows


def test_an_identity_is_offset_and_item() -> None:
    assert identities(rows_of(b"a\nb", b"c")).to_pylist() == [100 << 16, 100 << 16 | 1, 101 << 16]


def test_identities_are_unique_up_to_the_largest_item_and_for_years_of_offsets() -> None:
    rows = rows_of(b"x\n" * MAX_ITEMS, b"y", first_offset=2**47)

    numbers = identities(rows).to_pylist()

    assert len(set(numbers)) == MAX_ITEMS + 1
    assert numbers == sorted(numbers)


def test_rows_are_concatenated_in_order() -> None:
    first, second = rows_of(b"a"), rows_of(b"b", b"c")

    assert concatenate([first]) is first
    assert concatenate([first, second])["Body"].to_pylist() == ["a", "b", "c"]


def test_each_partition_is_named_once() -> None:
    rows = concatenate(
        [rows_of(b"a", b"b"), rows_of(b"c", partition=3), rows_of(b"d"), rows_of(b"e", topic_id="other")]
    )

    assert sorted(partitions_of(rows)) == [("id", 2), ("id", 3), ("other", 2)]


def test_the_table_gets_all_columns_but_the_record_time() -> None:
    assert SCHEMA.names == [*TABLE_COLUMNS, "record_time_ms"]


def test_the_columns_are_those_of_the_schema_file() -> None:
    statement = (ROOT / "schema.sql").read_text(encoding="utf-8")

    for name in TABLE_COLUMNS:
        assert f"\n    {name} " in statement


# Flagged

EVENT = (
    b'{"timestamp":"2026-11-23T11:00:00.123456789Z","service":"pay","level":"error","message":"m\\u0000","user_id":"1",'
    b'"response_time_ms":2.5,"trace_id":"t","host":"h","k":"\xff"}'
)


def test_a_flagged_row_keeps_identity_and_time() -> None:
    [row] = [rows_of(EVENT)]

    after = flagged(row, "refused: ClickHouse error 6")

    assert after.schema == SCHEMA
    for name in (*IDENTITY, "Timestamp", "_topic", "_items", "_reader", "record_time_ms"):
        assert after[name] == row[name]


def test_a_flagged_row_has_the_reason_and_nothing_else_that_could_be_refused() -> None:
    after = flagged(rows_of(EVENT), "refused: ClickHouse error 6")

    assert after["ParseError"].to_pylist() == ["refused: ClickHouse error 6"]
    for name in ("TraceId", "SpanId", "SeverityText", "ServiceName", "Body", "UserId"):
        assert after[name].to_pylist() == [""]
    for name in ("ResourceAttributes", "LogAttributes"):
        assert after[name].to_pylist() == [[]]
    assert (after["SeverityNumber"].to_pylist(), after["ResponseTimeMs"].to_pylist()) == ([0], [None])


def test_a_flagged_row_holds_all_that_it_held_as_text() -> None:
    [raw] = flagged(rows_of(EVENT), "refused")["_raw"].to_pylist()

    whole = json.loads(raw)
    assert whole.keys() == set(SCHEMA.names)
    assert whole["Timestamp"] == 1_795_431_600_123_456_789
    assert (whole["Body"], whole["ResponseTimeMs"], whole["ServiceName"]) == ("m\0", 2.5, "pay")
    assert whole["LogAttributes"] == [["k", "\ufffd"]]
    assert whole["ParseError"] == "utf-8: invalid bytes"
    assert whole["_raw"] == EVENT.decode(errors="backslashreplace")


def test_a_row_from_the_middle_of_a_batch_can_be_flagged() -> None:
    rows = rows_of(b"a", EVENT, b"c")

    after = flagged(rows.slice(1, 1), "refused")

    assert after.num_rows == 1
    assert after["_offset"].to_pylist() == [101]


@pytest.mark.parametrize("value", [b"", b"plain", b"\xff\xfe"])
def test_any_row_can_be_flagged_twice(value: bytes) -> None:
    once = flagged(rows_of(value), "refused: 6")

    assert flagged(once, "refused: 7")["_offset"] == once["_offset"]


def test_a_row_that_holds_a_whole_record_has_all_its_rows_as_text() -> None:
    rows = rows_of(b"a\n" + EVENT + b"\nc")

    after = whole_record(rows, "reader: other", item=7, items=3)

    assert after.schema == SCHEMA
    [row] = after.to_pylist()
    assert [row[name] for name in (*IDENTITY, "_items", "ParseError", "Body")] == [
        "id",
        2,
        100,
        7,
        3,
        "reader: other",
        "",
    ]
    assert after["Timestamp"] == rows.slice(0, 1)["Timestamp"]
    whole = json.loads(row["_raw"])
    assert [(part["Body"], part["_item"], part["_items"]) for part in whole] == [
        ("a", 0, 3),
        ("m\0", 1, 3),
        ("c", 2, 3),
    ]


WITHOUT_PANDAS = """
import sys

class NoPandas:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoPandas())
from app.domain.rows import flagged
from test_rows import EVENT, rows_of

print(flagged(rows_of(EVENT), "refused").num_rows)
"""


def test_a_row_can_be_flagged_where_pandas_is_not_installed() -> None:
    """Arrow converts times with nanoseconds with pandas, which the service does not install."""
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS],
        env={"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (run.stdout, run.returncode) == ("1\n", 0), run.stderr
