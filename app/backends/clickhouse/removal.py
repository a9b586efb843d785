"""RemovableRows on ClickHouse: notes the positions of rows in the second table, then deletes the rows."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, literal, translated_errors
from app.backends.clickhouse.removed import Removed, ensure_removed, removed_table
from app.backends.clickhouse.replicas import complete_reads, on_every_server
from app.backends.clickhouse.writer import ClickHouseWriter
from app.errors import TryAgainLater
from app.maintenance.removal import OfServices, OfUser, Selection
from app.settings import ClickHouseSettings

_REASON: Final = {OfUser: "request", OfServices: "retention"}
_IDENTITY: Final = "_topic_id, _partition, _offset, _item"
_MAPS: Final = ("LogAttributes", "ResourceAttributes")
_BY_DAY: Final = "toDate(Timestamp)"
_INGESTED: Final = "_ingested < fromUnixTimestamp64Milli("  # as ClickHouse writes it too
_LONG: Final[Mapping[str, object]] = {
    "max_query_size": 16 * 2**20,
    "max_partitions_per_insert_block": 0,
    # A response of success is sent when all is done, whatever the user's profile says.
    "wait_end_of_query": 1,
}


class ClickHouseRemoval:
    """See `maintenance.removal.RemovableRows`. One thread at a time."""

    def __init__(self, settings: ClickHouseSettings, *, timeout_secs: float) -> None:
        """Connect.

        Raises:
            TryAgainLater: ClickHouse does not answer, or refuses the login.
        """
        self._settings = settings
        self._table = f"`{settings.database}`.`{settings.table}`"
        # A deletion goes to all servers, so what any of them has must be noted; some rows twice, which does no harm.
        self._everywhere = on_every_server(self._table, settings)
        self._settings_of_query = {**_LONG, **complete_reads(settings)}
        self._removed = removed_table(settings)
        self._writer = ClickHouseWriter(settings)
        self._is_by_day = False
        self._client: Client = connect(settings, timeout_secs=timeout_secs)

    def prepare(self) -> None:
        """See `maintenance.removal.RemovableRows`."""
        found = self._query(
            "read the engine of the table",
            "SELECT engine, partition_key FROM system.tables"
            " WHERE database = {database:String} AND name = {table:String}",
            database=self._settings.database,
            table=self._settings.table,
        )
        self._is_by_day = any(key == _BY_DAY for _, key in found)
        if any(engine.startswith("Replicated") for engine, _ in found):
            on_all = Removed(self._settings).name
            doing = f"find {self._removed} on every server; `python -m app schema --cluster` prints how to create it"
            self._query(doing, f"SELECT count() FROM {on_all}")
        else:
            ensure_removed(self._client, self._settings)

    def now_ms(self) -> int:
        """See `maintenance.removal.RemovableRows`."""
        return self._writer.now_ms()

    def running(self) -> Sequence[str]:
        """See `maintenance.removal.RemovableRows`."""
        return sorted(self._writer.running())

    def count(self, selection: Selection, before_ms: int | None = None) -> int:
        """See `maintenance.removal.RemovableRows`."""
        condition = _condition(selection) if before_ms is None else _before(selection, before_ms)
        return int(self._query("count rows", f"SELECT count() FROM {self._table} WHERE {condition}")[0][0])

    def stored_by_day(self) -> Mapping[tuple[date, str], int]:
        """See `maintenance.removal.RemovableRows`."""
        # From the projection per_hour: a few rows for each service and hour.
        sql = (
            "SELECT toDate(hour), ServiceName, sum(n) FROM (SELECT toStartOfHour(Timestamp) AS hour, ServiceName,"
            f" count() AS n FROM {self._table} GROUP BY hour, ServiceName) GROUP BY 1, 2"
        )
        return {(day, service): count for day, service, count in self._query("count rows by day and service", sql)}

    def note(self, selection: Selection, before_ms: int) -> None:
        """See `maintenance.removal.RemovableRows`."""
        self._command(
            "note the positions of rows",
            f"INSERT INTO {self._removed} ({_IDENTITY}, _items, reason)"
            f" SELECT {_IDENTITY}, _items, '{_REASON[type(selection)]}'"
            f" FROM {self._everywhere} WHERE {_before(selection, before_ms)}",
        )

    def delete(self, selection: Selection, before_ms: int) -> None:
        """See `maintenance.removal.RemovableRows`."""
        # Not DELETE FROM, which only hides rows: of past days, which are no longer merged, they would stay on the disk,
        # and be in every backup. For the same reason those are erased that others have hidden (`reprocess`).
        where = f"WHERE {_before(selection, before_ms)}"
        actions = f"DELETE {where}, APPLY DELETED MASK"
        if isinstance(selection, OfServices):
            actions = f"DELETE IN PARTITION '{selection.day}' {where}" if self._is_by_day else f"DELETE {where}"
        # Not waited for here: writing parts anew may take longer than a connection lasts.
        self._command("delete rows", f"ALTER TABLE {self._table} {actions}", mutations_sync=0)

    def is_deleting(self) -> bool:
        """See `maintenance.removal.RemovableRows`."""
        sql = (
            f"SELECT latest_fail_reason FROM {on_every_server('system.mutations', self._settings)}"
            " WHERE database = {database:String} AND table = {table:String} AND NOT is_done"
            " AND startsWith(command, '(DELETE ') AND position(command, {mark:String}) > 0"
        )
        names = {"database": self._settings.database, "table": self._settings.table}
        found = self._query("list deletions that are not over", sql, mark=_INGESTED, **names)
        for (reason,) in found:
            if reason:
                raise TryAgainLater(f"ClickHouse cannot delete rows yet: {reason}", code="mutation")
        return bool(found)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _query(self, doing: str, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        with translated_errors(doing):
            return self._client.query(sql, parameters=parameters, settings=self._settings_of_query).result_rows

    def _command(self, doing: str, sql: str, **settings: object) -> None:
        with translated_errors(doing):
            self._client.command(sql, settings={**self._settings_of_query, **settings})


def _before(selection: Selection, before_ms: int) -> str:
    return f"({_condition(selection)}) AND {_INGESTED}{before_ms:d}, 'UTC')"


def _condition(selection: Selection) -> str:
    if isinstance(selection, OfUser):
        user = literal(selection.user)
        if not selection.with_mentions:
            return f"UserId = {user}"
        values = (f"arrayExists(value -> position(value, {user}) > 0, mapValues({name}))" for name in _MAPS)
        return " OR ".join([f"UserId = {user}", f"position(Body, {user}) > 0", f"position(_raw, {user}) > 0", *values])
    services = ", ".join(map(literal, selection.services))
    day = selection.day.isoformat()
    return (
        f"Timestamp >= toDateTime64('{day} 00:00:00', 9, 'UTC')"
        f" AND Timestamp < toDateTime64('{day} 00:00:00', 9, 'UTC') + INTERVAL 1 DAY AND ServiceName IN ({services})"
    )
