"""RevisedTable on ClickHouse: rejected rows, and the rows that are stored anew in their place."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, literal, translated_errors
from app.backends.clickhouse.rejected import time_conditions
from app.backends.clickhouse.removed import Removed
from app.backends.clickhouse.replicas import complete_reads, on_every_server
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.revisions import Place, RemovedRow, Version
from app.domain.rows import Rows
from app.maintenance.tables import FlaggedRow
from app.settings import ClickHouseSettings

_T = TypeVar("_T")

_PLACE: Final = "_topic_id, _partition, _offset"
_CONTENT: Final = (
    "_topic, _item, _items, ParseError, toUnixTimestamp64Milli(Timestamp), ServiceName, Body, _raw, LogAttributes,"
    " ResourceAttributes"
)

_LONG: Final[Mapping[str, object]] = {"max_query_size": 16 * 2**20}  # for the offsets of a batch, in the statement


class ClickHouseRevisions:
    """See `maintenance.tables.RevisedTable`. One thread at a time."""

    def __init__(
        self, settings: ClickHouseSettings, *, since_secs: int, until_secs: int | None, timeout_secs: float
    ) -> None:
        """Connect. Flagged rows are those with a Timestamp from `since_secs` to `until_secs` ago (None: no end).

        Raises:
            TryAgainLater: ClickHouse does not answer, or refuses the login.
        """
        self._table = f"`{settings.database}`.`{settings.table}`"
        self._everywhere = on_every_server(self._table, settings)
        self._removed = Removed(settings)
        self._reads = {**_LONG, **complete_reads(settings)}
        conditions, self._parameters = time_conditions(since_secs, until_secs)
        self._condition = " AND ".join(["ParseError != ''", *conditions])
        self._deadline_ms = int(settings.insert_deadline_secs * 1000)
        self._writer = ClickHouseWriter(settings)
        self._client: Client = connect(settings, timeout_secs=timeout_secs)

    def flagged(self, limit: int) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        sql = (
            f"SELECT {_PLACE} FROM {self._table} WHERE {self._condition} GROUP BY {_PLACE}"
            f" ORDER BY toDate(max(Timestamp)) DESC, {_PLACE} LIMIT {limit:d}"
        )
        return [Place(*row) for row in self._query("list rejected rows", sql, **self._parameters)]

    def unfinished(self) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        sql = (
            f"SELECT {_PLACE} FROM {self._table}"
            f" WHERE ({_PLACE}) IN (SELECT {_PLACE} FROM {self._table} WHERE _revision > 0)"
            f" GROUP BY {_PLACE} HAVING count() > uniqExact(_item) OR uniqExact(_items) > 1 ORDER BY {_PLACE}"
        )
        of_removed = (
            f"SELECT DISTINCT {_PLACE} FROM {self._table}"
            f" WHERE _revision > 0 AND ({_PLACE}) IN (SELECT {_PLACE} FROM {self._removed.name})"
        )
        found = [*self._query("look for rows that were stored anew", sql), *self._of_removed(of_removed)]
        return sorted({Place(*row) for row in found})

    def rows(self, places: Sequence[Place]) -> Sequence[FlaggedRow]:
        """See `maintenance.tables.RevisedTable`."""
        sql = f"SELECT {_PLACE}, {_CONTENT} FROM {self._table} WHERE {self._condition} AND ({_at(places)})"
        found = self._query("read rejected rows", sql, **self._parameters)
        return [FlaggedRow(Place(*row[:3]), *row[3:]) for row in found]

    def versions(self, places: Sequence[Place]) -> Sequence[Version]:
        """See `maintenance.tables.RevisedTable`."""
        # Of several servers one may not have the new rows yet, and each has the others: so each row once.
        sql = f"SELECT DISTINCT {_PLACE}, _item, _items, _revision FROM {self._everywhere} WHERE {_at(places)}"
        return [Version(Place(*row[:3]), *row[3:]) for row in self._query("look up stored rows", sql)]

    def removed(self, places: Sequence[Place]) -> Set[RemovedRow]:
        """See `maintenance.tables.RevisedTable`."""
        sql = f"SELECT DISTINCT {_PLACE}, _item, _items FROM {self._removed.name} WHERE {_at(places)}"
        return {RemovedRow(Place(*row[:3]), *row[3:]) for row in self._of_removed(sql)}

    def new_revision(self) -> int:
        """See `maintenance.tables.RevisedTable`. It is the time in microseconds, unless the clock was set back."""
        sql = f"SELECT greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), max(_revision) + 1) FROM {self._table}"
        return int(self._query("read the last revision", sql)[0][0])

    def store(self, rows: Rows, revision: int) -> None:
        """See `maintenance.tables.RevisedTable`. An insert that takes too long is refused by the table, and fails."""
        deadline_ms = self._writer.now_ms() + self._deadline_ms
        self._writer.insert_anew(rows, f"reprocess-{uuid.uuid4().hex}", deadline_ms, revision)

    def delete(self, rows: Sequence[Version]) -> None:
        """See `maintenance.tables.RevisedTable`."""
        exactly = (
            f"({condition} AND (_offset, _item, _items, _revision) IN ({found}))"
            for condition, group in _by_partition(rows, lambda row: row.place)
            for found in [", ".join(f"({row.place.offset:d}, {row[1]:d}, {row[2]:d}, {row[3]:d})" for row in group)]
        )
        with translated_errors("delete rows that were stored anew"):
            # By default it returns once the rows are gone, on all replicas.
            self._client.command(f"DELETE FROM {self._table} WHERE {' OR '.join(exactly)}", settings=dict(_LONG))

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _of_removed(self, sql: str) -> Sequence[Sequence[Any]]:
        doing = "look up what was removed"
        nothing: Sequence[Sequence[Any]] = ()
        return self._removed.if_it_exists(
            lambda: self._query(doing, sql), nothing, lambda query: self._query(doing, query)
        )

    def _query(self, doing: str, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        with translated_errors(doing):
            return self._client.query(
                sql, parameters=parameters, settings=self._reads, column_formats={"Body": "bytes", "_raw": "bytes"}
            ).result_rows


def _at(places: Sequence[Place]) -> str:
    """The condition for all rows of these records."""
    return " OR ".join(
        f"({condition} AND _offset IN ({', '.join(f'{place.offset:d}' for place in group)}))"
        for condition, group in _by_partition(places, lambda place: place)
    )


def _by_partition(things: Iterable[_T], place_of: Callable[[_T], Place]) -> Iterator[tuple[str, Iterable[_T]]]:
    """The things of each partition, with its condition."""
    ordered = sorted(things, key=place_of)
    for (topic_id, partition), group in groupby(ordered, lambda thing: place_of(thing)[:2]):
        yield f"_topic_id = {literal(topic_id)} AND _partition = {partition:d}", group
