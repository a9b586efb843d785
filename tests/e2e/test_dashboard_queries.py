"""Every ClickHouse query of every dashboard, on the real engine."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from pydantic import SecretStr

from app.backends.clickhouse_client import connect
from app.backends.clickhouse_schema import statements
from app.settings import ClickHouseSettings
from tests.dashboards import DASHBOARDS, Query, View, expand_sql, queries
from tests.servers import RunningEngine

pytestmark = pytest.mark.stack

QUERIES = [query for path in DASHBOARDS for query in queries(path) if query.datasource == "clickhouse"]
COUNTS = [query for query in QUERIES if "count()" in query.text]

each_query = pytest.mark.parametrize("query", QUERIES, ids=str)
each_choice = pytest.mark.parametrize(
    "variables",
    [{"search": ""}, {"search": "can't", "service": "payment-service"}],
    ids=["all services", "one service"],
)


@dataclass(frozen=True)
class Table:
    """A table of logs with a few minutes of them, in a database of its own."""

    client: Client
    database: str
    newest: datetime

    def sql(self, query: Query, variables: dict[str, str]) -> str:
        """The query as the data source would send it for the last half hour."""
        view = View(self.newest - timedelta(minutes=30), self.newest + timedelta(minutes=1), 60, variables)
        return expand_sql(query.text, view).replace("logs.logs", f"{self.database}.logs")

    def rows(self, query: Query, variables: dict[str, str]) -> list[dict[str, Any]]:
        """What it answers."""
        return list(self.client.query(self.sql(query, variables)).named_results())

    def plan(self, query: Query) -> str:
        """How the engine would answer it."""
        return str(self.client.command(f"EXPLAIN projections = 1 {self.sql(query, {'search': ''})}"))


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[Table]:
    settings = ClickHouseSettings(
        url=engine.url,
        user=engine.user or "default",
        password=SecretStr(engine.password),
        database=f"dashboards_{uuid.uuid4().hex[:12]}",
    )
    client = connect(settings, timeout_secs=30)
    for statement in statements(settings):
        client.command(statement)
    newest = datetime.now(UTC)
    # Enough rows that reading the counts per minute is worth while.
    client.command(f"""
        INSERT INTO {settings.database}.logs (Timestamp, SeverityText, ServiceName, Body)
        SELECT
            fromUnixTimestamp64Milli({newest.timestamp() * 1000:.0f}) - toIntervalMillisecond(50 * number),
            ['INFO', 'ERROR', ''][number % 3 + 1],
            ['payment-service', 'cart'][number % 2 + 1],
            'the card can\\'t be charged'
        FROM numbers(20000)
    """)
    try:
        yield Table(client, settings.database, newest)
    finally:
        client.command(f"DROP DATABASE {settings.database}")
        client.close()


@each_query
@each_choice
def test_it_finds_rows(table: Table, query: Query, variables: dict[str, str]) -> None:
    assert table.rows(query, variables) != []


@pytest.mark.parametrize("query", COUNTS, ids=str)
def test_counts_are_read_from_the_projection(table: Table, query: Query) -> None:
    assert "per_minute" in table.plan(query)


@pytest.mark.parametrize("query", [query for query in COUNTS if "AS rows" in query.text], ids=str)
def test_bars_add_up_to_all_rows(table: Table, query: Query) -> None:
    assert sum(row["rows"] for row in table.rows(query, {"search": ""})) == 20_000


def test_the_latest_rows_are_the_newest_hundred_in_order(table: Table) -> None:
    [latest] = [query for query in QUERIES if query.title == "Latest rows"]
    times = [row["timestamp"] for row in table.rows(latest, {"search": ""})]
    assert len(times) == 100
    assert times == sorted(times, reverse=True)
    assert table.newest - times[0].replace(tzinfo=UTC) < timedelta(milliseconds=2)
