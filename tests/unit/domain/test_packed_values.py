"""Values in one piece of memory are the sequence that they were made of, and so is every part of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.records import OneRecord, Partition, RecordChunk
from tests.support.native import needs_native, packed

VALUES = st.lists(st.none() | st.binary(max_size=5), max_size=8)
PLACE = st.none() | st.integers(-10, 10)


def chunk_of(values: list[bytes | None]) -> RecordChunk:
    one = RecordChunk.of_one(OneRecord(7, None, ()), Partition("t", 0), "id", 0)
    numbers = list(range(len(values)))
    return replace(one, values=values, offsets=numbers, timestamps_ms=numbers, headers=[()] * len(values), keys=None)


@needs_native
@given(values=VALUES, start=PLACE, end=PLACE)
def test_parts_and_their_parts_are_those_of_a_list(
    values: list[bytes | None], start: int | None, end: int | None
) -> None:
    chunk = packed(chunk_of(values))
    part = replace(chunk, values=chunk.values[start:end])

    assert list(chunk.values) == values
    assert list(part.values) == values[start:end]
    assert len(part.values) == len(values[start:end])
    assert list(part.values[1:]) == values[start:end][1:]
    assert chunk.byte_count == sum(len(value or b"") for value in values)
    assert part.byte_count == sum(len(value or b"") for value in values[start:end])


@needs_native
@given(values=VALUES, place=st.integers(-10, 10))
def test_single_values_are_those_of_a_list(values: list[bytes | None], place: int) -> None:
    given_values = packed(chunk_of(values)).values

    if -len(values) <= place < len(values):
        assert given_values[place] == values[place]
    else:
        with pytest.raises(IndexError):
            given_values[place]


@needs_native
def test_records_of_a_chunk_and_their_sums_are_the_same() -> None:
    chunk = chunk_of([b"a", None, b""])

    for index in range(3):
        one, expected = packed(chunk).record(index), chunk.record(index)
        assert (one.last_record, list(one.values)) == (expected.last_record, expected.values)
    assert packed(chunk).records([2, 0]).values == [b"", b"a"]


def test_the_length_of_values_counts_no_tombstones() -> None:
    assert chunk_of([b"ab", None, b"c"]).byte_count == 3
