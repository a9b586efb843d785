"""In which pieces polled records are decoded, and since when they may have been waiting."""

from collections.abc import Sequence

from app.domain.records import Partition, RecordChunk
from app.pipeline.undecoded import Undecoded

ONE, TWO = Partition("logs", 1), Partition("logs", 2)


def chunk_of(values: Sequence[bytes], partition: Partition = ONE) -> RecordChunk:
    count = len(values)
    return RecordChunk(partition, "topic-1", range(count), [0] * count, values, [()] * count, count)


def taken(undecoded: Undecoded) -> list[tuple[Partition, Sequence[bytes | None]]]:
    found = []
    while undecoded:
        chunk = undecoded.take().chunk
        found.append((chunk.partition, chunk.values))
    return found


def test_records_are_taken_in_pieces_and_in_their_order() -> None:
    undecoded = Undecoded(held_secs=0, piece_bytes=4)
    undecoded.add(chunk_of([b"12", b"34", b"56"]), now=0)
    undecoded.add(chunk_of([b"7"], TWO), now=0)
    undecoded.add(chunk_of([b"89"]), now=1)

    assert taken(undecoded) == [(ONE, [b"12"]), (ONE, [b"34", b"56"]), (TWO, [b"7"]), (ONE, [b"89"])]
    assert not undecoded


def test_the_records_of_one_partition_can_be_dropped() -> None:
    undecoded = Undecoded(held_secs=0, piece_bytes=2)
    undecoded.add(chunk_of([b"12", b"34"]), now=0)
    undecoded.add(chunk_of([b"56", b"78"], TWO), now=0)

    undecoded.drop(ONE)

    assert taken(undecoded) == [(TWO, [b"56"]), (TWO, [b"78"])]


def test_records_wait_since_they_were_read_and_as_long_as_kafka_may_have_held_them() -> None:
    undecoded = Undecoded(held_secs=0.4, piece_bytes=2)
    undecoded.add(chunk_of([b"12", b"34"]), now=10)

    assert [undecoded.take().since, undecoded.take().since] == [9.6, 9.6]


def test_kafka_has_not_held_records_since_before_the_last_ones_of_their_partition() -> None:
    undecoded = Undecoded(held_secs=0.4, piece_bytes=1024)
    undecoded.add(chunk_of([b"1"]), now=10)
    undecoded.add(chunk_of([b"2"], TWO), now=10.1)
    undecoded.add(chunk_of([b"3"]), now=10.2)
    undecoded.clear()
    undecoded.add(chunk_of([b"4"]), now=10.3)

    assert undecoded.take().since == 9.9
    undecoded.add(chunk_of([b"5"]), now=10.5)
    undecoded.add(chunk_of([b"6"], TWO), now=10.5)
    assert [undecoded.take().since, undecoded.take().since] == [10.3, 10.1]
