"""`python -m app audit` as a user runs it, against a real Kafka and the real engine."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.schema import ensure_table
from app.backends.kafka.probe import with_coordinator
from app.backends.kafka.topic import TopicAdmin
from app.pipeline.commit_metadata import write_metadata
from app.settings import KafkaSettings
from tests.e2e.app_command import TIMEOUT_SECS, run_app
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, Stream, wait_until
from tests.support.servers import RunningEngine, RunningKafka, clickhouse_settings

pytestmark = pytest.mark.stack


class Audited:
    """The output of `python -m app audit --json`."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.stderr == ""
        self.exit_code = done.returncode
        self.data: dict[str, Any] = json.loads(done.stdout)
        assert self.data["exit_code"] == self.exit_code

    def found(self, kind: str, partition: int = 0) -> list[tuple[int, int, int]]:
        """First offset, last offset and count of the findings of a kind."""
        findings = self.data["partitions"][partition]["findings"]
        return [(found["first"], found["last"], found["count"]) for found in findings if found["kind"] == kind]

    def __getitem__(self, name: str) -> Any:
        return self.data["partitions"][0][name]


class World:
    """A topic of one partition, a group and a table of its own for each test, as the service would leave them."""

    def __init__(self, kafka: RunningKafka, engine: RunningEngine) -> None:
        name = f"audit_{uuid.uuid4().hex[:12]}"
        self.kafka = KafkaSettings(
            bootstrap_servers=kafka.bootstrap_servers, topic=name, topic_partitions=1, group_id=name
        )
        self.clickhouse = clickhouse_settings(engine, name)
        self.client: Client = connect(self.clickhouse, timeout_secs=30)
        self.admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        self.partition = TopicPartition(name, 0)
        self.topic_admin = TopicAdmin(self.kafka)
        self.topic_admin.ensure()
        self.topic_id = self.topic_admin.topic_id()
        ensure_table(self.clickhouse)

    def send(self, count: int) -> None:
        """Records, one after the other."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap_servers, "enable.idempotence": True})
        for number in range(count):
            producer.produce(self.kafka.topic, f"INFO line {number}".encode(), partition=0)
        assert producer.flush(TIMEOUT_SECS) == 0

    def send_in_transaction(self, count: int, *, is_committed: bool = True) -> None:
        """Records, and behind them the marker that ends their transaction."""
        options = {"bootstrap.servers": self.kafka.bootstrap_servers, "transactional.id": uuid.uuid4().hex}
        producer = Producer(options)
        producer.init_transactions(TIMEOUT_SECS)
        producer.begin_transaction()
        for number in range(count):
            producer.produce(self.kafka.topic, f"INFO line {number}".encode(), partition=0)
        assert producer.flush(TIMEOUT_SECS) == 0
        if is_committed:
            producer.commit_transaction(TIMEOUT_SECS)
        else:
            producer.abort_transaction(TIMEOUT_SECS)

    def store(self, offsets: Iterable[int], *, items: int = 1, problem: str = "", topic_id: str = "") -> None:
        """Rows of these offsets, in one insert."""
        listed = ",".join(map(str, offsets))
        self.client.command(
            f"INSERT INTO {self.table} (Timestamp, Body, _topic, _topic_id, _partition, _offset, _item, ParseError)"
            f" SELECT now64(9), 'a line', '{self.kafka.topic}', '{topic_id or self.topic_id}', 0, offset, item,"
            f" '{problem}' FROM (SELECT arrayJoin([{listed}]) AS offset, arrayJoin(range({items})) AS item)",
            settings={"insert_deduplication_token": uuid.uuid4().hex},
        )

    def delete_rows(self, condition: str) -> None:
        self.client.command(f"ALTER TABLE {self.table} DELETE WHERE {condition}", settings={"mutations_sync": 1})

    def commit(self, offset: int) -> None:
        """As the service does."""
        self.set_mark(offset, write_metadata(self.topic_id, None))

    def set_mark(self, offset: int, metadata: str) -> None:
        mark = {self.partition: OffsetAndMetadata(offset, metadata, -1)}

        def is_taken() -> bool:
            answers = with_coordinator(lambda: self.admin.alter_group_offsets(self.kafka.group_id, mark))
            return set(answers.values()) == {NoError}  # reported by a coordinator that is still loading

        wait_until(is_taken, "the offset taken")

    def delete_records_before(self, offset: int) -> None:
        self.admin.delete_records({self.partition: offset})

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        ours = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "KAFKA_TOPIC": self.kafka.topic,
            "KAFKA_GROUP_ID": self.kafka.group_id,
            "CLICKHOUSE_URL": self.clickhouse.url,
            "CLICKHOUSE_USER": self.clickhouse.user,
            "CLICKHOUSE_PASSWORD": self.clickhouse.password.get_secret_value(),
            "CLICKHOUSE_DATABASE": self.clickhouse.database,
        }
        return run_app("audit", *arguments, environment=ours | environment)

    def audit(self, **environment: str) -> Audited:
        """Judge, for programs."""
        return Audited(self.run("--json", **environment))

    @property
    def table(self) -> str:
        return f"{self.clickhouse.database}.logs"

    def close(self) -> None:
        self.client.command(f"DROP DATABASE IF EXISTS {self.clickhouse.database}")
        self.client.close()
        self.topic_admin.close()
        self.admin.close()


@pytest.fixture
def world(kafka: RunningKafka, engine: RunningEngine) -> Iterator[World]:
    made = World(kafka, engine)
    yield made
    made.close()


def test_records_that_are_stored_once_are_accounted_for(world: World) -> None:
    world.send(1_000)
    world.store(range(1_000))
    world.commit(1_000)

    done = world.run()

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == (
        "1,000 offsets consumed, 1,000 records stored: nothing is missing or duplicated."
    )


def test_rows_that_were_deleted_are_missing_to_the_offset(world: World) -> None:
    world.send(1_000)
    world.store(range(1_000))
    world.commit(1_000)
    world.delete_rows("_offset BETWEEN 100 AND 199 OR _offset IN (512, 999)")

    audited = world.audit()

    assert audited.exit_code == 1
    assert audited.found("missing") == [(100, 199, 100), (512, 512, 1), (999, 999, 1)]
    assert audited["records"] == 898


def test_a_lost_row_and_a_duplicate_do_not_cancel_out(world: World) -> None:
    world.send(100)
    world.store([*range(40), *range(41, 100), 60])
    world.commit(100)

    audited = world.audit()

    assert audited.found("missing") == [(40, 40, 1)]
    assert audited.found("duplicated") == [(60, 60, 1)]


def test_rows_that_are_stored_under_another_token_are_duplicated(world: World) -> None:
    world.send(1_000)
    world.store(range(1_000))
    world.store(range(300, 310))
    world.commit(1_000)

    audited = world.audit()

    assert audited.exit_code == 1
    assert audited.found("duplicated") == [(300, 309, 10)]
    assert audited.found("missing") == []


def test_transaction_markers_and_aborted_records_are_no_gaps(world: World) -> None:
    world.send_in_transaction(10)  # 0 to 9, marker at 10
    world.send_in_transaction(5, is_committed=False)  # 11 to 15, marker at 16
    world.send_in_transaction(10)  # 17 to 26, marker at 27
    world.store([*range(10), *range(17, 27)])
    world.commit(28)

    audited = world.audit()

    assert audited.exit_code == 0
    assert audited.found("no record") == [(10, 16, 7), (27, 27, 1)]
    assert audited["records"] == 20


def test_a_record_that_is_missing_beside_a_marker_is_found(world: World) -> None:
    world.send_in_transaction(10)
    world.send_in_transaction(10)
    world.store([*range(9), *range(12, 21)])
    world.commit(22)

    audited = world.audit()

    assert audited.exit_code == 1
    assert audited.found("missing") == [(9, 9, 1), (11, 11, 1)]
    assert audited.found("no record") == [(10, 10, 1), (21, 21, 1)]


def test_records_deleted_before_they_were_read_are_reported_as_lost_to_retention(world: World) -> None:
    world.send(100)
    world.store(range(10))
    world.delete_records_before(40)
    world.store(range(40, 100))
    world.commit(100)

    audited = world.audit()

    assert audited.exit_code == 0
    assert audited.found("lost to retention") == [(10, 39, 30)]
    assert "lost to retention: Kafka has deleted these" in world.run().stdout


def test_records_that_kafka_deleted_after_they_were_stored_are_accounted_for(world: World) -> None:
    world.send(100)
    world.store(range(100))
    world.commit(100)
    world.delete_records_before(100)

    audited = world.audit()

    assert (audited.exit_code, audited["findings"], audited["records"]) == (0, [], 100)


def test_rows_of_long_ago_that_have_expired_since_are_not_called_lost(world: World) -> None:
    world.send(100)
    world.store(range(20, 100))
    world.client.command(
        f"ALTER TABLE {world.table} UPDATE _ingested = _ingested - INTERVAL 10 DAY WHERE _offset < 60",
        settings={"mutations_sync": 1},
    )
    world.delete_records_before(80)
    world.commit(100)

    audited = world.audit()

    assert (audited.exit_code, audited["findings"], audited["first"]) == (0, [], 60)


def test_several_items_of_a_record_are_no_duplicates_and_one_that_is_not_there_is_found(world: World) -> None:
    world.send(50)
    world.store(range(50), items=20)
    world.commit(50)

    whole = world.audit()
    world.delete_rows("_offset = 7 AND _item = 3")
    holed = world.audit()

    assert (whole.exit_code, whole["findings"]) == (0, [])
    assert (whole["records"], whole["rows"]) == (50, 1_000)
    assert holed.exit_code == 1
    assert holed.found("incomplete") == [(7, 7, 1)]


def test_only_committed_offsets_are_audited(world: World) -> None:
    world.send(100)
    world.store([*range(50), 70, 70])
    world.commit(50)

    audited = world.audit()

    assert (audited.exit_code, audited["findings"], audited["next"]) == (0, [], 50)


def test_records_older_than_requested_are_not_audited(world: World) -> None:
    world.send(100)
    world.commit(100)

    assert world.audit().exit_code == 1
    wait_until(lambda: world.run("--since", "1s").returncode == 0, "records older than a second")


def test_unparsed_rows_and_those_of_other_topics_are_counted(world: World) -> None:
    world.send(10)
    world.store(range(8))
    world.store([8, 9], problem="json: not valid")
    world.store(range(500), topic_id="an earlier one")
    world.commit(10)

    audited = world.audit()

    assert audited["unparsed"] == 2
    assert audited.data["rows_of_other_topic_ids"] == {"an earlier one": 500}
    assert "Not checked: 500 rows of 1 other topic id" in world.run().stdout


def test_offsets_of_an_earlier_topic_of_the_same_name_are_not_taken_for_its_own(world: World) -> None:
    world.send(10)
    world.set_mark(10, write_metadata("an-earlier-id", None))

    done = world.run()

    assert done.returncode == 0
    assert "none committed" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Nothing to check")


def test_a_group_that_began_at_the_latest_record_is_audited_from_there(world: World) -> None:
    world.send(100)
    world.store(range(60, 100))
    world.commit(100)

    assert world.audit(KAFKA_START_FROM="latest").exit_code == 0
    assert world.audit().found("missing") == [(0, 59, 60)]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "Kafka does not answer at 127.0.0.1:1"),
        ({"CLICKHOUSE_URL": "http://127.0.0.1:1"}, "ClickHouse at http://127.0.0.1:1: Connection refused"),
        ({"KAFKA_TOPIC": "no-such-topic"}, "topic no-such-topic does not exist"),
        ({"CLICKHOUSE_TABLE": "no_such_table"}, "no_such_table"),
    ],
)
def test_unreachable_systems_cannot_be_audited(world: World, environment: dict[str, str], words: str) -> None:
    world.send(1)
    world.commit(1)

    done = world.run(**environment)

    assert (done.returncode, done.stderr) == (2, "")
    assert words in done.stdout
    assert "python -m app check" in done.stdout


# With the service.


@pytest.fixture
def pipeline(kafka: RunningKafka, engine: RunningEngine, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(kafka, engine, tmp_path)
    yield made
    made.end_services()


def missing(audited: Audited) -> Sequence[tuple[int, int, int]]:
    return [found for number in range(len(audited.data["partitions"])) for found in audited.found("missing", number)]


def audit(pipeline: Pipeline) -> Audited:
    return Audited(run_app("audit", "--json", environment=pipeline.environment()))


def test_while_logs_stream_in_nothing_is_taken_for_lost(pipeline: Pipeline) -> None:
    service = pipeline.start_service(AUDIT_INTERVAL_SECS="1")

    with Stream(pipeline, lines_per_sec=500) as stream:
        for _ in range(3):
            stream.wait_for_more(300)
            found = audit(pipeline)
            assert (found.exit_code, missing(found)) == (0, []), found.data

    service.wait_until(lambda scrape: scrape.total("audit_stored_records") == len(stream.lines), PATIENCE_SECS)
    _, _, log = service.log.partition("Partitions assigned")  # before that, the table may not exist yet
    assert "Stored" in log
    assert "Audit of" not in log
    assert "An audit failed" not in log, log


def test_the_running_service_reports_missing_records_and_reading_again_stores_them(pipeline: Pipeline) -> None:
    service = pipeline.start_service(AUDIT_INTERVAL_SECS="1")
    pipeline.send([f"INFO line {number}" for number in range(2_000)])
    service.wait_until(lambda scrape: scrape.total("audit_stored_records") == 2_000, PATIENCE_SECS)
    assert service.scrape().total("audit_missing_records") == 0
    assert audit(pipeline).exit_code == 0

    pipeline.query(f"ALTER TABLE {pipeline.database}.logs DELETE WHERE _offset % 100 = 7 SETTINGS mutations_sync = 1")
    service.wait_until(lambda scrape: scrape.total("audit_missing_records") > 0, PATIENCE_SECS)
    found = audit(pipeline)
    assert found.exit_code == 1
    assert service.scrape().total("audit_missing_records") == sum(count for _, _, count in missing(found))

    service.stop()
    again = {TopicPartition(pipeline.topic, number): OffsetAndMetadata(0, "", -1) for number in range(4)}
    admin = KafkaAdminClient(bootstrap_servers=pipeline.kafka.bootstrap_servers)
    try:
        wait_until(
            lambda: set(admin.alter_group_offsets(pipeline.topic, again).values()) == {NoError},
            "nobody in the group, and its offsets set",
        )
    finally:
        admin.close()
    pipeline.start_service(CLICKHOUSE_INSERT_DEADLINE_SECS="3")  # the wait
    wait_until(lambda: pipeline.row_count() == 2_000 and audit(pipeline).exit_code == 0, "what was missing stored")
