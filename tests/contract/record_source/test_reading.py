"""What a source reads: records, tombstones, chunks, transactions, positions and ends."""

from __future__ import annotations

from app.domain.records import Partition
from tests.contract.record_source.samples import MORE_THAN_A_POLL, MakeTopic
from tests.contract.topics import Seen, Topic, turn_until
from tests.fakes import RECORD_TIME_MS

# What is read.


def test_every_record_comes_once_and_in_order(topic: Topic) -> None:
    reader = topic.member()
    values = [b"%d" % n for n in range(MORE_THAN_A_POLL)]
    topic.send(*values)

    turn_until(lambda: len(reader.offsets()) >= len(values), reader)

    assert reader.offsets() == list(range(len(values)))
    assert reader.values() == values


def test_a_record_comes_with_its_value_headers_and_time(topic: Topic) -> None:
    reader = topic.member()
    headers = [("content-type", b"text/plain"), ("twice", b"1"), ("twice", b"\xff\x00"), ("empty", None)]
    topic.send(b"\x00\xff value", headers=headers, timestamp_ms=RECORD_TIME_MS + 123)
    topic.send(b"", timestamp_ms=RECORD_TIME_MS - 456)

    turn_until(lambda: len(reader.seen()) == 2, reader)

    [first, second] = [record._replace(headers=list(record.headers)) for record in reader.seen()]
    assert first == Seen(0, b"\x00\xff value", headers, RECORD_TIME_MS + 123)
    assert second == Seen(1, b"", [], RECORD_TIME_MS - 456)


def test_keys_come_only_if_they_are_needed(topic: Topic) -> None:
    topic.send(b"a", key=b"\x00\xff key")
    topic.send(b"b")
    without = topic.member()
    turn_until(lambda: len(without.seen()) == 2, without)
    without.source.close(timeout_secs=1)
    with_keys = topic.member(has_keys=True)

    turn_until(lambda: len(with_keys.seen()) == 2, with_keys)

    assert {chunk.keys for chunk in without.chunks} == {None}
    assert [key for chunk in with_keys.chunks for key in chunk.keys or ()] == [b"\x00\xff key", None]


def test_a_tombstone_comes_as_none(topic: Topic) -> None:
    reader = topic.member()
    topic.send(b"before", None, b"after")

    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.values() == [b"before", None, b"after"]


def test_a_chunk_names_its_partition_its_topic_and_where_reading_goes_on(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    reader = topic.member()
    topic.send(b"a", b"b", b"c", partition=1)

    turn_until(lambda: len(reader.seen(1)) == 3, reader)

    assert {chunk.partition for chunk in reader.chunks} == {Partition(topic.name, 1)}
    assert {chunk.topic_id for chunk in reader.chunks} == {topic.topic_id()}
    assert reader.chunks[-1].next_offset == 3


def test_partitions_keep_their_records_apart(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=3)
    reader = topic.member()
    for partition in range(3):
        topic.send(*(b"%d of %d" % (n, partition) for n in range(5)), partition=partition)

    turn_until(lambda: len(reader.chunks) >= 3 and sum(len(reader.seen(p)) for p in range(3)) == 15, reader)

    assert [reader.values(p) for p in range(3)] == [[b"%d of %d" % (n, p) for n in range(5)] for p in range(3)]


def test_a_poll_that_finds_nothing_is_empty(topic: Topic) -> None:
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)

    polled = reader.source.poll(0.01)

    assert (list(polled.chunks), polled.assigned) == ([], None)


# Transactions.


def test_the_end_of_a_transaction_is_passed_by(topic: Topic) -> None:
    reader = topic.member()
    topic.send_in_transaction(b"a", b"b")
    topic.send(b"c")

    turn_until(lambda: len(reader.seen()) == 3, reader)

    assert reader.offsets() == [0, 1, 3]
    assert reader.chunks[-1].next_offset == 4


def test_records_of_an_aborted_transaction_are_not_shown(topic: Topic) -> None:
    reader = topic.member()
    topic.send_in_transaction(b"never", b"happened", is_committed=False)
    topic.send(b"c")

    turn_until(lambda: bool(reader.seen()), reader)

    assert [(record.offset, record.value) for record in reader.seen()] == [(3, b"c")]


def test_the_position_is_the_end_once_all_is_read_whatever_stands_there(topic: Topic) -> None:
    reader = topic.member()
    partition = Partition(topic.name, 0)
    topic.send_in_transaction(b"a")

    turn_until(lambda: reader.source.positions().get(partition) == 2, reader)

    assert reader.offsets() == [0]
    assert reader.source.end_offsets() == {partition: 2}


# Positions and ends.


def test_positions_follow_what_was_read(topic: Topic) -> None:
    partition = Partition(topic.name, 0)
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)
    assert reader.source.positions() == {partition: 0}

    topic.send(b"a", b"b")
    turn_until(lambda: len(reader.seen()) == 2, reader)

    assert reader.source.positions() == {partition: 2}


def test_end_offsets_include_records_that_are_not_read(make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    reader = topic.member(starts_by_itself=False)
    turn_until(lambda: bool(reader.assigned), reader)

    topic.send(b"a", b"b", b"c", partition=1)

    assert reader.source.end_offsets() == {Partition(topic.name, 0): 0, Partition(topic.name, 1): 3}


def test_closing_twice_is_harmless(topic: Topic) -> None:
    reader = topic.member()
    turn_until(lambda: bool(reader.assigned), reader)

    reader.source.close(timeout_secs=5)
    reader.source.close(timeout_secs=5)
