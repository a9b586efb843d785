"""One broker and one engine for the whole run, or for each worker of it, started when a test first asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.ports import free_port
from tests.support.order import place_of
from tests.support.servers import GivenEngine, GivenKafka, RunningEngine, RunningKafka


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, the longest begin first. One after another they stay as they are: what fails soon comes soon."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place_of(item.nodeid))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """The broker at KAFKA_BOOTSTRAP_SERVERS, or one of our own."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield GivenKafka(given)
        return
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """The server at CLICKHOUSE_URL, or an engine of our own."""
    given = os.environ.get("CLICKHOUSE_URL")
    if given:
        user, password = os.environ.get("CLICKHOUSE_USER", "default"), os.environ.get("CLICKHOUSE_PASSWORD", "")
        yield GivenEngine(given, user, password)
        return
    server = EngineServer(tmp_path_factory.mktemp("clickhouse"), free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()
