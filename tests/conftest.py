"""One broker and one engine for the whole run, or per worker, started when a test first needs one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.ports import free_port
from tests.support.order import position_of
from tests.support.servers import GivenEngine, GivenKafka, RunningEngine, RunningKafka


def pytest_configure() -> None:
    """Hear Ctrl-C where whoever started us ignores it, as a shell does for jobs in the background.

    The programs that tests start would inherit that, and never end by the SIGINT that a test sends.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long a machine takes that runs other tests too says nothing about the values that are made.
    settings.register_profile("shared machine", suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("shared machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start the longest modules first in parallel runs; serial runs keep their order, so that failures come early."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: position_of(item.nodeid))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """The broker at KAFKA_BOOTSTRAP_SERVERS, or one that we start."""
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
    """The server at CLICKHOUSE_URL, or an engine that we start."""
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
