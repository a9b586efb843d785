"""`python -m app check` as a user runs it, against a real Kafka and the real engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, KafkaConsumer

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.probe import probe_clickhouse
from app.backends.clickhouse.schema import ensure_table, statements
from app.backends.kafka.probe import probe_kafka
from app.backends.kafka.topic import TopicAdmin
from app.preflight.probes import Group, Table, Unknown
from app.preflight.table_definition import TableDefinition
from app.settings import KafkaSettings
from local.paths import ROOT
from tests.e2e.app_command import TIMEOUT_SECS, run_app
from tests.support.servers import RunningEngine, RunningKafka, clickhouse_settings

pytestmark = pytest.mark.stack


class World:
    """A topic, a group and a database of its own for each test; none exists until it is created."""

    def __init__(self, kafka: RunningKafka, engine: RunningEngine) -> None:
        name = f"check_{uuid.uuid4().hex[:12]}"
        self.kafka = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic=name, group_id=name)
        self.clickhouse = clickhouse_settings(engine, name)
        self.client: Client = connect(self.clickhouse, timeout_secs=10)
        self._admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)

    def make_topic(self) -> None:
        """As the service does."""
        admin = TopicAdmin(self.kafka)
        admin.ensure()
        admin.close()

    def make_other_topic(self, **configs: str) -> None:
        """Create the topic with other configs than the service does; names with underscores for dots."""
        topic = {"num_partitions": 2, "replication_factor": 1, "configs": _dotted(configs)}
        self._admin.create_topics({self.kafka.topic: topic}, wait_for_metadata=True)

    def make_table(self) -> None:
        """As the service does."""
        ensure_table(self.clickhouse)

    def make_other_table(self, change: Callable[[str], str]) -> None:
        """Create the table from a changed statement of schema.sql."""
        database, table = statements(self.clickhouse)
        assert change(table) != table
        self.client.command(database)
        self.client.command(change(table))

    def topics(self) -> set[str]:
        return set(self._admin.list_topics())

    def check(self, **environment: str) -> subprocess.CompletedProcess[str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "CLICKHOUSE_"))}
        ours = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "KAFKA_TOPIC": self.kafka.topic,
            "KAFKA_GROUP_ID": self.kafka.group_id,
            "CLICKHOUSE_URL": self.clickhouse.url,
            "CLICKHOUSE_USER": self.clickhouse.user,
            "CLICKHOUSE_PASSWORD": self.clickhouse.password.get_secret_value(),
            "CLICKHOUSE_DATABASE": self.clickhouse.database,
            "RECEIVE_KEY": "k" * 32,
        }
        done = run_app("check", environment=others | ours | environment)
        assert done.stderr == ""
        return done

    def close(self) -> None:
        self.client.command(f"DROP DATABASE IF EXISTS {self.clickhouse.database}")
        self.client.close()
        self._admin.close()


def _dotted(configs: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in configs.items()}


@pytest.fixture
def world(kafka: RunningKafka, engine: RunningEngine) -> Iterator[World]:
    made = World(kafka, engine)
    yield made
    made.close()


def lines_of(done: subprocess.CompletedProcess[str], level: str) -> list[str]:
    """The lines of a level, without the level."""
    return [line.removeprefix(f"  {level}").strip() for line in done.stdout.splitlines() if line[2:].startswith(level)]


def test_on_what_the_service_has_made_itself_nothing_is_a_problem(world: World) -> None:
    world.make_topic()
    world.make_table()

    done = world.check()

    assert done.returncode == 0, done.stdout
    [copies] = lines_of(done, "warning")  # because tests have a single broker
    assert copies.startswith("copies ")
    assert re.search(r"^\d+ ok, 1 warning, 0 problems\. ", done.stdout.splitlines()[-1])


def test_a_missing_topic_or_table_is_no_problem_and_is_not_created(world: World) -> None:
    done = world.check()

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("does not exist yet; the service will create it, and may") == 2
    assert world.kafka.topic not in world.topics()
    assert not world.client.command(f"EXISTS DATABASE {world.clickhouse.database}")


def test_with_nothing_running_two_lines_say_what_to_do(world: World) -> None:
    done = world.check(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", CLICKHOUSE_URL="http://127.0.0.1:1")

    assert done.returncode == 1
    kafka, clickhouse = lines_of(done, "problem")
    assert re.search(r"Kafka does not answer at 127.0.0.1:1 \(.*REFUSED\) -> Start it, or correct KAFKA_BOOT", kafka)
    assert re.search(
        r"ClickHouse at http://127.0.0.1:1: Connection refused -> Start it, or correct CLICKHOUSE_URL", clickhouse
    )
    assert len(lines_of(done, "skipped")) == 3


def test_an_absent_kafka_does_not_keep_clickhouse_from_being_checked(world: World) -> None:
    world.make_table()

    done = world.check(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert len(lines_of(done, "problem")) == 1
    assert any(line.startswith("columns ") for line in lines_of(done, "ok"))


def test_an_absent_clickhouse_does_not_keep_kafka_from_being_checked(world: World) -> None:
    world.make_topic()

    done = world.check(CLICKHOUSE_URL="http://127.0.0.1:1")

    assert len(lines_of(done, "problem")) == 1
    assert any(line.startswith("retention ") for line in lines_of(done, "ok"))


@pytest.mark.parametrize(
    ("configs", "level", "words"),
    [
        ({"message_timestamp_type": "CreateTime"}, "warning", "record times"),
        ({"cleanup_policy": "compact"}, "problem", "cleanup"),
        ({"unclean_leader_election_enable": "true"}, "problem", "leader elections"),
        ({"min_insync_replicas": "2"}, "problem", "copies"),
        ({"retention_ms": "3600000"}, "warning", "retention          1 h, less than"),
        ({"retention_bytes": "1000000"}, "warning", "retention          168 h, but no more than 1,000,000 bytes"),
    ],
)
def test_a_topic_that_does_not_keep_logs_is_found(
    world: World, configs: dict[str, str], level: str, words: str
) -> None:
    world.make_other_topic(**configs)

    done = world.check()

    assert any(line.startswith(words) for line in lines_of(done, level)), done.stdout
    assert done.returncode == (level == "problem")


def test_a_variable_that_is_misspelt_is_found(world: World) -> None:
    done = world.check(KAFKA_TOPIK="other")

    assert any("KAFKA_TOPIK is not a setting" in line for line in lines_of(done, "warning"))


def test_a_topic_that_cannot_be_made_is_found(world: World) -> None:
    done = world.check(KAFKA_TOPIC_REPLICATION_FACTOR="5")

    [told] = lines_of(done, "problem")
    assert "creating it would fail: " in told
    assert world.kafka.topic not in world.topics()


def test_more_instances_than_partitions_are_found(world: World) -> None:
    world.make_other_topic()
    consumers = [_member(world) for _ in range(3)]
    try:
        deadline = time.monotonic() + TIMEOUT_SECS
        while member_count(world) < 3:
            assert time.monotonic() < deadline
            for consumer in consumers:
                consumer.poll(timeout_ms=100)

        done = world.check()
    finally:
        for consumer in consumers:
            consumer.close(autocommit=False)

    assert any("3 instances in it now" in line and "1 of them idle" in line for line in lines_of(done, "warning"))


def _member(world: World) -> Any:
    return KafkaConsumer(
        world.kafka.topic,
        bootstrap_servers=world.kafka.bootstrap_servers,
        group_id=world.kafka.group_id,
        enable_auto_commit=False,
    )


def member_count(world: World) -> int:
    group = probe_kafka(world.kafka).group
    assert isinstance(group, Group)
    return group.member_count


@pytest.mark.parametrize(
    ("old", "new", "level", "words"),
    [
        ("_deduplication_window = 10000", "_deduplication_window = 0", "problem", "repeated inserts"),
        (
            "_deduplication_window = 10000",
            "_deduplication_window = 7",
            "ok",
            "repeated inserts   deduplicated among the",
        ),
        ("    _offset UInt64", "    _offset Int64", "problem", "columns            _offset is Int64"),
        (
            "    UserId String CODEC",
            "    UserId FixedString(16) CODEC",
            "warning",
            "columns            UserId is Fixed",
        ),
        ("    SpanId String CODEC(ZSTD(1)),\n", "", "problem", "columns            1 column is missing"),
        ("30 DAY", "5 DAY", "problem", "retention          the table deletes rows after 5 days"),
        ("fsync_after_insert = 1", "fsync_after_insert = 0", "warning", "table settings     fsync_after_insert is 0"),
        (
            "_partition, intDiv(_offset, 65536)\n    )",
            "intDiv(_offset, 65536), _partition\n    )",
            "warning",
            "indexes",
        ),
        (
            "    INDEX offset_range _offset TYPE minmax GRANULARITY 1,\n",
            "",
            "warning",
            "indexes            offset_range",
        ),
        ("toDate(Timestamp)", "toMonday(Timestamp)", "warning", "layout             PARTITION BY"),
        ("CHECK nowInBlock64(3) <", "CHECK now64(3) <", "warning", "deadline           it is CONSTRAINT on_time"),
    ],
)
def test_a_table_that_is_not_that_of_the_schema_is_found(
    world: World, old: str, new: str, level: str, words: str
) -> None:
    world.make_other_table(lambda sql: sql.replace(old, new))

    done = world.check()

    assert any(line.startswith(words) for line in lines_of(done, level)), done.stdout
    assert done.returncode == (level == "problem")


@pytest.mark.parametrize("kind", ["Null", "Log", "ReplacingMergeTree ORDER BY Body"])
def test_a_table_that_does_not_keep_rows_is_refused(world: World, kind: str) -> None:
    name = f"{world.clickhouse.database}.logs"
    world.client.command(f"CREATE DATABASE {world.clickhouse.database}")
    world.client.command(f"CREATE TABLE {name} (Body String) ENGINE = {kind}")

    done = world.check()

    assert done.returncode == 1
    [told] = lines_of(done, "problem")
    assert told.startswith(f"table              {name}: {kind.split()[0]} ")


def test_a_materialized_view_on_the_table_is_found(world: World) -> None:
    world.make_table()
    database = world.clickhouse.database
    world.client.command(
        f"CREATE MATERIALIZED VIEW {database}.ones ENGINE = MergeTree ORDER BY n AS SELECT 1 AS n FROM {database}.logs"
    )

    done = world.check()

    assert any(line.startswith(f"views              {database}.ones read from") for line in lines_of(done, "warning"))


def test_the_statement_is_taken_apart_as_the_server_itself_sees_it(world: World) -> None:
    """Compare the parsed schema.sql with the system tables of the created table."""
    world.make_table()
    facts = probe_clickhouse(world.clickhouse)
    assert isinstance(facts.table, Table)
    found, wanted = facts.table.definition, facts.wanted
    assert isinstance(found, TableDefinition)
    assert isinstance(wanted, TableDefinition)

    def names(source: str, what: str = "name", where: str = "table") -> set[Any]:
        rows = world.client.query(
            f"SELECT {what} FROM system.{source} WHERE database = '{world.clickhouse.database}' AND {where} = 'logs'"
        ).result_rows
        return {row if len(row) > 1 else row[0] for row in rows}

    columns = names("columns", "name, type, default_expression")
    assert {(name, column.type, column.default) for name, column in wanted.columns.items()} == columns
    assert {(name, column.type, column.default) for name, column in found.columns.items()} == columns
    assert found.indexes.keys() == wanted.indexes.keys() == names("data_skipping_indices")
    assert found.projections.keys() == wanted.projections.keys() == names("projections")
    assert found.constraints.keys() == wanted.constraints.keys() == {"on_time"}


def test_nothing_stays_unknown_on_a_real_kafka_and_the_real_engine(world: World) -> None:
    world.make_topic()
    world.make_table()

    kafka, clickhouse = probe_kafka(world.kafka), probe_clickhouse(world.clickhouse)

    assert not isinstance(kafka.topic, Unknown | None)
    assert not any(isinstance(fact, Unknown) for fact in (kafka.group, kafka.topic.configs))
    assert kafka.topic.operations is not None
    assert not any(
        isinstance(fact, Unknown)
        for fact in (clickhouse.privileges, clickhouse.insert_settings, clickhouse.clock_ahead_secs)
    )
    assert len(clickhouse.table_defaults) == 2


def test_a_reader_that_has_seen_enough_is_no_crash(world: World) -> None:
    program = f"{sys.executable} -m app check"

    done = subprocess.run(
        ["sh", "-c", f"KAFKA_BOOTSTRAP_SERVERS={world.kafka.bootstrap_servers} {program} | true"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECS,
        check=False,
    )

    assert done.stderr == ""
