"""The queries of an audit to a real Kafka and the real engine, one by one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.clickhouse.removed import ensure_removed
from app.backends.clickhouse.schema import ensure_table
from app.backends.kafka.offsets import KafkaOffsets
from app.domain.offsets import BUCKET_OFFSETS, Bucket, Reading, Run, Span
from app.domain.reader import REST_ITEM
from app.domain.records import Partition
from app.settings import ClickHouseSettings, KafkaSettings
from tests.contract.topics import KafkaTopic, kafka_clients
from tests.support.servers import RunningEngine, RunningKafka, clickhouse_settings

pytestmark = pytest.mark.stack

N = BUCKET_OFFSETS


# Kafka.


class Topic:
    """A topic of one partition, and the audit's access to it."""

    def __init__(self, topic: KafkaTopic, bootstrap_servers: str) -> None:
        self.send = topic.send
        self.send_in_transaction = topic.send_in_transaction
        self.delete_before = topic.delete_before
        self.partition = Partition(topic.name, 0)
        self.look = KafkaOffsets(KafkaSettings(bootstrap_servers=bootstrap_servers, topic=topic.name))

    def read(self, first: int, next_offset: int, *, has_time: bool = True) -> Reading:
        return self.look.records(self.partition, Span(first, next_offset), lambda: has_time)


@pytest.fixture
def topic(kafka: RunningKafka) -> Iterator[Topic]:
    with kafka_clients(kafka.bootstrap_servers) as (admin, producer):
        made = KafkaTopic(1, kafka.bootstrap_servers, admin, producer)
        looked_at = Topic(made, kafka.bootstrap_servers)
        yield looked_at
        looked_at.look.close()
        made.close()


def test_records_are_found_where_they_are(topic: Topic) -> None:
    topic.send(*[b"x"] * 20)

    assert topic.read(5, 15) == Reading([Span(5, 15)], 0, 15)
    assert topic.read(16, 17) == Reading([Span(16, 17)], 0, 17)
    assert topic.read(2, 4) == Reading([Span(2, 4)], 0, 4)


def test_there_are_none_at_markers_and_in_aborted_transactions(topic: Topic) -> None:
    topic.send_in_transaction(b"x", b"x")  # 0 and 1, marker at 2
    topic.send_in_transaction(b"x", is_committed=False)  # 3, marker at 4
    topic.send(b"x")

    assert topic.read(0, 6) == Reading([Span(0, 2), Span(5, 6)], 0, 6)
    assert topic.read(2, 5) == Reading([], 0, 5)


def test_there_are_none_at_a_marker_that_ends_the_topic(topic: Topic) -> None:
    topic.send_in_transaction(b"x")

    assert topic.read(1, 2) == Reading([], 0, 2)


def test_deleted_records_are_reported_by_kafkas_first_offset(topic: Topic) -> None:
    topic.send(*[b"x"] * 20)
    topic.delete_before(10)

    assert topic.read(5, 15) == Reading([Span(10, 15)], 10, 15)
    assert topic.read(5, 8) == Reading([], 10, 8)


def test_without_time_nothing_is_read(topic: Topic) -> None:
    topic.send(b"x")

    assert topic.read(0, 1, has_time=False) == Reading([], 0, 0)


def test_more_records_than_one_poll_brings_are_one_span(topic: Topic) -> None:
    topic.send(*[b"x"] * 12_000)

    assert topic.read(10, 11_990) == Reading([Span(10, 11_990)], 0, 11_990)


def test_a_topic_that_ends_before_the_audited_time_has_its_end_there(topic: Topic) -> None:
    topic.send(*[b"x"] * 3)  # of long ago

    [found] = topic.look.offsets(int(time.time() * 1000))
    [offsets] = found.partitions.values()

    assert (offsets.begin, offsets.since, offsets.end, offsets.committed) == (0, 3, 3, None)


def test_the_audited_time_begins_at_its_first_record(topic: Topic) -> None:
    topic.send(*[b"x"] * 3, timestamp_ms=1_000)
    topic.send(*[b"x"] * 2, timestamp_ms=2_000)

    assert topic.look.offsets(1_500)[0].partitions[0].since == 3
    assert topic.look.offsets(500)[0].partitions[0].since == 0


# The table.


