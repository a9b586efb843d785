"""docs/upgrades.md under load: new versions of Kafka and of the engine on the data of earlier ones, and back."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from local.engine.server import EngineServer
from local.kafka import KRAFT_VERSION, KafkaServer
from local.paths import ROOT
from local.ports import free_port
from tests.day_after import earlier_engine
from tests.day_after.outcomes import Outcomes, outcome_of
from tests.day_after.test_upgrades import can_query, require_clean_audit, wait_until_all_is_read
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, Stream, wait_until
from tests.faults.kafka_cluster import brokers, start_together
from tests.support.servers import GivenKafka, RunningEngine, RunningKafka

pytestmark = [pytest.mark.stack, pytest.mark.day_after]

PAGE = (ROOT / "docs/upgrades.md").read_text(encoding="utf-8")
EARLIER_KAFKA = "3.9.1"
LINES_PER_SEC = 100
SOME = 200


@contextmanager
def pipeline_between(kafka: RunningKafka, engine: RunningEngine, folder: Path) -> Iterator[Pipeline]:
    made = Pipeline(kafka, engine, folder)
    try:
        yield made
    finally:
        made.end_services()


def replace_version(kafka: KafkaServer, version: str) -> None:
    kafka.stop()
    kafka.version = version
    kafka.start()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaServer]:
    """One broker of the earlier version."""
    server = KafkaServer(tmp_path / "kafka", free_port(), version=EARLIER_KAFKA)
    server.start()
    yield server
    server.kill()


def test_a_new_version_of_kafka_back_and_forth_again(
    broker: KafkaServer, engine: RunningEngine, outcomes: Outcomes, tmp_path: Path
) -> None:
    """On the same data; the metadata version is raised at the end."""
    with pipeline_between(broker, engine, tmp_path) as pipeline:
        service = pipeline.start_service()
        began = time.monotonic()
        with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
            pipeline.wait_for_rows(SOME)
            for version in (KRAFT_VERSION, EARLIER_KAFKA, KRAFT_VERSION):
                replace_version(broker, version)
                pipeline.wait_for_rows(len(stream.lines) + SOME)
            raise_features(broker)
            replace_version(broker, KRAFT_VERSION)
            pipeline.wait_for_rows(len(stream.lines) + SOME)
        wait_until_all_is_read(pipeline, service)
        versions = f"{EARLIER_KAFKA} to {KRAFT_VERSION}"
        step = f"Kafka from {versions}, back, and forth again; metadata version raised; restarted"
        outcomes.note(step, outcome_of(pipeline, stream.lines, began))
        require_clean_audit(pipeline)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[KafkaServer]]:
    """Three brokers of the earlier version."""
    nodes = brokers(tmp_path / "kafka", 3, version=EARLIER_KAFKA)
    start_together(nodes)
    yield nodes
    for node in nodes:
        node.kill()


def test_brokers_of_a_cluster_are_replaced_one_after_another(
    cluster: list[KafkaServer], engine: RunningEngine, outcomes: Outcomes, tmp_path: Path
) -> None:
    servers = GivenKafka(",".join(node.bootstrap_servers for node in cluster))
    with pipeline_between(servers, engine, tmp_path) as pipeline:
        service = pipeline.start_service(KAFKA_TOPIC_REPLICATION_FACTOR="3")
        began = time.monotonic()
        with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
            pipeline.wait_for_rows(SOME)
            for node in cluster:
                replace_version(node, KRAFT_VERSION)
                wait_until(lambda: is_replicated(servers), "all brokers have all records")
                pipeline.wait_for_rows(len(stream.lines) + SOME)
            raise_features(cluster[0])
            pipeline.wait_for_rows(len(stream.lines) + SOME)
        wait_until_all_is_read(pipeline, service)
        step = (
            f"three brokers from Kafka {EARLIER_KAFKA} to {KRAFT_VERSION}, one after another; metadata version raised"
        )
        outcomes.note(step, outcome_of(pipeline, stream.lines, began))
        require_clean_audit(pipeline)


def is_replicated(kafka: RunningKafka) -> bool:
    """Whether no partition of any topic is under-replicated."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)) as client:
        partitions = [partition for topic in client.describe_topics() for partition in topic["partitions"]]
    return all(len(partition["isr_nodes"]) == len(partition["replica_nodes"]) for partition in partitions)


