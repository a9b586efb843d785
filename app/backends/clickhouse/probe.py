"""Probes ClickHouse for the preflight check. Read-only; the server parses schema.sql and does not run it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, translated_errors
from app.backends.clickhouse.migrations import number_in, read_migrations
from app.backends.clickhouse.removed import Removed, removed_table
from app.backends.clickhouse.replicas import complete_reads, on_every_server
from app.backends.clickhouse.schema import create_table, definition_of
from app.backends.clickhouse.writer import INSERT_SETTINGS, SERVER_NOW_MS
from app.errors import Refused, TryAgainLater
from app.paths import MIGRATIONS_FOLDER
from app.preflight.probes import ClickHouseProbe, Servers, Table, Unknown, UserSetting
from app.settings import ClickHouseSettings

_Value = TypeVar("_Value")

_TIMEOUT_SECS: Final = 10.0
_WINDOWS: Final = (
    ("system.merge_tree_settings", "non_replicated_deduplication_window"),
    ("system.replicated_merge_tree_settings", "replicated_deduplication_window"),
)


def probe_clickhouse(
    settings: ClickHouseSettings, *, is_only_read: bool = False, migrations: Path = MIGRATIONS_FOLDER
) -> ClickHouseProbe:
    """The probe of ClickHouse; values that cannot be read are `Unknown`. `migrations` is the folder of their files.

    If the table `is_only_read`, the user needs only the privilege to read it.

    Raises:
        TryAgainLater: ClickHouse does not answer at all, or refuses the login.
    """
    with closing(connect(settings, timeout_secs=_TIMEOUT_SECS)) as client:
        table = _read("look up the table", lambda: _table(client, settings))
        names = [migration.name for migration in read_migrations(migrations)]
        needs_alter = isinstance(table, Table) and table.migration_count < len(names)
        return ClickHouseProbe(
            version=client.server_version or "",
            clock_ahead_secs=_read("read its clock", lambda: _clock_ahead_secs(client)),
            table=table,
            wanted=_read("parse schema.sql", lambda: definition_of(client, create_table(settings))),
            privileges=_read(
                "read our privileges",
                lambda: (
                    _held(client, [_select_on(settings)])
                    if is_only_read
                    else _privileges(client, settings, is_table_missing=table is None, needs_alter=needs_alter)
                ),
            ),
            insert_settings=_read("read our settings", lambda: _insert_settings(client)),
            table_defaults=_table_defaults(client),
            migrations=names,
            servers=_servers(client, settings) if settings.cluster else None,
            removed=None if is_only_read else _removed(client, settings),
            privileges_to_remove=_read(
                "read our privileges to remove rows", lambda: {} if is_only_read else _to_remove(client, settings)
            ),
        )


def _read(doing: str, read: Callable[[], _Value]) -> _Value | Unknown:
    """The result of `read`, or why there is none."""
    try:
        with translated_errors(doing):
            return read()
    except (TryAgainLater, Refused) as error:
        return Unknown(str(error))


def _clock_ahead_secs(client: Client) -> float:
    sent_at = time.time()
    [[server_ms]] = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows
    return server_ms / 1000 - (sent_at + time.time()) / 2


def _servers(client: Client, settings: ClickHouseSettings) -> Servers | Unknown:
    """All servers of the cluster; why it is unknown names the clusters that there are."""
    servers = on_every_server("system.one", settings)
    sql = f"SELECT count(), max({SERVER_NOW_MS}) - min({SERVER_NOW_MS}) FROM {servers}"
    found = _read("ask all servers", lambda: client.query(sql, settings=dict(complete_reads(settings))).result_rows[0])
    if isinstance(found, Unknown):
        names = _read("list clusters", lambda: client.query("SELECT DISTINCT cluster FROM system.clusters").result_rows)
        known = "unknown" if isinstance(names, Unknown) else ", ".join(name for [name] in names) or "none"
        return Unknown(f"{found.reason} (clusters: {known})")
    count, apart_ms = found
    return Servers(count, apart_ms / 1000)


def _table(client: Client, settings: ClickHouseSettings) -> Table | None:
    rows = client.query(
        "SELECT engine, create_table_query, comment,"
        " arrayMap((database, view) -> database || '.' || view, dependencies_database, dependencies_table)"
        " FROM system.tables WHERE database = {database:String} AND name = {table:String}",
        parameters={"database": settings.database, "table": settings.table},
    ).result_rows
    if not rows:
        return None
    [[engine, statement, comment, views]] = rows
    definition = _read("parse the table's definition", lambda: definition_of(client, statement))
    return Table(engine, definition, views, migration_count=number_in(comment))


def _removed(client: Client, settings: ClickHouseSettings) -> bool | Unknown | None:
    """Read as recovery does. Who may not read the table may not see it in the list of tables either."""
    removed, doing = Removed(settings), "read the positions of removed rows"

    def query(sql: str) -> Sequence[Sequence[Any]]:
        with translated_errors(doing):
            return client.query(sql, settings=dict(complete_reads(settings))).result_rows

    def read() -> bool:
        query(f"SELECT max(_offset) FROM {removed.name}")
        return True

    return _read(doing, lambda: removed.if_it_exists(read, None, query))


def _privileges(
    client: Client, settings: ClickHouseSettings, *, is_table_missing: bool, needs_alter: bool
) -> Mapping[str, bool]:
    table = f"`{settings.database}`.`{settings.table}`"
    needed = [_select_on(settings), f"INSERT ON {table}"]
    if settings.cluster:
        needed.append("READ ON REMOTE")  # to ask all of its servers
    if needs_alter:
        needed.append(f"ALTER TABLE ON {table}")
    if is_table_missing:
        needed.append(f"CREATE TABLE ON {table}")
        if not client.command(f"EXISTS DATABASE `{settings.database}`"):
            needed.append(f"CREATE DATABASE ON `{settings.database}`.*")
    return _held(client, needed)


def _to_remove(client: Client, settings: ClickHouseSettings) -> Mapping[str, bool]:
    removed = removed_table(settings)
    needed = [f"ALTER DELETE ON `{settings.database}`.`{settings.table}`", "SELECT ON system.mutations"]
    needed += [f"{privilege} ON {removed}" for privilege in ("SELECT", "INSERT", "CREATE TABLE")]
    return _held(client, needed)


def _select_on(settings: ClickHouseSettings) -> str:
    return f"SELECT ON `{settings.database}`.`{settings.table}`"


def _held(client: Client, privileges: Sequence[str]) -> Mapping[str, bool]:
    return {privilege.replace("`", ""): bool(client.command(f"CHECK GRANT {privilege}")) for privilege in privileges}


def _insert_settings(client: Client) -> Mapping[str, UserSetting | None]:
    rows = client.query(
        "SELECT name, value, readonly, min, max FROM system.settings WHERE name IN {names:Array(String)}",
        parameters={"names": list(INSERT_SETTINGS)},
    ).result_rows
    found = {name: rest for name, *rest in rows}
    return {
        name: UserSetting(str(wanted), *found[name]) if name in found else None
        for name, wanted in INSERT_SETTINGS.items()
    }


def _table_defaults(client: Client) -> Mapping[str, str]:
    """The server's default deduplication windows, for tables that set none; those that cannot be read are left out."""
    windows = {name: _read(f"read {name}", partial(_default, client, source, name)) for source, name in _WINDOWS}
    return {name: window for name, window in windows.items() if isinstance(window, str)}


def _default(client: Client, source: str, name: str) -> str | None:
    rows = client.query(
        f"SELECT value FROM {source} WHERE name = {{name:String}}", parameters={"name": name}
    ).result_rows
    return rows[0][0] if rows else None
