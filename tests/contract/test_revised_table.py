"""RevisedTable: the contract of `maintenance/tables.py`, on MemoryRevisions and on the real ClickHouse engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa
import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.revisions import ClickHouseRevisions
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.revisions import Place, RemovedRow, Version
from app.domain.rows import SCHEMA, Rows, concatenate
from app.maintenance.removal import OfUser
from app.maintenance.tables import RevisedTable
from tests.support.revised_table import MemoryRevisions
from tests.support.servers import RunningEngine, clickhouse_settings

NOW_NS = time.time_ns() // 10**6 * 10**6
NEVER_MS = 10_000_000_000_000
DEFAULTS: dict[str, object] = {
    **{"Timestamp": NOW_NS, "SeverityNumber": 0, "ResourceAttributes": [], "LogAttributes": [], "_item": 0},
    **{"_items": 1, "_raw": b"", "record_time_ms": 0, "_topic": "logs", "_topic_id": "it's", "_partition": 0},
    "ResponseTimeMs": None,
}


class Table(Protocol):
    """A table as the suite uses it."""

    @property
    def revisions(self) -> RevisedTable: ...

    def add(self, rows: Rows) -> None:
        """Store rows as the service does."""


class InMemory:
    """MemoryRevisions."""

    def __init__(self) -> None:
        self.revisions: MemoryRevisions = MemoryRevisions()
        self.add = self.revisions.add


class InClickHouse:
    """A new table, created as by the service."""

    def __init__(self, engine: RunningEngine) -> None:
        self.settings = clickhouse_settings(engine, f"revised_{uuid.uuid4().hex[:12]}")
        ensure_table(self.settings)
        self.revisions = ClickHouseRevisions(self.settings, since_secs=3600, until_secs=None, timeout_secs=60)

    def add(self, rows: Rows) -> None:
        """See `Table`."""
        ClickHouseWriter(self.settings).insert(rows, uuid.uuid4().hex, NEVER_MS)

    def drop(self) -> None:
        """Delete it."""
        self.revisions.close()
        client = connect(self.settings, timeout_secs=30)
        client.command(f"DROP DATABASE {self.settings.database}")
        client.close()


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.stack)])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "memory":
        yield InMemory()
        return
    made = InClickHouse(request.getfixturevalue("engine"))
    yield made
    made.drop()


def row(offset: int, **columns: object) -> Rows:
    """A row; columns that are not given are empty."""
    given = {**DEFAULTS, "_offset": offset, **columns}
    return pa.record_batch([pa.array([given.get(f.name, "")], f.type) for f in SCHEMA], schema=SCHEMA)


def at(offset: int, partition: int = 0) -> Place:
    return Place("it's", partition, offset)


BAD = "json: not valid"


def test_rejected_rows_are_found_with_what_they_hold(table: Table) -> None:
    content = {"Body": "{ü", "_raw": b"{\xff", "LogAttributes": [("k", "v")], "ResourceAttributes": [("h", "w")]}
    table.add(concatenate([row(1), row(2, ParseError=BAD, ServiceName="s", **content), row(2, _partition=1)]))

    places = table.revisions.flagged(10)
    [found] = table.revisions.rows(places)

    assert places == [at(2)]
    assert (found.place, found.topic, found.item, found.items, found.problem) == (at(2), "logs", 0, 1, BAD)
    assert (found.service, found.body, found.raw, found.time_ms) == ("s", "{ü".encode(), b"{\xff", NOW_NS // 10**6)
    assert (found.attributes, found.resource) == ({"k": "v"}, {"h": "w"})
    assert table.revisions.flagged(0) == []


def test_all_rows_of_a_record_are_its_versions(table: Table) -> None:
    table.add(concatenate([row(1, _item=item, _items=2) for item in (0, 1)]))
    table.add(concatenate([row(1, _partition=1), row(2), row(3)]))

    found = table.revisions.versions([at(1), at(3)])

    assert sorted(found) == [Version(at(1), 0, 2, 0), Version(at(1), 1, 2, 0), Version(at(3), 0, 1, 0)]


def test_a_new_revision_is_the_highest(table: Table) -> None:
    table.revisions.store(row(1), 2**60)

    assert table.revisions.new_revision() > 2**60


def test_rows_are_stored_beside_the_old_ones_which_are_then_deleted(table: Table) -> None:
    table.add(concatenate([row(1, ParseError=BAD), row(2, ParseError=BAD)]))

    table.revisions.store(row(1, Body="understood"), 5)
    both = table.revisions.versions([at(1)])
    table.revisions.delete([Version(at(1), 0, 1, 0)])

    assert sorted(both) == [Version(at(1), 0, 1, 0), Version(at(1), 0, 1, 5)]
    assert table.revisions.versions([at(1)]) == [Version(at(1), 0, 1, 5)]
    assert table.revisions.flagged(10) == [at(2)]


def test_only_records_of_several_revisions_are_unfinished(table: Table) -> None:
    table.add(concatenate([row(1), row(2), row(3, _items=2), row(3, _item=1, _items=2)]))
    table.revisions.store(concatenate([row(2), row(3, _items=2), row(4)]), 5)
    table.revisions.delete([Version(at(3), 0, 2, 0)])

    assert table.revisions.unfinished() == [at(2)]


def test_nothing_was_removed_by_default(table: Table) -> None:
    table.add(row(1))

    assert table.revisions.removed([at(1)]) == set()


@pytest.mark.stack
def test_rows_that_are_noted_as_removed_are_known(engine: RunningEngine) -> None:
    """Only on the real engine: the fake is told so."""
    made = InClickHouse(engine)
    made.add(concatenate([row(1), row(2, _item=3, _items=4, UserId="u")]))
    removal = ClickHouseRemoval(made.settings, timeout_secs=30)
    removal.prepare()

    removal.note(OfUser("u"), NEVER_MS)

    assert made.revisions.removed([at(1), at(2)]) == {RemovedRow(at(2), 3, 4)}
    assert made.revisions.unfinished() == []
    made.revisions.store(row(2, _item=3, _items=4, UserId="u"), 1)
    made.revisions.delete([Version(at(2), 3, 4, 0)])
    assert made.revisions.unfinished() == [at(2)]  # a run was killed that had stored it anew meanwhile
    removal.close()
    made.drop()