def raise_features(kafka: RunningKafka) -> None:
    """By the commands of the page."""
    describe, update = re.findall(
        r"^\.venv/bin/python -m (kafka\.admin .* cluster \S*-features.*)$", PAGE, re.MULTILINE
    )
    described = admin(kafka, describe)
    supported = re.search(r"'metadata.version': {.*?'supported': \(\d+, (\d+)\)", described, re.DOTALL)
    assert supported is not None
    assert f"metadata.version={supported[1]} " in update, "the page raises it to what the new version supports"
    assert set(re.findall(r"'(\w+)'[,}]", admin(kafka, update))) == {"OK"}


def admin(kafka: RunningKafka, command: str) -> str:
    """Run a command of the page; returns what it prints."""
    mine = command.replace("localhost:9092", kafka.bootstrap_servers)
    done = subprocess.run(
        [sys.executable, "-m", *mine.split()], capture_output=True, text=True, timeout=PATIENCE_SECS, check=True
    )
    return done.stdout


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[EngineServer, EngineServer]]:
    """Two versions of the engine with the same data, the earlier one running."""
    earlier_engine.install()
    folder, port = tmp_path / "clickhouse", free_port()
    earlier = EngineServer(folder, port, module=earlier_engine.__name__)
    later = EngineServer(folder, port)
    earlier.start()
    yield earlier, later
    for server in (earlier, later):
        server.kill()


def test_a_new_version_of_the_engine_back_and_forth_again(
    engines: tuple[EngineServer, EngineServer], kafka: RunningKafka, outcomes: Outcomes, tmp_path: Path
) -> None:
    earlier, later = engines
    with pipeline_between(kafka, earlier, tmp_path) as pipeline:
        service = pipeline.start_service()
        began, versions = time.monotonic(), []
        with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
            pipeline.wait_for_rows(SOME)
            versions.append(version_of(pipeline))
            for leaving, coming in ((earlier, later), (later, earlier), (earlier, later)):
                if leaving is later:
                    write_for_earlier_versions(pipeline)
                leaving.stop()
                coming.start()
                pipeline.disconnect()
                pipeline.wait_for_rows(len(stream.lines) + SOME)
                versions.append(version_of(pipeline))
                wait_until(lambda: can_query(service), "it answers queries")
                # Merges read and write parts of every version.
                pipeline.query("OPTIMIZE TABLE logs.logs FINAL")
        wait_until_all_is_read(pipeline, service)
        assert versions[0] != versions[1]
        assert versions == [versions[0], versions[1]] * 2
        step = f"ClickHouse's engine from {versions[0]} to {versions[1]}, back, and forth again"
        outcomes.note(step, outcome_of(pipeline, stream.lines, began))
        require_clean_audit(pipeline)


def write_for_earlier_versions(pipeline: Pipeline) -> None:
    """By the statements of the page."""
    [section] = re.findall(r"^## Back to ClickHouse .*?```sql\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL)
    change, packed, optimize = section.replace("'logs' AND", f"'{pipeline.database}' AND", 1).strip(";\n").split(";\n")
    pipeline.query(change)
    assert pipeline.query(packed), "parts of the later version are packed"
    while days := pipeline.query(packed):
        for day in days:
            pipeline.query(re.sub(r"'.*'", f"'{day['partition']}'", optimize))


def version_of(pipeline: Pipeline) -> str:
    [row] = pipeline.query("SELECT version() AS version")
    return str(row["version"])
