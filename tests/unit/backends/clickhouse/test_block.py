"""The bytes of columns as a block of ClickHouse's format Native. tests/contract/test_native_block.py has it read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from app.backends.clickhouse.block import FEW_VALUES, native_block
from app.domain.columns import COLUMNS
from local.paths import ROOT

VERSION = b"\x01" + b"\x00" * 7
MARK = b"\x00\x06" + b"\x00" * 6
ATTRIBUTES = pa.map_(pa.string(), pa.string())


def uint64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def column_of(name: str, values: Any, kind: pa.DataType) -> bytes:
    """What a block has behind the numbers of its columns and rows."""
    block = b"".join(native_block({name: values if isinstance(values, pa.Array) else pa.array(values, kind)}))
    assert block[0] == 1
    return block[2:]


def test_a_block_begins_with_its_numbers_of_columns_and_rows() -> None:
    columns = {"_item": pa.array([1, 2, 515], pa.uint16()), "SeverityNumber": pa.array([9, 9, 17], pa.uint8())}

    assert b"".join(native_block(columns)) == (
        b"\x02\x03" + b"\x05_item\x06UInt16" + b"\x01\x00\x02\x00\x03\x02" + b"\x0eSeverityNumber\x05UInt8\x09\x09\x11"
    )


def test_numbers_of_rows_from_128_on_take_two_bytes() -> None:
    assert b"".join(native_block({"n": pa.array([7] * 300, pa.uint8())}))[:3] == b"\x01\xac\x02"


def test_each_text_has_its_length_before_it() -> None:
    assert column_of("Body", ["ab", "", "é"], pa.string()) == b"\x04Body\x06String" + b"\x02ab\x00\x02\xc3\xa9"


@pytest.mark.parametrize(
    ("length", "written"), [(127, b"\x7f"), (128, b"\x80\x01"), (16_383, b"\xff\x7f"), (16_384, b"\x80\x80\x01")]
)
def test_longer_texts_have_longer_lengths(length: int, written: bytes) -> None:
    text = b"x" * length

    assert column_of("_raw", [text, b"y"], pa.binary()) == b"\x04_raw\x06String" + written + text + b"\x01y"


def test_texts_that_are_all_empty_are_their_lengths() -> None:
    assert column_of("_words", ["", "", ""], pa.string()) == b"\x06_words\x06String\x00\x00\x00"


def test_a_column_of_few_values_is_these_and_a_number_per_row() -> None:
    column = column_of("ServiceName", ["web", "db", "web"], pa.string())

    assert column == (
        b"\x0bServiceName\x16LowCardinality(String)"
        + VERSION
        + (MARK + uint64(2) + b"\x03web\x02db")
        + (uint64(3) + b"\x00\x01\x00")
    )


@pytest.mark.parametrize(("count", "kind", "width"), [(256, 0, 1), (257, 1, 2), (65_536, 1, 2), (65_537, 2, 4)])
def test_more_values_have_wider_numbers(count: int, kind: int, width: int) -> None:
    column = column_of("ServiceName", [f"{number:06}" for number in range(count)], pa.string())

    assert bytes([kind]) + MARK[1:] + uint64(count) + b"\x06000000" in column
    assert column.endswith(b"\x06%06d" % (count - 1) + uint64(count) + column[-count * width :])
    assert column[-width:] == (count - 1).to_bytes(width, "little")


def test_a_map_is_where_each_row_ends_then_keys_then_values() -> None:
    column = column_of("LogAttributes", [[("a", "1"), ("b", "22")], [], [("a", "3")]], ATTRIBUTES)

    assert column == (
        b"\x0dLogAttributes\x23Map(LowCardinality(String), String)"
        + VERSION
        + (uint64(2) + uint64(2) + uint64(3))
        + (MARK + uint64(2) + b"\x01a\x01b" + uint64(3) + b"\x00\x01\x00")
        + b"\x011\x0222\x013"
    )


def test_of_empty_maps_there_are_only_the_ends() -> None:
    column = column_of("LogAttributes", [[], []], ATTRIBUTES)

    assert column.endswith(b"String)" + VERSION + uint64(0) * 2)


def test_a_number_that_may_be_missing_says_so_before_all_numbers() -> None:
    column = column_of("ResponseTimeMs", [1.0, None], pa.float32())

    assert column == b"\x0eResponseTimeMs\x11Nullable(Float32)" + b"\x00\x01" + b"\x00\x00\x80\x3f" + b"\x00" * 4


def test_times_have_the_zone_of_the_table() -> None:
    nanos = pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", tz="UTC"))
    millis = pa.array([1_700_000_000_123], pa.timestamp("ms", tz="UTC"))

    assert column_of("Timestamp", nanos, nanos.type).endswith(
        b"\x14DateTime64(9, 'UTC')" + uint64(1_700_000_000_123_456_789)
    )
    assert column_of("_deadline", millis, millis.type).endswith(b"DateTime64(3, 'UTC')" + uint64(1_700_000_000_123))


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("Body", ["one", "two", "x" * 200, "four"], pa.string()),
        ("ServiceName", ["a", "b", "a", "c"], pa.string()),
        ("LogAttributes", [[("a", "1")], [("b", "2"), ("c", "")], [], [("d", "4")]], ATTRIBUTES),
        ("ResponseTimeMs", [1.0, None, 3.0, None], pa.float32()),
        ("_offset", [1, 2, 3, 4], pa.uint64()),
    ],
)
def test_a_part_of_rows_is_written_like_rows_of_their_own(name: str, values: list[Any], kind: pa.DataType) -> None:
    part = pa.array(values, kind).slice(1, 2)

    assert column_of(name, part, kind) == column_of(name, values[1:3], kind)


@pytest.mark.parametrize(
    ("name", "kind"), [("Body", pa.string()), ("ServiceName", pa.string()), ("_item", pa.uint16())]
)
def test_a_missing_value_is_refused_where_there_is_no_place_for_it(name: str, kind: pa.DataType) -> None:
    with pytest.raises(ValueError, match=name):
        native_block({name: pa.array([None], kind)})


def test_columns_of_few_values_are_those_of_the_schema() -> None:
    schema = (ROOT / "schema.sql").read_text(encoding="utf-8")
    texts = [column.column for column in COLUMNS if column.arrow in (pa.string(), pa.binary())]

    assert {name for name in texts if f"    {name} LowCardinality(String)" in schema} == FEW_VALUES
