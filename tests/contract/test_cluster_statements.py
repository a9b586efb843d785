"""The statements for a cluster, parsed by the real engine, and the tables it creates as the only node of its cluster.

The engine of the tests is no cluster: no row is replicated here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.cluster import cluster_statements
from app.backends.clickhouse.schema import create_table, definition_of
from app.settings import ClickHouseSettings
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

TIMEOUT_SECS = 60
NAMES = ClickHouseSettings(database="web", table="events")

ALONE = """<clickhouse>
    <zookeeper><implementation>testkeeper</implementation></zookeeper>
    <macros><shard>01</shard><replica>one</replica></macros>
    <remote_servers>
        <alone><shard><replica><host>localhost</host><port>9000</port></replica></shard></alone>
    </remote_servers>
</clickhouse>
"""
# In its own process, because a process can open only one engine. It exits without closing it: that would wait forever
# for a Keeper.
MAKE = """
import json, os, sys
import chdb

connection = chdb.connect(sys.argv[1])
for statement in json.load(sys.stdin):
    connection.query(statement)
tables = "SELECT name, engine, engine_full, comment FROM system.tables WHERE database = 'web' ORDER BY name"
print(connection.query(tables, "JSONCompact").bytes().decode(), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def client(engine: RunningEngine) -> Iterator[Client]:
    settings = clickhouse_settings(engine, "default")
    made = connect(settings, timeout_secs=TIMEOUT_SECS)
    yield made
    made.close()


def test_the_engine_reads_every_statement_as_one_for_the_cluster(client: Client) -> None:
    for statement in cluster_statements(NAMES, "my-cluster"):
        [[formatted]] = client.query("SELECT formatQuery({sql:String})", parameters={"sql": statement}).result_rows
        assert " ON CLUSTER `my-cluster`" in formatted.splitlines()[0]
        tree = client.query(f"EXPLAIN AST {statement}").result_rows
        assert tree[0][0].startswith("CreateQuery web")


def test_the_replicated_table_is_that_of_the_schema_but_for_its_engine_and_how_its_inserts_are_known_again(
    client: Client,
) -> None:
    [_, local, _, _] = cluster_statements(NAMES, "my-cluster")
    wanted, found = definition_of(client, create_table(NAMES)), definition_of(client, local)

    engine = "ReplicatedMergeTree('/clickhouse/tables/{shard}/web/events_local', '{replica}')"
    settings = {name.removeprefix("non_"): value for name, value in wanted.settings.items()}
    assert found == replace(wanted, clauses={**wanted.clauses, "ENGINE": engine}, settings=settings)


def test_the_engine_makes_the_tables(tmp_path: Path) -> None:
    """With a Keeper in its memory, and without ON CLUSTER, which takes a real one."""
    config = tmp_path / "engine.xml"
    config.write_text(ALONE)
    made = [statement.replace(" ON CLUSTER `alone`", "") for statement in cluster_statements(NAMES, "alone")]

    done = subprocess.run(
        [sys.executable, "-c", MAKE, f"{tmp_path / 'data'}?config-file={config}"],
        input=json.dumps(made),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    whole, local, removed = json.loads(done.stdout)["data"]
    assert whole[:2] == ["events", "Distributed"]
    assert "schema" not in whole[3]
    assert local[:2] == ["events_local", "ReplicatedMergeTree"]
    assert "/clickhouse/tables/{shard}/web/events_local" in local[2]
    assert " replicated_deduplication_window = 10000" in local[2]
    assert local[3].startswith("schema ")
    assert removed[:2] == ["events_local_removed", "ReplicatedReplacingMergeTree"]
    assert "/clickhouse/tables/{shard}/web/events_local_removed" in removed[2]
