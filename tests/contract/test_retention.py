"""Retention per service on the real ClickHouse engine: what has expired goes from disk, and is known."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.removed import removed_table
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.retention_rules import Expired, RetentionRules, parse_retention_rules
from app.domain.rows import SCHEMA, Rows, concatenate
from app.maintenance.removal import OfServices, OfUser, Waiting, wait_until_deleted
from app.maintenance.retention import expired_now, remove_expired
from tests.support.sample_rows import sample_rows
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)
NEVER_MS = 10_000_000_000_000
RULES = RetentionRules(parse_retention_rules("debug-*:3,it's:7"))


class Table:
    """A new table, created as by the service."""

    def __init__(self, engine: RunningEngine) -> None:
        self.settings = clickhouse_settings(engine, f"removal_{uuid.uuid4().hex[:12]}")
        ensure_table(self.settings)
        self.writer = ClickHouseWriter(self.settings)
        self.removal = ClickHouseRemoval(self.settings, timeout_secs=30)
        self.client = connect(self.settings, timeout_secs=30)

    def add(self, rows: Rows) -> None:
        self.writer.insert(rows, uuid.uuid4().hex, NEVER_MS)

    def query(self, sql: str) -> Sequence[Sequence[object]]:
        return self.client.query(sql).result_rows

    def rows_on_disk(self) -> dict[date, int]:
        """The rows of the parts of each day, those included that are masked."""
        found = self.query(
            "SELECT toDate(partition), sum(rows) FROM system.parts WHERE active"
            f" AND database = '{self.settings.database}' AND table = 'logs' GROUP BY 1"
        )
        return dict(found)  # type: ignore[arg-type]

    def drop(self) -> None:
        self.removal.close()
        self.client.command(f"DROP DATABASE {self.settings.database}")
        self.client.close()


@pytest.fixture
def table(engine: RunningEngine) -> Iterator[Table]:
    made = Table(engine)
    yield made
    made.drop()


def day(days_ago: int) -> date:
    return (NOW - timedelta(days=days_ago)).date()


def logs(service: str, days_ago: int, *, offset: int) -> Rows:
    """Two rows of a service, of a day."""
    time_ns = int((NOW - timedelta(days=days_ago)).timestamp()) * 10**9
    columns = sample_rows(2, first_offset=offset).to_pydict()
    changed = {"Timestamp": [time_ns] * 2, "ServiceName": [service] * 2, "UserId": [service] * 2}
    arrays = [pa.array(changed.get(field.name, columns[field.name]), field.type) for field in SCHEMA]
    return pa.record_batch(arrays, schema=SCHEMA)


ROWS = concatenate(
    [
        logs("debug-a", 4, offset=0),
        logs("debug-a", 3, offset=2),
        logs("it's", 9, offset=4),
        logs("it's", 4, offset=6),
        logs("payments", 9, offset=8),
        logs("", 20, offset=10),
    ]
)


def test_what_has_expired_is_removed_from_disk_and_nothing_else(table: Table) -> None:
    table.add(ROWS)
    removed: list[Expired] = []

    assert remove_expired(table.removal, RULES, Waiting(), on_removed=removed.extend)

    assert [(each.service, each.day, each.rows) for each in removed] == [("it's", day(9), 2), ("debug-a", day(4), 2)]
    assert table.rows_on_disk() == {day(3): 2, day(4): 2, day(9): 2, day(20): 2}
    assert expired_now(table.removal, RULES) == []
    # A rewound offset stores nothing of it again.
    assert table.writer.missing(ROWS).num_rows == 0
    assert table.writer.last_offset("topic-1", 0) == 11
    noted = table.query(f"SELECT _offset, reason FROM {removed_table(table.settings)} ORDER BY _offset")
    assert noted == [(offset, "retention") for offset in (0, 1, 4, 5)]


def test_a_day_without_expired_rows_is_not_written_anew(table: Table) -> None:
    table.add(logs("debug-a", 4, offset=0))
    table.add(logs("payments", 4, offset=2))
    table.removal.prepare()
    sql = f"SELECT name, bytes_on_disk FROM system.parts WHERE active AND database = '{table.settings.database}'"
    [*before] = table.query(f"{sql} AND table = 'logs'")

    table.removal.delete(OfServices(day(4), ["nobody"]), NEVER_MS)
    wait_until_deleted(table.removal, Waiting())

    after = table.query(f"{sql} AND table = 'logs'")
    assert sorted(size for _, size in after) == sorted(size for _, size in before)  # type: ignore[type-var]


def test_what_was_deleted_on_request_is_gone_from_disk_and_stays_known(table: Table) -> None:
    """Its positions are known for good; those of retention until the table would have deleted the rows itself."""
    table.add(ROWS)
    table.removal.prepare()
    for selection in (OfUser("payments"), OfServices(day(4), ["debug-a"])):
        table.removal.note(selection, NEVER_MS)
        table.removal.delete(selection, NEVER_MS)
    wait_until_deleted(table.removal, Waiting())
    assert table.rows_on_disk().get(day(9)) == 2

    removed = removed_table(table.settings)
    long_ago = "toDateTime(now() - INTERVAL 40 DAY, 'UTC')"
    table.client.command(
        f"INSERT INTO {removed} (_topic_id, _offset, reason, removed_at)"
        f" VALUES ('old', 1, 'retention', {long_ago}), ('old', 2, 'request', {long_ago})"
    )
    deadline = time.monotonic() + 60
    while len(table.query(f"SELECT 1 FROM {removed} WHERE _topic_id = 'old'")) > 1:
        assert time.monotonic() < deadline
        table.client.command(f"OPTIMIZE TABLE {removed} FINAL")
        time.sleep(0.1)

    assert table.query(f"SELECT _offset FROM {removed} WHERE _topic_id = 'old'") == [(2,)]
    assert table.query(f"SELECT count() FROM {removed} WHERE _topic_id != 'old'") == [(4,)]
