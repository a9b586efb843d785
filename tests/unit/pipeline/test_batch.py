"""When a batch is due, and its content."""

import math

import pyarrow as pa
import pytest

from app.domain.records import LastRecord, Partition, RecordChunk
from app.domain.rows import Rows
from app.pipeline.batch import Gathering
from app.settings import BatchSettings

ONE, TWO = Partition("logs", 1), Partition("logs", 2)
LIMITS = BatchSettings(max_rows=10, max_bytes=4096, max_age_secs=2)


def rows_of(*numbers: int) -> Rows:
    return pa.record_batch({"number": pa.array(numbers, pa.int64())})  # 8 bytes each


def chunk_of(partition: Partition, next_offset: int) -> RecordChunk:
    return RecordChunk(partition, "topic-1", [next_offset - 1], [1_000], [b"%d" % next_offset], [()], next_offset)


def add(
    gathering: Gathering, partition: Partition, rows: Rows, next_offset: int = 1, *, may: bool = False, now: float = 0
) -> None:
    gathering.add(chunk_of(partition, next_offset), rows, may_be_stored=may, since=now)


def after_full_batch() -> Gathering:
    """Nothing is gathered yet, and the batch before was full."""
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(*range(10)))
    gathering.take()
    return gathering


def test_nothing_gathered_is_never_due() -> None:
    gathering = Gathering(LIMITS)

    assert not gathering.is_due(now=10**9)
    assert not gathering.is_full()


def test_a_batch_is_due_when_its_oldest_row_is_old_enough() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1), now=5)
    add(gathering, ONE, rows_of(2), now=6.9)

    assert not gathering.is_due(now=6.99)
    assert gathering.is_due(now=7)
    assert not gathering.is_full()


def test_a_row_that_came_later_may_be_the_oldest() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1), now=5)
    add(gathering, TWO, rows_of(2), now=4.5)

    assert gathering.due_in_secs(now=5) == 1.5
    assert gathering.is_due(now=6.5)


def test_how_long_until_a_batch_is_due() -> None:
    gathering = Gathering(LIMITS)
    assert gathering.due_in_secs(now=0) == math.inf

    add(gathering, ONE, rows_of(1), now=5)
    assert gathering.due_in_secs(now=5.5) == 1.5

    add(gathering, ONE, rows_of(*range(9)), now=5.5)
    assert gathering.due_in_secs(now=5.5) == 0


def test_the_rest_of_a_backlog_is_due_when_nothing_more_is_to_be_read() -> None:
    gathering = after_full_batch()
    add(gathering, ONE, rows_of(1), now=5)
    assert not gathering.is_due(now=5)

    gathering.end_backlog()

    assert gathering.is_due(now=5)


def test_more_rows_may_follow_those_that_looked_like_the_rest() -> None:
    gathering = after_full_batch()
    add(gathering, ONE, rows_of(1), now=5)
    gathering.end_backlog()

    add(gathering, ONE, rows_of(2), now=5)
    assert not gathering.is_due(now=5)

    gathering.end_backlog()
    assert gathering.is_due(now=5)


def test_rows_that_come_after_a_backlog_has_ended_wait_for_others() -> None:
    gathering = after_full_batch()
    gathering.end_backlog()

    add(gathering, ONE, rows_of(1), now=5)
    gathering.end_backlog()

    assert gathering.due_in_secs(now=5) == 2


def test_rows_that_follow_no_full_batch_wait_for_others() -> None:
    gathering = Gathering(LIMITS)
    for _ in range(2):
        add(gathering, ONE, rows_of(1), now=5)
        gathering.end_backlog()

        assert gathering.due_in_secs(now=5) == 2
        gathering.take()


def test_a_batch_is_due_at_once_when_it_has_enough_rows() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(*range(9)))
    assert not gathering.is_due(now=0)

    add(gathering, TWO, rows_of(9))

    assert gathering.is_full()
    assert gathering.is_due(now=0)


