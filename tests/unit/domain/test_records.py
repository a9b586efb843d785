"""Chunks of records, and parts of them."""

from collections.abc import Sequence

from app.domain.records import Partition, RecordChunk


def chunk_of(values: Sequence[bytes | None], *, has_keys: bool = False) -> RecordChunk:
    """Every second offset holds a record, and reading goes on far behind the last one."""
    count = len(values)
    return RecordChunk(
        partition=Partition("logs", 0),
        topic_id="topic-1",
        offsets=range(0, 2 * count, 2),
        timestamps_ms=[1_000 + index for index in range(count)],
        values=values,
        headers=[[("number", b"%d" % index)] for index in range(count)],
        next_offset=100,
        keys=[b"key %d" % index for index in range(count)] if has_keys else None,
    )


def test_the_bytes_of_a_chunk_are_those_of_its_values() -> None:
    assert chunk_of([b"four", None, b"", b"sixsix"]).byte_count == 10


def test_pieces_have_at_most_so_many_bytes() -> None:
    pieces = list(chunk_of([b"12", b"34", b"56", b"7", b"", None, b"8", b"9"]).pieces(max_bytes=4))

    assert [piece.values for piece in pieces] == [[b"12", b"34"], [b"56", b"7"], [b"", None, b"8", b"9"]]


def test_a_record_that_is_larger_is_a_piece_by_itself() -> None:
    pieces = list(chunk_of([b"1", b"12345", b"2", b"123456"]).pieces(max_bytes=4))

    assert [piece.values for piece in pieces] == [[b"1"], [b"12345"], [b"2"], [b"123456"]]


def test_a_chunk_that_is_small_enough_is_not_taken_apart() -> None:
    chunk = chunk_of([b"12", b"34"])

    [piece] = chunk.pieces(max_bytes=4)

    assert piece is chunk


def test_reading_goes_on_behind_the_last_record_of_a_piece_and_behind_the_chunk_after_the_last_piece() -> None:
    first, second, last = chunk_of([b"12", b"34", b"56"]).pieces(max_bytes=2)

    assert [piece.next_offset for piece in (first, second, last)] == [1, 3, 100]


def test_the_records_of_a_piece_keep_all_that_they_have() -> None:
    chunk = chunk_of([b"12", b"34", b"56"], has_keys=True)

    *_, piece = chunk.pieces(max_bytes=2)

    assert piece == chunk.record(2)
    assert list(piece.offsets) == [4]
    assert piece.timestamps_ms == [1_002]
    assert piece.headers == [[("number", b"2")]]
    assert piece.keys == [b"key 2"]
    assert piece.last_record == chunk.last_record
