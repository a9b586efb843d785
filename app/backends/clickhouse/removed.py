"""The positions of rows that were removed on purpose: a second table beside that of logs, which need not exist.

Recovery and the audit read it after the table of logs, in this order: a row is noted here before it is deleted there,
so between two queries it cannot be in neither.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import literal
from app.backends.clickhouse.replicas import on_every_server
from app.backends.clickhouse.schema import translated_schema_errors
from app.errors import TableMissing
from app.settings import ClickHouseSettings

_T = TypeVar("_T")

# Positions only: nothing of what the logs said, and not whose they were. What retention has removed is forgotten after
# as many days as the table keeps rows, when none of them would be kept anyhow, a week at a time; what was deleted on
# request is not, since Kafka or a backup may have its record for longer. Noting a row again does no harm.
_CREATE: Final = """
CREATE TABLE IF NOT EXISTS {removed}
(
    _topic_id LowCardinality(String) CODEC(ZSTD(1)),
    _partition UInt16 CODEC(T64, ZSTD(1)),
    _offset UInt64 CODEC(Delta(8), ZSTD(1)),
    _item UInt16 CODEC(ZSTD(1)),
    _items UInt16 CODEC(ZSTD(1)),
    reason LowCardinality(String) CODEC(ZSTD(1)),
    removed_at DateTime('UTC') DEFAULT now() CODEC(ZSTD(1))
)
ENGINE = {engine}
PARTITION BY (reason, toMonday(removed_at))
ORDER BY (_topic_id, _partition, _offset, _item, _items)
TTL toDate(removed_at) + toIntervalDay(if(reason = 'retention', {days} + 1, 36500))
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'positions of rows that were removed from {table} on purpose; without it they would be stored again'
"""


def removed_table(settings: ClickHouseSettings) -> str:
    """Its name, as SQL has it."""
    return f"`{settings.database}`.`{settings.table}_removed`"


def create_removed(settings: ClickHouseSettings, engine: str = "ReplacingMergeTree") -> str:
    """The statement that creates it."""
    return _CREATE.format(
        removed=removed_table(settings), engine=engine, days=settings.retention_days, table=settings.table
    ).strip()


def ensure_removed(client: Client, settings: ClickHouseSettings) -> None:
    """Create it if it is missing.

    Raises:
        TryAgainLater: ClickHouse does not allow it.
    """
    with translated_schema_errors(f"create the table {removed_table(settings)}"):
        client.command(create_removed(settings))


class Removed:
    """The table for whoever reads it after the table of logs. `name` is what to read: that of all servers."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self.name = on_every_server(removed_table(settings), settings)
        tables = on_every_server("system.tables", settings)
        database, table = literal(settings.database), literal(f"{settings.table}_removed")
        self._servers_with_it = (
            f"SELECT count() FROM {tables} WHERE database = {database} AND name = {table}" if settings.cluster else ""
        )

    def if_it_exists(
        self, read: Callable[[], _T], otherwise: _T, query: Callable[[str], Sequence[Sequence[Any]]]
    ) -> _T:
        """What `read` returns; `otherwise` if the table does not exist, so that nothing was ever removed.

        Raises:
            TableMissing: of several servers, which `query` asks, one has the table and another does not: what is
                removed would be stored again.
        """
        try:
            return read()
        except TableMissing:
            if self._servers_with_it and query(self._servers_with_it)[0][0]:
                raise
            return otherwise
