"""Several servers behind one address: delivery and audit ask all of them, and understand rows that come repeated.

The engine stands for both replicas of a cluster, so each row and each running insert comes twice. That a replica lags
cannot be had here: the simulation has such replicas (`tests/simulation/table.py`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.clickhouse.probe import probe_clickhouse
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.offsets import Run, Span
from app.domain.rows import concatenate
from app.domain.statement import Statement
from app.errors import TryAgainLater
from app.maintenance.removal import OfUser, Waiting, remove
from app.preflight.probes import Unknown
from app.settings import ClickHouseSettings, QuerySettings
from local.engine.server import EngineServer
from local.ports import free_port
from tests.contract.test_log_writer import NEVER_DELETED_DAYS, insert, row, wait_until
from tests.support.servers import clickhouse_settings

pytestmark = pytest.mark.stack

TIMEOUT_SECS = 60
CLUSTER = "both"
NEVER_MS = 4_000_000_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    made = EngineServer(tmp_path_factory.mktemp("replicas"), free_port(), cluster=CLUSTER)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def settings(server: EngineServer) -> ClickHouseSettings:
    made = clickhouse_settings(server, "replicas", cluster=CLUSTER, retention_days=NEVER_DELETED_DAYS)
    ensure_table(made)
    return made


@pytest.fixture
def writer(settings: ClickHouseSettings) -> ClickHouseWriter:
    return ClickHouseWriter(settings)


@pytest.fixture
def client(settings: ClickHouseSettings) -> Iterator[Client]:
    made = connect(settings, timeout_secs=TIMEOUT_SECS)
    yield made
    made.command("TRUNCATE TABLE replicas.logs")
    made.close()


def with_cluster(settings: ClickHouseSettings, name: str) -> ClickHouseSettings:
    """The same server, with another cluster."""
    return settings.model_copy(update={"cluster": name})


def test_an_insert_that_one_server_refuses_as_late_may_be_stored_by_another(writer: ClickHouseWriter) -> None:
    with pytest.raises(TryAgainLater) as raised:
        insert(writer, row(0), "a token", writer.now_ms() - 1)

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("469", True)


def test_what_is_missing_is_found_although_every_stored_row_comes_twice(
    writer: ClickHouseWriter, client: Client
) -> None:
    batch = concatenate([row(offset, _item=item, _items=2) for offset in range(3) for item in range(2)])
    insert(writer, batch.slice(0, 3))

    missing = writer.missing(batch)

    assert missing.select(["_offset", "_item"]).to_pylist() == [
        {"_offset": 1, "_item": 1},
        {"_offset": 2, "_item": 0},
        {"_offset": 2, "_item": 1},
    ]
    assert writer.last_offset("topic-1", 0) == 1
    assert writer.last_offset("topic-1", 7) is None


def test_the_clock_is_that_of_the_servers(writer: ClickHouseWriter) -> None:
    before = time.time()
    read_secs = writer.now_ms() / 1000

    assert before - 1 < read_secs < time.time() + 1


def test_an_insert_is_seen_while_it_runs(settings: ClickHouseSettings, client: Client) -> None:
    token, writer = uuid.uuid4().hex, ClickHouseWriter(settings)
    client.command("CREATE TABLE replicas.slow (n UInt8) ENGINE = Null")
    query_id = f"log-ingest-{token}"
    endless = "INSERT INTO replicas.slow SELECT sleepEachRow(0.5) FROM numbers(1000) SETTINGS max_block_size = 1"
    slow = connect(settings, timeout_secs=TIMEOUT_SECS)
    with ThreadPoolExecutor(1) as pool:
        insert_ends = pool.submit(slow.command, endless, settings={"query_id": query_id})
        wait_until(lambda: token in writer.running())
        client.command(f"KILL QUERY WHERE query_id = '{query_id}' ASYNC")
        assert insert_ends.exception(TIMEOUT_SECS) is not None

    wait_until(lambda: token not in writer.running())
    client.command("DROP TABLE replicas.slow")


def test_a_server_that_is_not_known_or_does_not_answer_is_an_error_and_not_an_empty_table(
    settings: ClickHouseSettings, client: Client
) -> None:
    elsewhere = ClickHouseWriter(with_cluster(settings, "elsewhere"))

    for ask in (elsewhere.now_ms, elsewhere.running, lambda: elsewhere.last_offset("topic-1", 0)):
        with pytest.raises(TryAgainLater, match="elsewhere"):
            ask()


def test_the_audit_counts_each_row_once_and_finds_those_that_are_stored_twice(
    settings: ClickHouseSettings, writer: ClickHouseWriter, client: Client
) -> None:
    ledger = ClickHouseLedger(settings, timeout_secs=TIMEOUT_SECS)
    insert(writer, concatenate([row(offset) for offset in (0, 1, 2, 5)]))
    insert(writer, row(2))

    [bucket] = ledger.buckets("topic-1", {0: Span(0, 10)})[0]

    assert (bucket.rows, bucket.first, bucket.last, bucket.offset_sum) == (5, 0, 5, 10)
    assert ledger.rows_by_topic() == {"topic-1": 5}
    assert ledger.runs("topic-1", 0, Span(0, 10)) == [
        Run(Span(0, 2), rows=2, unparsed=0),
        Run(Span(2, 3), rows=2, unparsed=0, surplus=1),
        Run(Span(5, 6), rows=1, unparsed=0),
    ]
    assert ledger.first_offset("topic-1", 0) == 0
    assert ledger.last_before("topic-1", 0, 5) == 2
    ledger.close()


def test_removed_rows_are_known_to_delivery_and_audit(
    settings: ClickHouseSettings, writer: ClickHouseWriter, client: Client
) -> None:
    batch = concatenate([row(0), row(1, UserId="u"), row(2, UserId="u")])
    insert(writer, batch)
    assert writer.missing(batch).num_rows == 0  # the table of positions does not exist yet
    removal = ClickHouseRemoval(settings, timeout_secs=TIMEOUT_SECS)
    ledger = ClickHouseLedger(settings, timeout_secs=TIMEOUT_SECS)

    removal.prepare()
    remove(removal, OfUser("u"), NEVER_MS, Waiting())

    assert writer.missing(batch).num_rows == 0
    assert writer.last_offset("topic-1", 0) == 2
    assert ledger.runs("topic-1", 0, Span(0, 10)) == [Run(Span(0, 3), rows=1, unparsed=0, removed=2)]
    assert probe_clickhouse(settings).removed is True
    removal.close()
    ledger.close()
    client.command("DROP TABLE replicas.logs_removed")


def test_the_ledger_of_all_servers_is_read_from_its_projection(
    settings: ClickHouseSettings, writer: ClickHouseWriter, client: Client
) -> None:
    quick = ClickHouseLedger(
        settings, timeout_secs=TIMEOUT_SECS, query_settings={"force_optimize_projection_name": "ledger"}
    )
    insert(writer, row(0))

    assert len(quick.buckets("topic-1", {0: Span(0, 10)})[0]) == 1
    assert quick.rows_by_topic() == {"topic-1": 1}
    quick.close()


def test_people_s_queries_read_one_server(
    settings: ClickHouseSettings, writer: ClickHouseWriter, client: Client
) -> None:
    insert(writer, row(0))
    reader = ClickHouseReader(settings, QuerySettings())

    assert reader.run(Statement("SELECT count() FROM {table}", {}), timeout_secs=10).rows == [(1,)]


def test_the_check_sees_the_servers_and_the_right_to_ask_all_of_them(settings: ClickHouseSettings) -> None:
    probe = probe_clickhouse(settings)

    assert not isinstance(probe.servers, Unknown | None)
    assert probe.servers.count == 2
    assert probe.servers.clocks_apart_secs < 1
    assert not isinstance(probe.privileges, Unknown)
    assert probe.privileges["READ ON REMOTE"]


def test_the_check_names_the_clusters_that_there_are(settings: ClickHouseSettings) -> None:
    found = probe_clickhouse(with_cluster(settings, "elsewhere")).servers

    assert isinstance(found, Unknown)
    assert "elsewhere" in found.reason
    assert CLUSTER in found.reason
