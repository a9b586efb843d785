"""Migrates an existing table to the schema of this version, with the files of migrations/ that it has not had.

The table's comment holds the number of the last one applied, as "schema 3", beside anything that an operator has
written there. Every migration is idempotent. So no lock is needed: two instances that migrate at the same time do no
harm, nor does one that is interrupted between a migration and its number.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from app.backends.clickhouse.client import connect, literal
from app.backends.clickhouse.schema import create_table, definition_of, statements, translated_schema_errors
from app.errors import TryAgainLater
from app.paths import MIGRATIONS_FOLDER
from app.settings import ClickHouseSettings

# For one statement at the service's start, where several of them must not look like a stuck loop.
_TIMEOUT_SECS: Final = 10.0

_FILE: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_NUMBER: Final = re.compile(r"(?:^|(?<=; )|(?<=\n))schema (\d+)(?=;|\n|$)")

_NOT_ALLOWED: Final = frozenset({"164", "497"})  # READONLY, ACCESS_DENIED
_NO_TABLE: Final = "60"  # UNKNOWN_TABLE


class Migration(Struct, frozen=True):
    """One file: `name` is its name without the ending, `sql` its statements, for `logs.logs`."""

    number: int
    name: str
    sql: str


class Standing(Struct, frozen=True):
    """The number of the last migration that a table has had, and of the last one of this version of the service."""

    number: int
    last: int

    @property
    def is_newer(self) -> bool:
        """Whether a later version of the service has changed the table."""
        return self.number > self.last


def read_migrations(folder: Path = MIGRATIONS_FOLDER) -> list[Migration]:
    """All migrations in order.

    Raises:
        ValueError: a file has no name like 0001_what_it_does.sql, or a number is missing or occurs twice.
    """
    found: list[Migration] = []
    for file in sorted(folder.glob("*.sql")):
        name = _FILE.fullmatch(file.name)
        if name is None or int(name[1]) != len(found) + 1:
            raise ValueError(f"{file.name} should be {len(found) + 1:04}_what_it_does.sql")
        found.append(Migration(int(name[1]), file.stem, file.read_text(encoding="utf-8")))
    return found


def number_in(comment: str) -> int:
    """The number of the last migration that a table has had, from its comment; 0 if it names none."""
    found = _NUMBER.search(comment)
    return int(found[1]) if found else 0


def with_number(comment: str, number: int) -> str:
    """The comment with this number; the rest of it stays as it is."""
    label = f"schema {number}"
    if _NUMBER.search(comment):
        return _NUMBER.sub(label, comment, count=1)
    return f"{comment}; {label}" if comment else label


def migrate(
    settings: ClickHouseSettings,
    *,
    on_applied: Callable[[str], Any],
    folder: Path = MIGRATIONS_FOLDER,
    timeout_secs: float = _TIMEOUT_SECS,
) -> Standing:
    """Apply the migrations that the table has not had, in order; call `on_applied` with the name of each one applied.

    `timeout_secs` is for one statement; one that takes longer may still be carried out.

    Raises:
        TryAgainLater: ClickHouse does not answer, there is no table, or our user may not alter it. The number of each
            migration that was applied is kept.
    """
    known = read_migrations(folder)
    table = f"{settings.database}.{settings.table}"
    with closing(connect(settings, timeout_secs=timeout_secs)) as client:
        with translated_schema_errors(f"read the comment of {table}"):
            number = number_in(_comment(client, settings))
        for migration in known[number:]:
            with (
                _explained_rights(settings, migration.name),
                translated_schema_errors(f"apply {migration.name} to {table}"),
            ):
                for statement in statements(settings, migration.sql):
                    client.command(statement)
                _set_number(client, settings, migration.number)
            on_applied(migration.name)
    return Standing(max(number, len(known)), len(known))


def materialize(settings: ClickHouseSettings, *, timeout_secs: float = _TIMEOUT_SECS) -> Sequence[str]:
    """Have ClickHouse build the indexes and projections of schema.sql for old rows too; returns their names.

    This is a mutation: it runs in the background, and may take hours. Those that the table lacks are left out.

    Raises:
        TryAgainLater: ClickHouse does not answer, there is no table, or our user may not alter it.
    """
    table = f"{settings.database}.{settings.table}"
    with (
        closing(connect(settings, timeout_secs=timeout_secs)) as client,
        _explained_rights(settings, "MATERIALIZE INDEX and MATERIALIZE PROJECTION"),
        translated_schema_errors(f"build indexes and projections of {table}"),
    ):
        wanted = definition_of(client, create_table(settings))
        found = definition_of(client, _of_table("create_table_query", client, settings))
        indexes = [name for name in wanted.indexes if name in found.indexes]
        projections = [name for name in wanted.projections if name in found.projections]
        # In one statement, so that ClickHouse goes through the parts once.
        parts = [f"MATERIALIZE INDEX `{name}`" for name in indexes]
        parts += [f"MATERIALIZE PROJECTION `{name}`" for name in projections]
        if parts:
            statement = f"ALTER TABLE `{settings.database}`.`{settings.table}` {', '.join(parts)}"
            client.command(statement, settings={"mutations_sync": 0})  # recent releases would wait for the end
    return [*indexes, *projections]


def _set_number(client: Client, settings: ClickHouseSettings, number: int) -> None:
    # Read again, because an operator or another instance may have changed it meanwhile. If one does so between our two
    # statements, its number may be lost: then the next instance that starts repeats its migration.
    comment = _comment(client, settings)
    if number_in(comment) < number:
        text = literal(with_number(comment, number))
        client.command(f"ALTER TABLE `{settings.database}`.`{settings.table}` MODIFY COMMENT {text}")


def _comment(client: Client, settings: ClickHouseSettings) -> str:
    return _of_table("comment", client, settings)


def _of_table(column: str, client: Client, settings: ClickHouseSettings) -> str:
    rows = client.query(
        f"SELECT {column} FROM system.tables WHERE database = {{database:String}} AND name = {{table:String}}",
        parameters={"database": settings.database, "table": settings.table},
    ).result_rows
    if not rows:
        reason = f"table {settings.database}.{settings.table} does not exist, or user {settings.user} may not see it"
        raise TryAgainLater(reason, code=_NO_TABLE)
    return str(rows[0][0])


@contextmanager
def _explained_rights(settings: ClickHouseSettings, change: str) -> Iterator[None]:
    """If our user may not alter the table, raise an error that says what to do."""
    try:
        yield
    except TryAgainLater as error:
        if error.code not in _NOT_ALLOWED:
            raise
        table = f"{settings.database}.{settings.table}"
        raise TryAgainLater(
            f"table {table} needs {change}, and user {settings.user} may not alter it: run `python -m app migrate` with"
            f" CLICKHOUSE_USER and CLICKHOUSE_PASSWORD of a user who may, or GRANT ALTER TABLE ON {table} TO"
            f" {settings.user} ({error})",
            code=error.code,
        ) from error
