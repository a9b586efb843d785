"""Clients that hang up while their query runs: it ends in the service and at ClickHouse, and is no error."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.backends.clickhouse.client import connect
from local.service import ServiceProcess, clean_environment
from tests.e2e.pipeline import wait_until
from tests.e2e.query_table import QueryTable
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

_SOON_SECS = 10.0  # without its end at ClickHouse a query takes a minute


class SlowTable:
    """A service whose queries take a minute, since they read a view that sleeps."""

    def __init__(self, engine: RunningEngine, log_file: Path) -> None:
        self.table = QueryTable(engine)
        settings = self.table.settings
        self._client = connect(settings, timeout_secs=30)
        self._database = settings.database
        asleep = "SELECT toUInt64(sum(sleepEachRow(0.1)) + 99999) FROM numbers(600) SETTINGS max_block_size = 1"
        self._client.command(
            f"CREATE VIEW {settings.database}.slow AS SELECT * FROM {settings.database}.{settings.table}"
            f" WHERE length(Body) NOT IN ({asleep})"
        )
        own = {
            "ROLES": "query",
            "CLICKHOUSE_URL": settings.url,
            "CLICKHOUSE_USER": settings.user,
            "CLICKHOUSE_PASSWORD": settings.password.get_secret_value(),
            "CLICKHOUSE_DATABASE": settings.database,
            "CLICKHOUSE_TABLE": settings.table,
            "CLICKHOUSE_READER_TABLE": "slow",
        }
        self.service = ServiceProcess(clean_environment(os.environ, own), log_file)
        self.service.start()

    @property
    def running(self) -> int:
        """How many queries of requests ClickHouse is running: not its own, and not the count of hours."""
        of_service = f"query LIKE '%{self._database}%' AND query NOT LIKE '%LIKE%' AND query NOT LIKE '%AS hour%'"
        sql = f"SELECT count() FROM system.processes WHERE {of_service}"
        return int(self._client.query(sql).result_rows[0][0])

    def cancelled(self, endpoint: str) -> float:
        """The number of requests for an endpoint whose client had gone."""
        line = rf'^log_query_answers_total{{endpoint="{endpoint}",status="499"}} (\S+)$'
        found = re.search(line, self.service.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def close(self) -> None:
        """Remove everything."""
        self.service.stop()
        self.table.drop()


@pytest.fixture(scope="module")
def slow(engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowTable]:
    made = SlowTable(engine, tmp_path_factory.mktemp("hang-up") / "service.log")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("logs?query=timeout", "logs"),
        ("logs?format=ndjson", "logs"),
        ("histogram?by=level", "histogram"),
        ("stats?by=user_id", "stats"),
        ("fields?query=timeout", "fields"),
        ("fields/level/values?query=timeout", "fields_name_values"),
    ],
)
def test_hanging_up_ends_the_query_in_the_service_and_at_clickhouse(slow: SlowTable, path: str, endpoint: str) -> None:
    before = slow.cancelled(endpoint)
    connection = HTTPConnection(urlsplit(slow.service.url).netloc, timeout=_SOON_SECS)
    connection.request("GET", f"/api/v1/{path}&start=now-1h&timeout_ms=60000")
    wait_until(lambda: slow.running > 0, "ClickHouse runs it")

    connection.close()

    wait_until(lambda: slow.running == 0, "ClickHouse has ended it", _SOON_SECS)
    wait_until(lambda: slow.cancelled(endpoint) == before + 1, "the service has ended the request", _SOON_SECS)
    assert slow.running == 0
    assert "Traceback" not in slow.service.log
