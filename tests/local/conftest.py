"""Fixtures of the local stack: clients, a table, an engine."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from local.engine.server import EngineServer
from local.ports import free_port
from tests.local.clients import MakeClient, open_client
from tests.support.servers import RunningEngine

_names = itertools.count()


@pytest.fixture
def connect() -> Iterator[MakeClient]:
    """Creates clients as the service does, and closes them."""
    clients: list[Client] = []

    def make(server: RunningEngine, **options: Any) -> Client:
        clients.append(open_client(server, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(engine: RunningEngine, connect: MakeClient) -> Client:
    """A client of the shared engine."""
    return connect(engine)


@pytest.fixture
def table(client: Client) -> Iterator[str]:
    """An empty table of numbers and words with a deduplication window."""
    name = f"local_test_{next(_names)}"
    client.command(
        f"CREATE TABLE {name} (i UInt64, s String) ENGINE = MergeTree ORDER BY i "
        "SETTINGS non_replicated_deduplication_window = 100, fsync_after_insert = 1"
    )
    yield name
    client.command(f"DROP TABLE {name}")


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[EngineServer]:
    """An engine that a test may kill; not started."""
    server = EngineServer(tmp_path / "clickhouse", free_port())
    yield server
    server.kill()
