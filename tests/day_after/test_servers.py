"""docs/upgrades.md under load: new versions of Kafka and of the engine on the data of earlier ones, and back."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.engine.server import EngineServer
from local.kafka import KRAFT_VERSION, KafkaServer, random_cluster_id
from local.paths import ROOT
from local.ports import free_port
from tests.day_after import earlier_engine
from tests.day_after.outcomes import Outcomes, outcome_of
from tests.day_after.test_upgrades import can_query, require_clean_audit, wait_until_all_is_read
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, Stream, wait_until
from tests.support.servers import RunningEngine, RunningKafka

pytestmark = [pytest.mark.stack, pytest.mark.day_after]

PAGE = (ROOT / "docs/upgrades.md").read_text(encoding="utf-8")
EARLIER_KAFKA = "3.9.1"
LINES_PER_SEC = 100
SOME = 200

Server = KafkaServer | EngineServer


def replace(pipeline: Pipeline, stream: Stream, leaving: Server, coming: Server) -> None:
    """Stop a server and start another on its data, while logs come in; return when some of them are stored."""
    leaving.stop()
    stream.wait_for_more(SOME)
    coming.start()
    pipeline.disconnect()
    pipeline.wait_for_rows(pipeline.row_count() + SOME)


@contextmanager
def pipeline_between(kafka: RunningKafka, engine: RunningEngine, folder: Path) -> Iterator[Pipeline]:
    made = Pipeline(kafka, engine, folder)
    try:
        yield made
    finally:
        made.end_services()


@pytest.fixture
def kafkas(tmp_path: Path) -> Iterator[tuple[KafkaServer, KafkaServer]]:
    """Two versions of a broker with the same data, the earlier one running."""
    folder, port, cluster = tmp_path / "kafka", free_port(), random_cluster_id()
    earlier = KafkaServer(folder, port, version=EARLIER_KAFKA, cluster_id=cluster)
    later = KafkaServer(folder, port, cluster_id=cluster)
    earlier.start()
    yield earlier, later
    for server in (earlier, later):
        server.kill()


def admin(kafka: KafkaServer, command: str) -> str:
    """Run a command of the page; returns what it prints."""
    mine = command.replace("localhost:9092", kafka.bootstrap_servers)
    done = subprocess.run(
        [sys.executable, "-m", *mine.split()], capture_output=True, text=True, timeout=PATIENCE_SECS, check=True
    )
    return done.stdout


def test_a_new_version_of_kafka_back_and_forth_again(
    kafkas: tuple[KafkaServer, KafkaServer], engine: RunningEngine, outcomes: Outcomes, tmp_path: Path
) -> None:
    """The metadata version is raised at the end, by the commands of the page."""
    describe, raise_it = re.findall(r"^\.venv/bin/python -m (kafka\.admin .* cluster \S*-features.*)$", PAGE, re.M)
    earlier, later = kafkas
    with pipeline_between(earlier, engine, tmp_path) as pipeline:
        service = pipeline.start_service()
        began = time.monotonic()
        with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
            pipeline.wait_for_rows(SOME)
            replace(pipeline, stream, earlier, later)
            replace(pipeline, stream, later, earlier)
            replace(pipeline, stream, earlier, later)
            supported = re.search(
                r"'metadata.version': {.*?'supported': \(\d+, (\d+)\)", admin(later, describe), re.DOTALL
            )
            assert supported is not None
            assert f"metadata.version={supported[1]} " in raise_it, (
                "the page raises it to what the new version supports"
            )
            assert set(re.findall(r"'(\w+)'[,}]", admin(later, raise_it))) == {"OK"}
            later.stop()
            later.start()
            pipeline.wait_for_rows(pipeline.row_count() + SOME)
        wait_until_all_is_read(pipeline, service)
        step = (
            f"Kafka from {EARLIER_KAFKA} to {KRAFT_VERSION}, back, and forth again; metadata version raised; restarted"
        )
        outcomes.note(step, outcome_of(pipeline, stream.lines, began))
        require_clean_audit(pipeline)


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
                replace(pipeline, stream, leaving, coming)
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


def version_of(pipeline: Pipeline) -> str:
    [row] = pipeline.query("SELECT version() AS version")
    return str(row["version"])
