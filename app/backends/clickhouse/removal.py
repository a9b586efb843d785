"""RemovableRows on ClickHouse: notes the positions of rows in the second table, then deletes the rows."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, literal, translated_errors
from app.backends.clickhouse.removed import Removed, ensure_removed, removed_table
from app.backends.clickhouse.replicas import complete_reads, on_every_server
from app.backends.clickhouse.writer import ClickHouseWriter
from app.maintenance.removal import OfServices, OfUser, Selection
from app.settings import ClickHouseSettings

_REASON: Final = {OfUser: "request", OfServices: "retention"}
_IDENTITY: Final = "_topic_id, _partition, _offset, _item"
_LONG: Final[Mapping[str, object]] = {
    "max_query_size": 16 * 2**20,
    "max_partitions_per_insert_block": 0,
    # A response of success is sent when all is done, whatever the user's profile says.
    "wait_end_of_query": 1,
    "mutations_sync": 2,
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
        self._client: Client = connect(settings, timeout_secs=timeout_secs)

    def prepare(self) -> None:
        """See `maintenance.removal.RemovableRows`."""
        found = self._query(
            "read the engine of the table",
            "SELECT engine FROM system.tables WHERE database = {database:String} AND name = {table:String}",
            database=self._settings.database,
            table=self._settings.table,
        )
        if any(engine.startswith("Replicated") for (engine,) in found):
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
        return int(self._query("count rows", f"SELECT count() {self._from(selection, before_ms)}")[0][0])

    def days(self, before: date) -> Sequence[tuple[date, str, int]]:
        """See `maintenance.removal.RemovableRows`."""
        # From the projection per_hour: a few rows for each service and hour.
        day = "toDate(toStartOfHour(Timestamp))"
        sql = (
            f"SELECT {day} AS day, ServiceName, count() FROM {self._table}"
            f" WHERE toStartOfHour(Timestamp) < toDateTime('{before.isoformat()} 00:00:00', 'UTC')"
            " GROUP BY toStartOfHour(Timestamp), ServiceName ORDER BY day, ServiceName"
        )
        counts: dict[tuple[date, str], int] = {}
        for day_of, service, count in self._query("count rows by day and service", sql):
            counts[day_of, service] = counts.get((day_of, service), 0) + count
        return [(day_of, service, count) for (day_of, service), count in counts.items()]

    def note(self, selection: Selection, before_ms: int) -> None:
        """See `maintenance.removal.RemovableRows`."""
        self._command(
            "note the positions of rows",
            f"INSERT INTO {self._removed} ({_IDENTITY}, _items, _day, reason)"
            f" SELECT {_IDENTITY}, _items, toDate(Timestamp), '{_REASON[type(selection)]}'"
            f" {self._from(selection, before_ms, self._everywhere)}",
        )

    def delete(self, selection: Selection, before_ms: int) -> None:
        """See `maintenance.removal.RemovableRows`."""
        # Not DELETE FROM, which only hides rows: of past days, which are no longer merged, they would stay on the disk,
        # and be in every backup. For the same reason those are erased that others have hidden (`reprocess`).
        condition = self._condition(selection, before_ms)
        self._command("delete rows", f"ALTER TABLE {self._table} DELETE WHERE {condition}, APPLY DELETED MASK")

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _from(self, selection: Selection, before_ms: int | None, table: str = "") -> str:
        return f"FROM {table or self._table} WHERE {self._condition(selection, before_ms)}"

    @staticmethod
    def _condition(selection: Selection, before_ms: int | None) -> str:
        condition = _condition(selection)
        if before_ms is None:
            return condition
        return f"({condition}) AND _ingested < fromUnixTimestamp64Milli({before_ms:d}, 'UTC')"

    def _query(self, doing: str, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        with translated_errors(doing):
            return self._client.query(sql, parameters=parameters, settings=self._settings_of_query).result_rows

    def _command(self, doing: str, sql: str) -> None:
        with translated_errors(doing):
            self._client.command(sql, settings=self._settings_of_query)


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


_MAPS: Final = ("LogAttributes", "ResourceAttributes")
