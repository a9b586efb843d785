"""Migrations on the real engine: samples, and a check that the project's migrations lead to schema.sql."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.migrations import Standing, materialize, migrate, number_in, read_migrations
from app.backends.clickhouse.probe import probe_clickhouse
from app.backends.clickhouse.schema import definition_of, ensure_table, statements
from app.errors import TryAgainLater
from app.paths import SCHEMA_FILE
from app.preflight.probes import Table
from app.preflight.table_definition import TableDefinition
from app.query.condition import condition_of
from app.query.tree import Words
from app.settings import ClickHouseSettings
from local.ports import LOOPBACK, free_port
from tests.e2e.pipeline import wait_until
from tests.faults.http_proxy import HttpProxy, deny_alter
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

FIRST_RELEASE = Path(__file__).parent / "schema_0.sql"
ACCESS_DENIED, READONLY = 497, 164

ADD_COLUMN = "-- A sample.\nALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS Extra String DEFAULT 'a;b';\n"
ADD_INDEX = """ALTER TABLE logs.logs
    ADD INDEX IF NOT EXISTS extra Extra TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE logs.logs MODIFY SETTING fsync_after_insert = 0;
"""
BROKEN = "ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS Third String; ALTER TABLE logs.logs ADD COLUMN;"


@dataclass
class World:
    """A new database, a folder for migrations, and the migrations reported as applied."""

    settings: ClickHouseSettings
    client: Client
    folder: Path
    applied: list[str]

    def has(self, **files: str) -> None:
        """Write these files to the folder; names without ending, with `m` in front because they begin with a digit."""
        for name, sql in files.items():
            (self.folder / f"{name.removeprefix('m')}.sql").write_text(sql)

    def migrate(self, **changes: object) -> Standing:
        return migrate(
            self.settings.model_copy(update=changes),
            on_applied=self.applied.append,
            folder=self.folder,
            timeout_secs=60,
        )

    def make_table(self, file: Path = FIRST_RELEASE) -> None:
        for statement in statements(self.settings, file.read_text(encoding="utf-8")):
            self.client.command(statement)

    def alter(self, what: str) -> None:
        self.client.command(f"ALTER TABLE {self.settings.database}.{self.settings.table} {what}")

    def of_table(self, column: str) -> Any:
        [[found]] = self.client.query(
            f"SELECT {column} FROM system.tables"
            f" WHERE database = '{self.settings.database}' AND name = '{self.settings.table}'"
        ).result_rows
        return found

    def definition(self) -> TableDefinition:
        return definition_of(self.client, self.of_table("create_table_query"))

    def answers(self, sql: str) -> list[Any]:
        sql = sql.replace("{database}", self.settings.database).replace("{table}", self.settings.table)
        return [row[0] for row in self.client.query(sql).result_rows]


@pytest.fixture
def new_world(engine: RunningEngine, tmp_path: Path) -> Iterator[Callable[[], World]]:
    worlds: list[World] = []

    def make() -> World:
        settings = clickhouse_settings(engine, f"migrations_{uuid.uuid4().hex[:12]}", table="events")
        worlds.append(World(settings, connect(settings, timeout_secs=60), tmp_path, []))
        return worlds[-1]

    yield make
    for world in worlds:
        world.client.command(f"DROP DATABASE IF EXISTS {world.settings.database}")
        world.client.close()


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()


@pytest.fixture
def proxy(engine: RunningEngine) -> Iterator[HttpProxy]:
    """A proxy that simulates permissions, which the local engine does not have."""
    made = HttpProxy(int(engine.url.rsplit(":", 1)[1]))
    yield made
    made.listener.shut()


def test_the_first_release_and_all_migrations_are_the_schema(new_world: Callable[[], World]) -> None:
    """Also when they are applied again, as by an instance that was interrupted before it set the number."""
    migrated, born = new_world(), new_world()
    migrated.make_table(FIRST_RELEASE)
    born.make_table(SCHEMA_FILE)

    for _ in range(2):
        migrate(migrated.settings, on_applied=migrated.applied.append)

        assert migrated.definition() == born.definition()
        assert number_in(migrated.of_table("comment")) == number_in(born.of_table("comment"))
        migrated.alter("MODIFY COMMENT ''")
    assert migrated.applied == [migration.name for migration in read_migrations()] * 2


def test_a_word_in_old_rows_is_looked_up_in_indexes_after_the_migrations(world: World) -> None:
    world.make_table()
    table = f"{world.settings.database}.{world.settings.table}"
    world.client.command(
        f"INSERT INTO {table} (Timestamp, Body)"
        " SELECT now64(9), if(number = 5000, 'rare', 'common') FROM numbers(10000)"
    )

    migrate(world.settings, on_applied=world.applied.append)

    running = f"SELECT count() FROM system.mutations WHERE database = '{world.settings.database}' AND NOT is_done"
    wait_until(lambda: world.answers(running) == [0], "the mutation")
    condition = condition_of(Words("rare"))
    assert [*condition.parameters.values()] == [["rare"]]
    where = condition.sql.replace("{query_0:Array(String)}", "['rare']")
    plan = "\n".join(world.answers(f"EXPLAIN indexes = 1 SELECT Body FROM {table} WHERE {where}"))
    assert re.findall(r"Granules: (\d+/\d+)", plan)[-1] == "1/5"
    assert world.answers(f"SELECT count() FROM {table} WHERE {where}") == [1]


def test_nothing_is_applied_to_a_table_that_the_service_has_made(world: World) -> None:
    ensure_table(world.settings)

    standing = migrate(world.settings, on_applied=world.applied.append)

    assert standing == Standing(len(read_migrations()), len(read_migrations()))
    assert world.applied == []


def test_a_table_without_a_number_gets_all_migrations_in_order_and_then_none(world: World) -> None:
    world.make_table()
    world.has(m0002_add_index=ADD_INDEX, m0001_add_column=ADD_COLUMN)

    first, again = world.migrate(), world.migrate()

    assert (first, again) == (Standing(2, 2), Standing(2, 2))
    assert world.applied == ["0001_add_column", "0002_add_index"]
    definition = world.definition()
    assert definition.columns["Extra"].default == "'a;b'"
    assert "extra" in definition.indexes
    assert definition.settings["fsync_after_insert"] == "0"
    assert world.of_table("comment") == "schema 2"


def test_only_what_is_missing_is_applied_and_the_operators_words_stay(world: World) -> None:
    world.make_table()
    world.has(m0001_add_column=ADD_COLUMN)
    world.migrate()
    world.alter(r"MODIFY COMMENT 'schema 1; the team\'s, see C:\\logs'")
    world.has(m0002_add_index=ADD_INDEX)

    world.migrate()

    assert world.applied == ["0001_add_column", "0002_add_index"]
    assert world.of_table("comment") == r"schema 2; the team's, see C:\logs"


def test_a_migration_that_failed_half_way_is_repeated_and_what_was_before_it_is_not(world: World) -> None:
    world.make_table()
    world.has(m0001_add_column=ADD_COLUMN, m0002_add_third=BROKEN)

    with pytest.raises(TryAgainLater, match=r"cannot apply 0002_add_third to migrations_\w+\.events: error 62"):
        world.migrate()
    comment_between = world.of_table("comment")
    world.has(m0002_add_third=BROKEN.partition(";")[0])
    world.migrate()

    assert comment_between == "schema 1"
    assert world.applied == ["0001_add_column", "0002_add_third"]
    assert "Third" in world.definition().columns


def test_several_instances_at_the_same_time_do_no_harm(world: World) -> None:
    world.make_table()
    world.has(m0001_add_column=ADD_COLUMN, m0002_add_index=ADD_INDEX)

    with ThreadPoolExecutor(4) as pool:
        standings = list(pool.map(lambda _: world.migrate(), range(4)))

    assert set(standings) == {Standing(2, 2)}
    world.migrate()  # a slow instance may have set the first number last
    assert world.of_table("comment") == "schema 2"
    assert {"Extra"} < world.definition().columns.keys()


def test_a_table_that_is_newer_is_left_as_it_is(world: World) -> None:
    world.make_table()
    world.alter("MODIFY COMMENT 'schema 7'")
    world.has(m0001_add_column=ADD_COLUMN)

    standing = world.migrate()

    assert (standing, standing.is_newer, world.applied) == (Standing(7, 1), True, [])
    assert world.of_table("comment") == "schema 7"


def test_a_missing_table_is_reported(world: World) -> None:
    with pytest.raises(TryAgainLater, match=r"events does not exist, or user \w+ may not see it"):
        world.migrate()


def test_an_unavailable_clickhouse_is_retried_later(world: World) -> None:
    with pytest.raises(TryAgainLater) as raised:
        world.migrate(url=f"http://{LOOPBACK}:{free_port()}")

    assert raised.value.code == "unreachable"


@pytest.mark.parametrize("code", [ACCESS_DENIED, READONLY])
def test_a_user_without_the_right_to_alter_the_table_gets_advice(world: World, proxy: HttpProxy, code: int) -> None:
    world.make_table()
    world.has(m0001_add_column=ADD_COLUMN)
    proxy.treat_all = deny_alter(code)

    with pytest.raises(TryAgainLater) as raised:
        world.migrate(url=f"http://{LOOPBACK}:{proxy.listener.port}")

    assert raised.value.code == str(code)
    assert str(raised.value).startswith(
        f"table {world.settings.database}.events needs 0001_add_column, and user default may not alter it:"
        " run `python -m app migrate` with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD of a user who may, or GRANT ALTER"
    )
    assert (world.applied, world.of_table("comment")) == ([], "")


def test_the_right_to_alter_a_table_is_not_needed_without_migrations(world: World, proxy: HttpProxy) -> None:
    world.make_table()
    proxy.treat_all = deny_alter(ACCESS_DENIED)

    assert world.migrate(url=f"http://{LOOPBACK}:{proxy.listener.port}") == Standing(0, 0)


def test_the_preflight_check_lists_missing_migrations_and_checks_the_right_to_apply_them(world: World) -> None:
    world.make_table()
    world.has(m0001_add_column=ADD_COLUMN, m0002_add_index=ADD_INDEX)
    alter = f"ALTER TABLE ON {world.settings.database}.events"

    before = probe_clickhouse(world.settings, migrations=world.folder)
    world.migrate()
    after = probe_clickhouse(world.settings, migrations=world.folder)

    assert before.migrations == after.migrations == ["0001_add_column", "0002_add_index"]
    assert isinstance(before.table, Table)
    assert isinstance(after.table, Table)
    assert (before.table.migration_count, after.table.migration_count) == (0, 2)
    assert isinstance(before.privileges, dict)
    assert isinstance(after.privileges, dict)
    assert (before.privileges.get(alter), after.privileges.get(alter)) == (True, None)


def test_building_for_old_rows_goes_on_in_the_background(world: World) -> None:
    world.make_table(SCHEMA_FILE)
    table = f"{world.settings.database}.events"
    world.client.command(f"INSERT INTO {table} (Timestamp, TraceId) VALUES (now(), 'a')")
    world.client.command(f"SYSTEM STOP MERGES {table}")  # nor are there mutations then

    materialize(world.settings, timeout_secs=5)

    of_table = "WHERE database = '{database}' AND table = '{table}' AND NOT is_done"
    assert world.answers(f"SELECT count() > 0 FROM system.mutations {of_table}") == [1]


def test_indexes_and_projections_are_built_for_old_rows_on_request(world: World) -> None:
    world.make_table(SCHEMA_FILE)
    wanted = world.definition()
    world.alter("DROP INDEX trace_id, DROP PROJECTION ledger, DROP INDEX user_id")
    world.client.command(
        f"INSERT INTO {world.settings.database}.events (Timestamp, TraceId, _offset)"
        " SELECT now(), toString(number), number FROM numbers(10)"
    )
    world.alter(f"ADD {wanted.indexes['trace_id']}")
    world.alter(f"ADD {wanted.projections['ledger']}")

    names = materialize(world.settings, timeout_secs=60)

    assert set(names) == (wanted.indexes.keys() | wanted.projections.keys()) - {"user_id"}
    of_table = "WHERE database = '{database}' AND table = '{table}'"
    assert world.answers(f"SELECT count() FROM system.mutations {of_table}") != [0]
    wait_until(
        lambda: world.answers(f"SELECT count() FROM system.mutations {of_table} AND NOT is_done") == [0],
        "the mutation is done",
    )
    built = world.answers(f"SELECT DISTINCT name FROM system.projection_parts {of_table} AND active")
    assert set(built) == wanted.projections.keys()
    sizes = f"SELECT data_compressed_bytes > 0 FROM system.data_skipping_indices {of_table} AND name = 'trace_id'"
    assert world.answers(sizes) == [1]
