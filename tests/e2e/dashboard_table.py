"""A table for dashboard queries, and its logs: three hours and six services, with an incident."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.schema import statements
from tests.support.dashboards import Query, View, expand_sql
from tests.support.servers import RunningEngine, clickhouse_settings

ROWS: Final = 200_000

# Hostile and odd names; the table has logs of them.
ODD_SERVICE: Final = "it's a \\ of 100%"
ODD_USER: Final = "x'); DROP TABLE logs.logs --"
NEW_KIND: Final = "the vault answered # for key #"

_STEP_MS: Final = 60
_SERVICES: Final = ("payment-service", "cart", "search", "web", "auth", ODD_SERVICE)

Variables = Mapping[str, str | Sequence[str]]


@dataclass
class DashboardTable:
    """The table in its own database, with methods to run dashboard queries."""

    engine: RunningEngine
    newest: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        settings = clickhouse_settings(self.engine, f"dashboards_{uuid.uuid4().hex[:12]}")
        self.database = settings.database
        self.client: Client = connect(settings, timeout_secs=30)
        for statement in statements(settings):
            self.client.command(statement)

    def fill(self) -> None:
        """Store the logs."""
        newest_ms = int(self.newest.timestamp() * 1000)
        self.command(_INSERT, newest_ms=newest_ms, services=list(_SERVICES), odd_user=ODD_USER)

    def sql(self, query: Query, variables: Variables) -> str:
        """A query as the data source would send it for the last hour."""
        return self.expanded(query.text, variables)

    def command(self, sql: str, **parameters: Any) -> str:
        """Run a command."""
        return str(self.client.command(self._named(sql), parameters=parameters))

    def expanded(
        self, text: str, variables: Variables | None = None, *, interval_secs: int = 60, hours: int = 1
    ) -> str:
        """Any SQL of a dashboard as the data source would send it for the last hours."""
        start = self.newest - timedelta(hours=hours)
        return self._named(expand_sql(text, View(start, self.newest, interval_secs, variables or {})))

    def rows(
        self, query: Query, variables: Variables, *, interval_secs: int = 60, hours: int = 1
    ) -> list[dict[str, Any]]:
        """What is answered."""
        return self.query(self.expanded(query.text, variables, interval_secs=interval_secs, hours=hours))

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run any query; the table is `logs.logs` in it."""
        return list(self.client.query(self._named(sql), parameters=dict(parameters or {})).named_results())

    def rows_read(self, query: Query, variables: Variables) -> int:
        """The number of rows that the engine reads for a query."""
        return int(self.client.query(self.sql(query, variables)).summary["read_rows"])

    def plan(self, query: Query, variables: Variables) -> str:
        """The query plan of the engine."""
        return self.command(f"EXPLAIN {self.sql(query, variables)}")

    def age_secs(self, moment: datetime) -> float:
        """Seconds from a time returned by the engine (naive, in UTC) to the newest log."""
        return (self.newest - moment.replace(tzinfo=UTC)).total_seconds()

    def drop(self) -> None:
        """Leave nothing."""
        self.client.command(f"DROP DATABASE {self.database}")
        self.client.close()

    def _named(self, sql: str) -> str:
        return sql.replace("FROM logs.logs", f"FROM {self.database}.logs").replace(
            "INTO logs.logs", f"INTO {self.database}.logs"
        )


# Twenty minutes ago something began to fail that had never failed before, in payment-service.
_INSERT: Final = f"""
INSERT INTO logs.logs (Timestamp, SeverityText, SeverityNumber, ServiceName, Body, UserId, ResponseTimeMs, TraceId,
    ParseError, LogAttributes)
WITH
    cityHash64(number) AS chance,
    {{services:Array(String)}}[chance % 6 + 1] AS service,
    number * {_STEP_MS} < 1200000 AND service = 'payment-service' AND chance % 3 = 0 AS is_new_trouble,
    multiIf(is_new_trouble OR chance % 50 = 1, 17, chance % 20 = 1, 13, chance % 7 = 1, 5, chance % 11 = 1, 0, 9)
        AS number_of_level
SELECT
    fromUnixTimestamp64Milli({{newest_ms:Int64}} - number * {_STEP_MS}),
    transform(number_of_level, [5, 9, 13, 17], ['DEBUG', 'INFO', 'WARN', 'ERROR'], ''),
    number_of_level,
    service,
    multiIf(
        is_new_trouble,
        concat('the vault answered ', toString(500 + number % 4), ' for key ', lower(hex(sipHash64(number)))),
        number_of_level = 17, concat('card declined for order ', toString(number)),
        concat('Order ', toString(number), ' is on its way')),
    multiIf(number % 4000 = 7, {{odd_user:String}}, chance % 10 = 0, '', concat('user-', toString(chance % 97))),
    multiIf(number % 9001 = 5, 20000 + number % 1000, chance % 4 = 0, NULL, round(exp(1 + (chance % 29) / 4), 1)),
    lower(hex(sipHash128(intDiv(number, 5)))),
    if(number % 5000 = 9, 'timestamp: not a time', ''),
    map('http.route', '/pay', 'http.status_code', '200')
FROM numbers({ROWS})
"""