class Table:
    """A table, filled by hand, and its ledger."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self.settings = settings
        self.client: Client = connect(settings, timeout_secs=30)
        ensure_table(settings)
        self.ledger = ClickHouseLedger(settings, timeout_secs=30)
        # Fails if a query does not use the projection.
        self.quick = ClickHouseLedger(
            settings, timeout_secs=30, query_settings={"force_optimize_projection_name": "ledger"}
        )

    def store(self, span: Span, *, partition: int = 0, items: int = 1, problem: str = "", age_secs: int = 0) -> None:
        """A row for each item of each of these offsets."""
        self.client.command(
            f"INSERT INTO {self.settings.database}.logs"
            " (Timestamp, Body, _topic, _topic_id, _partition, _offset, _item, _ingested, ParseError)"
            f" SELECT now64(9) - {age_secs}, 'x', 'logs', 'id', {partition}, {span.first} + intDiv(number, {items}),"
            f" number % {items}, now64(3) - {age_secs}, '{problem}' FROM numbers({span.size * items})",
            settings={"insert_deduplication_token": uuid.uuid4().hex},
        )

    def store_item(self, offset: int, item: int, items: int, *, partition: int = 0, revision: int = 0) -> None:
        """A row that says how many its record has."""
        self.client.command(
            f"INSERT INTO {self.settings.database}.logs"
            " (Timestamp, _topic, _topic_id, _partition, _offset, _item, _items, _revision)"
            f" VALUES (now64(9), 'logs', 'id', {partition}, {offset}, {item}, {items}, {revision})",
            settings={"insert_deduplication_token": uuid.uuid4().hex},
        )

    def note_removed(self, span: Span, *, items: int = 1, reason: str = "request") -> None:
        """Note that rows of these offsets were removed, without deleting any."""
        ensure_removed(self.client, self.settings)
        self.client.command(
            f"INSERT INTO {self.settings.database}.logs_removed"
            " (_topic_id, _partition, _offset, _item, _items, reason)"
            f" SELECT 'id', 0, {span.first} + intDiv(number, {items}), number % {items}, {items}, '{reason}'"
            f" FROM numbers({span.size * items})"
        )

    def close(self) -> None:
        self.client.command(f"DROP DATABASE {self.settings.database}")
        for client in (self.client, self.ledger, self.quick):
            client.close()


@pytest.fixture
def table(engine: RunningEngine) -> Iterator[Table]:
    made = Table(clickhouse_settings(engine, f"audit_{uuid.uuid4().hex[:12]}"))
    yield made
    made.close()


def test_a_bucket_is_counted_over_all_inserts(table: Table) -> None:
    table.store(Span(0, 3))
    table.store(Span(3, 5), problem="json: not valid")

    expected = Bucket(number=0, rows=5, first=0, last=4, offset_sum=10, square_sum=30, unparsed=2)
    assert table.ledger.buckets("id", {0: Span(0, 5)}) == {0: [expected]}


def test_sums_that_overflow_wrap_around(table: Table) -> None:
    first = 2**33
    table.store(Span(first, first + 2))

    [bucket] = table.ledger.buckets("id", {0: Span(first, first + 2)})[0]

    assert bucket.square_sum == (first**2 + (first + 1) ** 2) % 2**64


def test_only_buckets_within_the_span_of_their_partition_are_returned(table: Table) -> None:
    table.store(Span(0, 3 * N))
    table.store(Span(0, 3 * N), partition=1)
    table.store(Span(0, 10), partition=2)

    found = table.ledger.buckets("id", {0: Span(N, N + 1), 1: Span(N - 1, N + 1)})

    assert {number: sorted(bucket.number for bucket in buckets) for number, buckets in found.items()} == {
        0: [1],
        1: [0, 1],
    }
    assert table.ledger.buckets("other", {0: Span(0, N)}) == {}


def test_queries_over_all_rows_use_the_projection(table: Table) -> None:
    table.store(Span(0, 1_000))

    assert len(table.quick.buckets("id", {0: Span(0, 10), 1: Span(5, 2 * N)})[0]) == 1
    assert table.quick.rows_by_topic() == {"id": 1_000}
    assert table.quick.first_offset("id", 0) == 0


def test_rows_are_grouped_into_runs_of_equal_offsets(table: Table) -> None:
    table.store(Span(0, 10), items=2)
    table.store(Span(3, 5), items=2)
    table.store(Span(20, 22), problem="empty: record has no content")
    table.client.command(
        f"ALTER TABLE {table.settings.database}.logs DELETE WHERE _offset = 8 AND _item = 0",
        settings={"mutations_sync": 1},
    )

    assert table.ledger.runs("id", 0, Span(1, 100)) == [
        Run(Span(1, 3), rows=4, unparsed=0),
        Run(Span(3, 5), rows=8, unparsed=0, surplus=4),
        Run(Span(5, 8), rows=6, unparsed=0),
        Run(Span(8, 9), rows=1, unparsed=0, absent=1),
        Run(Span(9, 10), rows=2, unparsed=0),
        Run(Span(20, 22), rows=2, unparsed=2),
    ]


def test_rows_that_a_record_should_have_are_absent(table: Table) -> None:
    for offset, item, items in ((0, 0, 1), (1, 0, 3), (1, 2, 3), (2, 0, 2), (2, 1, 2), (3, 0, 2), (4, 1, 2)):
        table.store_item(offset, item, items)

    assert table.ledger.runs("id", 0, Span(0, 10)) == [
        Run(Span(0, 1), rows=1, unparsed=0),
        Run(Span(1, 2), rows=2, unparsed=0, absent=1),
        Run(Span(2, 3), rows=2, unparsed=0),
        Run(Span(3, 5), rows=2, unparsed=0, absent=2),
    ]


def test_rows_that_were_stored_anew_are_not_duplicates(table: Table) -> None:
    for offset, item, items, revision in (
        *((0, 0, 1, 0), (0, 0, 1, 5)),
        *((1, 0, 1, 0), (1, 1, 2, 5)),  # an insert was killed
        *((2, 0, 2, 5), (2, 1, 2, 5)),
        *((3, 0, 2, 0), (3, 1, 2, 5), (3, 1, 2, 5)),
    ):
        table.store_item(offset, item, items, revision=revision)

    assert table.ledger.runs("id", 0, Span(0, 10)) == [
        Run(Span(0, 2), rows=4, unparsed=0, superseded=2),
        Run(Span(2, 3), rows=2, unparsed=0),
        Run(Span(3, 4), rows=3, unparsed=0, surplus=1),
    ]


def test_a_row_that_holds_its_record_says_how_many_there_are(table: Table) -> None:
    for offset, item, items in (
        *((0, 1, 4), (0, REST_ITEM, 2)),
        *((1, 0, 4), (1, 3, 4), (1, REST_ITEM, 3)),
        *((2, 0, 4), (2, REST_ITEM, 3)),
    ):
        table.store_item(offset, item, items)
    table.store_item(3, REST_ITEM, 0)

    assert table.ledger.runs("id", 0, Span(0, 10)) == [
        Run(Span(0, 2), rows=5, unparsed=0),
        Run(Span(2, 3), rows=2, unparsed=0, absent=1),
        Run(Span(3, 4), rows=1, unparsed=0),
    ]


def test_buckets_of_records_of_several_rows_are_found(table: Table) -> None:
    table.store(Span(0, 3 * N))
    table.store_item(0, 0, 1)
    table.store_item(N + 5, 0, 2)
    table.store_item(2 * N, 3, 7)
    table.store_item(5, 0, 2, partition=1)

    several = table.ledger.buckets_of_several
    assert several("id", {0: Span(0, 2 * N), 1: Span(7, 8), 2: Span(0, N)}) == {0: {1}, 1: {0}}
    assert several("id", {0: Span(0, 3 * N)}) == {0: {1, 2}}
    assert several("other", {0: Span(0, N)}) == several("id", {}) == {}


def test_single_offsets_are_found(table: Table) -> None:
    hour_ago_ms = int((time.time() - 3_600) * 1000)
    table.store(Span(5, 10), age_secs=7_200)
    table.store(Span(N + 5, N + 10))

    ledger = table.ledger
    assert (ledger.first_offset("id", 0), ledger.first_offset("id", 1)) == (5, None)
    assert [ledger.last_before("id", 0, offset) for offset in (5, 7, N, N + 5, N + 7)] == [None, 6, 9, 9, N + 6]
    assert ledger.first_ingested("id", 0, N + 100, hour_ago_ms) == N + 5
    assert ledger.first_ingested("id", 0, N, hour_ago_ms) is None


def test_removed_rows_are_counted_with_those_that_are_there(table: Table) -> None:
    table.store(Span(0, 3))
    table.note_removed(Span(3, 5))
    table.note_removed(Span(4, 6), reason="retention")  # once more
    table.note_removed(Span(N, N + 2))

    assert sorted(table.ledger.buckets("id", {0: Span(0, 2 * N)})[0]) == [
        Bucket(number=0, rows=6, first=0, last=5, offset_sum=15, square_sum=55, unparsed=0, removed=3),
        Bucket(1, 2, N, N + 1, 2 * N + 1, N**2 + (N + 1) ** 2, 0, removed=2),
    ]
    assert table.ledger.rows_by_topic() == {"id": 3}


def test_offsets_of_removed_rows_are_runs_too(table: Table) -> None:
    table.store(Span(0, 2))
    table.note_removed(Span(1, 4))  # of 1 the row is still there
    table.store_item(4, 0, 2)
    table.note_removed(Span(5, 6), items=2)
    table.client.command(
        f"INSERT INTO {table.settings.database}.logs_removed (_topic_id, _offset, _item, _items) VALUES ('id', 4, 1, 2)"
    )

    assert table.ledger.runs("id", 0, Span(0, 10)) == [Run(Span(0, 6), rows=3, unparsed=0, removed=3)]
    assert table.ledger.buckets_of_several("id", {0: Span(0, 10)}) == {0: {0}}


def test_single_offsets_of_removed_rows_are_found(table: Table) -> None:
    table.store(Span(5, 10))
    table.note_removed(Span(3, 5))
    table.note_removed(Span(20, 22))

    ledger = table.ledger
    assert ledger.first_offset("id", 0) == 3
    assert [ledger.last_before("id", 0, offset) for offset in (4, 6, 15, 21, 3 * N)] == [3, 5, 9, 20, 21]