def test_a_batch_is_due_at_once_when_it_has_enough_bytes() -> None:
    gathering = Gathering(BatchSettings(max_rows=500_000, max_bytes=1024, max_age_secs=2))
    add(gathering, ONE, rows_of(*range(127)))
    assert not gathering.is_due(now=0)

    add(gathering, ONE, rows_of(1))

    assert gathering.byte_count == 1024
    assert gathering.is_due(now=0)


def test_a_batch_holds_the_rows_in_the_order_they_came() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1, 2), 12)
    add(gathering, TWO, rows_of(3), 33)
    add(gathering, ONE, rows_of(4), 14)

    batch = gathering.take()

    assert batch.rows["number"].to_pylist() == [1, 2, 3, 4]
    assert batch.next_offsets == {ONE: 14, TWO: 33}
    assert not batch.may_be_stored


def test_a_batch_knows_the_last_record_of_each_partition() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1, 2), 12)
    add(gathering, TWO, rows_of(3), 33)
    add(gathering, ONE, rows_of(4), 14)

    batch = gathering.take()

    assert batch.last_records == {ONE: chunk_of(ONE, 14).last_record, TWO: chunk_of(TWO, 33).last_record}
    assert batch.last_records[ONE].offset == 13


def test_records_at_one_offset_are_distinguished_by_value_and_time() -> None:
    def last(value: bytes | None, time_ms: int) -> LastRecord:
        return RecordChunk(ONE, "topic-1", [5, 7], [0, time_ms], [b"", value], [(), ()], 8).last_record

    records = [last(value, time_ms) for value in (b"a", b"b", b"", None) for time_ms in (-1, 0, 1_700_000_000_000)]

    assert {record.offset for record in records} == {7}
    assert last(b"a", 1) == last(b"a", 1)
    assert len({record.crc for record in records}) == 9  # nothing and None are the same


def test_a_released_batch_is_no_longer_gathered() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1), may=True)
    first = gathering.take()
    assert (gathering.row_count, gathering.byte_count, gathering.is_due(now=10**9)) == (0, 0, False)

    add(gathering, TWO, rows_of(2), 9, now=100)

    assert first.next_offsets == {ONE: 1}, "a batch under way is not changed by the next one"
    assert not gathering.is_due(now=101)
    second = gathering.take()
    assert (second.next_offsets, second.may_be_stored) == ({TWO: 9}, False)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
def test_one_chunk_that_may_be_stored_makes_the_batch_so(first: bool, second: bool) -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1), may=first)
    add(gathering, TWO, rows_of(1), may=second)

    assert gathering.take().may_be_stored


def test_a_chunk_without_rows_releases_its_offsets_all_the_same() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(), 7)

    assert gathering.is_due(now=2)
    assert gathering.take().next_offsets == {ONE: 7}


def test_dropping_a_partition_leaves_the_others() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1, 2), 12)
    add(gathering, TWO, rows_of(3), 33)
    add(gathering, ONE, rows_of(4), 14)

    gathering.drop(ONE)

    assert (gathering.row_count, gathering.byte_count) == (1, 8)
    batch = gathering.take()
    assert batch.rows["number"].to_pylist() == [3]
    assert batch.next_offsets == {TWO: 33}
    assert batch.last_records.keys() == {TWO}


def test_dropping_the_only_partition_leaves_nothing() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1), may=True)

    gathering.drop(ONE)

    assert not gathering.is_due(now=10**9)
    add(gathering, TWO, rows_of(1), now=50)
    assert not gathering.is_due(now=51)
    assert not gathering.take().may_be_stored


def test_dropping_what_was_never_added_changes_nothing() -> None:
    gathering = Gathering(LIMITS)
    add(gathering, ONE, rows_of(1))

    gathering.drop(TWO)

    assert gathering.take().next_offsets == {ONE: 1}
