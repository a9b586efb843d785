"""A pipeline on the shared broker and engine, and a broker and an engine that tests may stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.ports import free_port
from tests.e2e.pipeline import Pipeline
from tests.support.servers import RunningEngine, RunningKafka


@pytest.fixture(scope="module")
def shared_pipeline(
    kafka: RunningKafka, engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """One pipeline for all tests of a module, on the broker and the engine of the whole run."""
    pipeline = Pipeline(kafka, engine, tmp_path_factory.mktemp("pipeline"))
    yield pipeline
    pipeline.end_services()


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker that these tests may stop; they leave it running."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """An engine that these tests may stop; they leave it running."""
    server = EngineServer(tmp_path_factory.mktemp("clickhouse"), free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture
def pipeline(own_kafka: KafkaServer, own_engine: EngineServer, tmp_path: Path) -> Iterator[Pipeline]:
    """A topic and a table for one test, on the broker and the engine that it may stop."""
    made = Pipeline(own_kafka, own_engine, tmp_path)
    yield made
    made.end_services()
    for server in (own_kafka, own_engine):  # a failed test may have left it stopped
        if not server.is_running:
            server.start()
