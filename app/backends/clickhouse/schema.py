"""The table: creates it from schema.sql when it is missing, and parses its definition."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, translated_errors
from app.errors import Refused, TryAgainLater
from app.paths import SCHEMA_FILE
from app.preflight.table_definition import TableDefinition, parse
from app.settings import ClickHouseSettings

_TIMEOUT_SECS: Final = 10.0
_DAYS: Final = re.compile(r"INTERVAL \d+ DAY DELETE")
_TABLE: Final = re.compile(r"\blogs\.logs\b")
# A semicolon in a text or in a comment does not end a statement.
_PIECE: Final = re.compile(r"(?P<text>'(?:[^'\\]|\\.)*')|(?P<comment>--[^\n]*)|(?P<end>;)|[^';-]+|.", re.DOTALL)


def statements(settings: ClickHouseSettings, sql: str | None = None) -> list[str]:
    """The statements of schema.sql, or of `sql`, for the database, table and retention in the settings."""
    text = SCHEMA_FILE.read_text(encoding="utf-8") if sql is None else sql
    return [_for_names(statement, settings) for statement in _split(text)]


def create_table(settings: ClickHouseSettings) -> str:
    """The statement of schema.sql that creates the table."""
    [statement] = [sql for sql in statements(settings) if sql.startswith("CREATE TABLE")]
    return statement


def definition_of(client: Client, statement: str) -> TableDefinition:
    """Parse a statement, after ClickHouse has put it into its canonical form."""
    [[formatted]] = client.query("SELECT formatQuery({sql:String})", parameters={"sql": statement}).result_rows
    return parse(formatted)


def ensure_table(settings: ClickHouseSettings) -> bool:
    """Create database and table if the table is missing; returns whether it was created.

    Raises:
        TryAgainLater: ClickHouse does not answer, or does not allow it.
    """
    with (
        closing(connect(settings, timeout_secs=_TIMEOUT_SECS)) as client,
        translated_schema_errors(f"create table {settings.database}.{settings.table}"),
    ):
        if client.command(f"EXISTS TABLE `{settings.database}`.`{settings.table}`"):
            return False
        for statement in statements(settings):
            client.command(statement)
        return True


@contextmanager
def translated_schema_errors(doing: str) -> Iterator[None]:
    """Translate ClickHouse's errors. A refusal here is not about rows: the server may be too old for the statement."""
    try:
        with translated_errors(doing):
            yield
    except Refused as error:
        raise TryAgainLater(str(error), code=error.code) from error


def _split(text: str) -> Iterator[str]:
    pieces: list[str] = []
    for piece in _PIECE.finditer(text):
        if piece["end"]:
            yield from _statement_of(pieces)
            pieces = []
        elif not piece["comment"]:
            pieces.append(piece[0])
    yield from _statement_of(pieces)


def _statement_of(pieces: list[str]) -> Iterator[str]:
    """The statement made of these pieces, without the lines that held only a comment."""
    lines = "".join(pieces).strip().splitlines()
    if lines:
        yield "\n".join(line.rstrip() for line in lines if line.strip())


def _for_names(statement: str, settings: ClickHouseSettings) -> str:
    statement = _TABLE.sub(f"`{settings.database}`.`{settings.table}`", statement)
    statement = statement.replace("DATABASE IF NOT EXISTS logs", f"DATABASE IF NOT EXISTS `{settings.database}`")
    return _DAYS.sub(f"INTERVAL {settings.retention_days} DAY DELETE", statement)
