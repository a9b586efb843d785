"""CLICKHOUSE_READER_TABLE: queries read another table than rows are written to, such as a Distributed one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.schema import ensure_table
from app.domain.statement import Statement
from app.settings import ClickHouseSettings, QuerySettings
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(engine: RunningEngine) -> Iterator[ClickHouseSettings]:
    """Settings of a database with two tables: `logs_local` has one row, `logs` that one and another."""
    made = clickhouse_settings(engine, f"reader_{uuid.uuid4().hex[:12]}", table="logs_local")
    client = connect(made, timeout_secs=30)
    for table, rows in (("logs_local", 1), ("logs", 2)):
        ensure_table(made.model_copy(update={"table": table}))
        client.command(f"INSERT INTO {made.database}.{table} (Timestamp) SELECT now() FROM numbers({rows})")
    yield made
    client.command(f"DROP DATABASE {made.database}")
    client.close()


def count(settings: ClickHouseSettings) -> int:
    reader = ClickHouseReader(settings, QuerySettings())
    [[rows]] = reader.run(Statement("SELECT count() FROM {table}"), timeout_secs=10).rows
    return int(rows)


def test_queries_go_to_the_table_of_the_rows_unless_another_is_configured(settings: ClickHouseSettings) -> None:
    assert count(settings) == 1
    assert count(settings.model_copy(update={"reader_table": "logs"})) == 2
