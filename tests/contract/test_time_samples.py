"""Which stored rows `check` looks at to tell the zones of hosts, on the real engine."""

from __future__ import annotations

import uuid

import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.time_samples import read_time_samples
from app.domain.times.reading import IN_THE_FUTURE
from app.errors import Refused, TryAgainLater
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

ROWS = f"""
INSERT INTO {{table}} (Timestamp, ServiceName, Body, ResourceAttributes, LogAttributes, ParseError, _reader)
SELECT now() - INTERVAL age HOUR, service, 'the line', map('host.name', host), kept, problem, reader
FROM values('age Int32, service String, host String, kept Map(String, String), problem String, reader String',
    (0, 'ahead', 'tokyo-1', map('timestamp', '2026-11-30 03:00:00'), '{IN_THE_FUTURE}', 'old'),
    (0, 'ahead', 'tokyo-1', map('timestamp', '2026-11-30 03:00:01'), 'json: not valid; {IN_THE_FUTURE}', 'now'),
    (5, 'behind', 'ny-1', map(), '', 'now'),
    (5, 'behind', 'read-by-another', map(), '', 'old'),
    (0, 'on time', 'utc-1', map(), '', 'now'),
    (30, 'of yesterday', 'ny-1', map(), '', 'now'))"""


def test_rows_in_the_future_and_in_the_past_are_read_one_of_each_host_and_ten_minutes(engine: RunningEngine) -> None:
    settings = clickhouse_settings(engine, f"zones_{uuid.uuid4().hex[:12]}")
    ensure_table(settings)
    client = connect(settings, timeout_secs=30)
    client.command(ROWS.format(table=f"{settings.database}.{settings.table}"))

    found = read_time_samples(settings, "now")

    client.command(f"DROP DATABASE {settings.database}")
    client.close()
    assert {(row.host, row.service, row.is_in_the_future) for row in found} == {
        ("tokyo-1", "ahead", True),
        ("ny-1", "behind", False),
    }
    assert {row.written[:16] for row in found} == {"2026-11-30 03:00", "the line"}
    assert all(-1000 < row.stored_ms - row.time_ms < 5 * 3_600_000 + 60_000 for row in found)


def test_without_a_table_there_is_an_error_that_the_check_understands(engine: RunningEngine) -> None:
    with pytest.raises((Refused, TryAgainLater)):
        read_time_samples(clickhouse_settings(engine, "no_such_database"), "now")
