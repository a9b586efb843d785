"""The table: made from schema.sql when it is missing."""

import re
from pathlib import Path
from typing import Final

from app.backends.clickhouse_client import connect, translated_errors
from app.errors import Refused, TryAgainLater
from app.settings import ClickHouseSettings

SCHEMA_FILE: Final = Path(__file__).resolve().parents[2] / "schema.sql"
_TIMEOUT_SECS: Final = 10.0
_DAYS = re.compile(r"INTERVAL \d+ DAY DELETE")


def statements(settings: ClickHouseSettings, sql: str | None = None) -> list[str]:
    """The statements of schema.sql, for the database, table and retention that are set."""
    text = SCHEMA_FILE.read_text(encoding="utf-8") if sql is None else sql
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    text = text.replace("EXISTS logs.logs\n", f"EXISTS `{settings.database}`.`{settings.table}`\n")
    text = text.replace("DATABASE IF NOT EXISTS logs;", f"DATABASE IF NOT EXISTS `{settings.database}`;")
    text = _DAYS.sub(f"INTERVAL {settings.retention_days} DAY DELETE", text)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def ensure_table(settings: ClickHouseSettings) -> bool:
    """Make database and table if the table is missing; returns whether it was made.

    Raises:
        TryAgainLater: ClickHouse does not answer, or does not allow it.
    """
    client = connect(settings, timeout_secs=_TIMEOUT_SECS)
    try:
        with translated_errors(f"create table {settings.database}.{settings.table}"):
            if client.command(f"EXISTS TABLE `{settings.database}`.`{settings.table}`"):
                return False
            for statement in statements(settings):
                client.command(statement)
            return True
    except Refused as error:  # a server too old for schema.sql may call it bad data
        raise TryAgainLater(str(error), code=error.code) from error
    finally:
        client.close()
