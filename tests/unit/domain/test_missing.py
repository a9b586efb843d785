"""The rule by which records are finished: what is inserted, given what the table holds of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.missing import PROBLEM, STORED_COLUMNS, missing_rows
from app.domain.reader import REST_ITEM
from app.domain.rows import SCHEMA, Rows, concatenate, flagged
from tests.support.sample_rows import sample_record

Stored = Sequence[tuple[int, int, int]]
"""Offset and number of each stored row, and how many rows it says that its record has."""


record = cache(sample_record)


def missing(rows: Rows, stored: Stored) -> Rows:
    """What is missing if the table holds these rows of partition 0."""

    def look_up(topic_id: str, partition: int, first: int, last: int) -> pa.Table:
        found = [row for row in stored if partition == 0 and first <= row[0] <= last]
        columns = zip(STORED_COLUMNS, (0, 1, 2), strict=True)
        return pa.table(
            {name: pa.array([row[index] for row in found], SCHEMA.field(name).type) for name, index in columns}
        )

    return missing_rows(rows, look_up)


def numbers(rows: Rows) -> list[tuple[int, int]]:
    """Offset and number of each row."""
    return list(zip(rows["_offset"].to_pylist(), rows["_item"].to_pylist(), strict=True))


def test_all_rows_are_missing_of_a_record_of_which_nothing_is_stored() -> None:
    rows = concatenate([record(7, 2), record(8, 1)])

    assert missing(rows, []) == rows
    assert missing(rows, [(6, 0, 1), (9, 0, 3)]) == rows


@pytest.mark.parametrize("stored", [[0], [1], [0, 2], [0, 1, 2]])
def test_rows_correspond_by_their_number_if_the_record_has_as_many(stored: list[int]) -> None:
    found = missing(record(7, 3), [(7, item, 3) for item in stored])

    assert numbers(found) == [(7, item) for item in (0, 1, 2) if item not in stored]
    assert set(found["_items"].to_pylist()) <= {3}


@pytest.mark.parametrize("ours", [1, 2, 4])
def test_nothing_is_missing_of_a_record_that_another_reader_has_stored_completely(ours: int) -> None:
    assert missing(record(7, ours), [(7, 0, 2), (7, 1, 2)]).num_rows == 0


@pytest.mark.parametrize("ours", [1, 2, 4])
def test_a_record_that_another_reader_has_stored_in_part_is_finished_by_a_row_that_holds_it(ours: int) -> None:
    found = missing(record(7, ours), [(7, 1, 3)])

    assert numbers(found) == [(7, REST_ITEM)]
    [row] = found.to_pylist()
    assert (row["_items"], row["ParseError"], row["Body"]) == (2, PROBLEM, "")
    assert [held["Body"] for held in json.loads(row["_raw"])] == [str(item) for item in range(ours)]


@pytest.mark.parametrize("ours", [1, 2, 3, 4])
def test_nothing_is_missing_of_a_record_that_was_finished(ours: int) -> None:
    assert missing(record(7, ours), [(7, 1, 3), (7, REST_ITEM, 2)]).num_rows == 0


@pytest.mark.parametrize("others", [1, 2, 5])
def test_a_row_that_finishes_a_record_is_inserted_once_whatever_its_numbers(others: int) -> None:
    """It may be looked up again, if its insert failed, and be flagged, if it was refused."""
    rest = missing(record(7, 4), [(7, 0, others + 1)])

    for row in (rest, flagged(rest, "refused: ClickHouse error 6")):
        assert missing(row, [(7, 0, others + 1)]) == row
        assert missing(row, [(7, 0, others + 1), (7, REST_ITEM, 2)]).num_rows == 0


@pytest.mark.parametrize("ours", [1, 2, 3])
def test_nothing_is_missing_of_a_record_that_is_being_stored_anew_as_several_rows(ours: int) -> None:
    assert missing(record(7, ours), [(7, 0, 1), (7, 0, 2)]).num_rows == 0
    assert missing(record(7, ours), [(7, 0, 1), (7, 2, 3)]).num_rows == 0


def test_rows_of_before_are_complete_if_none_of_ours_is_missing() -> None:
    assert missing(record(7, 1), [(7, 0, 0)]).num_rows == 0
    assert missing(record(7, 2), [(7, item, 0) for item in range(5)]).num_rows == 0


def test_a_record_of_before_that_may_lack_rows_is_finished_by_a_row_that_holds_it() -> None:
    found = missing(
        concatenate([record(6, 1), record(7, 3), record(8, 1)]), [(6, 0, 0), (7, 0, 0), (7, 1, 0), (8, 1, 0)]
    )

    assert numbers(found) == [(7, REST_ITEM), (8, REST_ITEM)]
    assert found["_items"].to_pylist() == [3, 2]


def test_a_known_number_counts_even_if_another_row_does_not_know_it() -> None:
    assert numbers(missing(record(7, 3), [(7, 0, 3), (7, 1, 0)])) == [(7, 2)]


def test_every_record_and_partition_is_looked_at_by_itself() -> None:
    rows = concatenate([record(1, 2), record(2, 2), record(3, 1), record(1, 2, partition=1), record(4, 3)])

    found = missing(rows, [(1, 0, 2), (2, 0, 3), (3, 0, 2), (3, 1, 2)])

    assert numbers(found) == [(1, 1), (4, 0), (4, 1), (4, 2), (2, REST_ITEM), (1, 0), (1, 1)]


RECORDS = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@settings(deadline=None)
@given(theirs=RECORDS, ours=RECORDS, data=st.data())
def test_afterwards_every_record_has_as_many_rows_as_they_say_and_nothing_more_is_missing(
    theirs: list[int], ours: list[int], data: st.DataObject
) -> None:
    stored = [
        (offset, item, items)
        for offset, items in enumerate(theirs)
        for item in data.draw(st.sets(st.integers(0, items - 1)))
    ]
    rows = concatenate([record(offset, items) for offset, items in enumerate(ours)])

    found = missing(rows, stored)

    after = stored + list(zip(*(found[name].to_pylist() for name in STORED_COLUMNS), strict=True))
    for offset in range(len(ours)):
        of_record = sorted((item, items) for at, item, items in after if at == offset)
        assert len({item for item, _ in of_record}) == len(of_record) == of_record[-1][1]
    assert missing(rows, after).num_rows == 0


@pytest.mark.parametrize("first", [0, 21])
@pytest.mark.parametrize("incomplete", range(4))
def test_the_one_record_among_others_that_is_not_complete_is_finished(first: int, incomplete: int) -> None:
    """PyArrow groups by two columns in an order of its own: no record may be taken for its neighbour."""
    odd = first + incomplete
    offsets = range(first, first + 4)
    stored = [(odd, 1, 2) if offset == odd else (offset, 0, 1) for offset in offsets]

    found = missing(concatenate([record(offset, 3 if offset == odd else 1) for offset in offsets]), stored)

    assert numbers(found) == [(odd, REST_ITEM)]
