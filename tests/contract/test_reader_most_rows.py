"""A statement that may read few rows: ClickHouse refuses it before it reads, by what the indexes leave."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.schema import ensure_table
from app.errors import QueryTooExpensive
from app.query.condition import condition_of
from app.query.language import parse
from app.query.log_table import LogTable, Select
from app.settings import ClickHouseSettings, QuerySettings
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

ROWS = 20_000
A_GRANULE = 2_048


@pytest.fixture(scope="module")
def settings(engine: RunningEngine) -> Iterator[ClickHouseSettings]:
    """Settings of a table in which each message has one word in common, and one of its own."""
    made = clickhouse_settings(engine, f"most_rows_{uuid.uuid4().hex[:12]}")
    ensure_table(made)
    client = connect(made, timeout_secs=30)
    client.command(
        f"INSERT INTO {made.database}.{made.table} (Timestamp, Body)"
        f" SELECT toStartOfHour(now()), 'refused request' || toString(number) FROM numbers({ROWS})"
    )
    yield made
    client.command(f"DROP DATABASE {made.database}")
    client.close()


def count(settings: ClickHouseSettings, word: str, *, most_rows: int, limits: QuerySettings | None = None) -> int:
    condition = condition_of(parse(word).tree)
    select = Select("uniqExact(Body)", [condition.sql], parameters=condition.parameters, most_rows=most_rows)
    [[found]] = LogTable(ClickHouseReader(settings, limits or QuerySettings())).run(select, timeout_secs=10).rows
    return int(found)


def test_rows_that_an_index_rules_out_are_not_counted(settings: ClickHouseSettings) -> None:
    assert count(settings, "request777", most_rows=A_GRANULE) == 1
    with pytest.raises(QueryTooExpensive) as refused:
        count(settings, "refused", most_rows=ROWS - 1)
    assert refused.value.resource == "rows"
    assert count(settings, "refused", most_rows=ROWS) == ROWS


def test_a_lower_limit_of_all_queries_holds(settings: ClickHouseSettings) -> None:
    with pytest.raises(QueryTooExpensive):
        count(settings, "refused", most_rows=ROWS, limits=QuerySettings(max_rows=A_GRANULE))
    assert count(settings, "refused", most_rows=0, limits=QuerySettings(max_rows=ROWS)) == ROWS
