"""Ledger on ClickHouse: reads the projection `ledger` where possible, else rows."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, translated_errors
from app.backends.clickhouse.removed import Removed
from app.backends.clickhouse.replicas import complete_reads, on_every_server
from app.domain.offsets import BUCKET_OFFSETS, Bucket, Run, Span
from app.domain.reader import REST_ITEM
from app.settings import ClickHouseSettings

_T = TypeVar("_T")

_BUCKET: Final = f"intDiv(_offset, {BUCKET_OFFSETS})"  # the expression of the projection
_SUMS: Final = f"{_BUCKET}, count(), min(_offset), max(_offset), sum(_offset), sum(_offset * _offset)"
_MINE: Final = "_topic_id = {topic_id:String} AND _partition = {partition:UInt16}"

# The rows of each offset; of several servers, as each of them has it.
_OFFSETS: Final = """
SELECT
    _offset AS offset,
    countIf(is_there) AS row_count,
    countIf(ParseError != '') AS unparsed,
    uniqExact(_item) AS items,
    uniqExactIf((_item, _revision), is_there) AS versions,
    row_count - versions AS surplus,
    greatest(versions - uniqExactIf(_item, is_there), max(_revision) > 0 AND uniqExact(_items) > 1) AS superseded,
    max(_item) AS last,
    if(last = {rest}, argMax(_items, _item), greatest(max(_items), last + 1)) AS wanted,
    greatest(toInt64(wanted) - toInt64(items), 0) AS absent
FROM ({rows})
GROUP BY _offset{and_server}
"""

# One of the servers has all of an offset that is complete: an insert is stored by one server, a day's rows at a time.
# (A record over several days whose parts are on different servers counts as incomplete until they have exchanged them.)
_FULLEST: Final = "SELECT * FROM ({offsets}) ORDER BY items DESC, row_count DESC LIMIT 1 BY offset"

# One row for each run of consecutive offsets that are all correct, or all wrong in the same way.
_RUNS: Final = """
SELECT
    min(offset), max(offset) + 1, sum(row_count), sum(unparsed), sum(surplus), sum(absent), sum(superseded),
    countIf(row_count = 0)
FROM
(
    SELECT
        *,
        offset - row_number() OVER (PARTITION BY surplus > 0, absent > 0, superseded > 0 ORDER BY offset) AS run_id
    FROM ({offsets})
)
GROUP BY surplus > 0, absent > 0, superseded > 0, run_id
ORDER BY 1
"""
_SPAN: Final = f"{_MINE} AND _offset >= {{first:UInt64}} AND _offset < {{next:UInt64}}"
_ROWS: Final = "SELECT _offset, _item, _items, _revision, ParseError, true AS is_there"
_REMOVED_ROWS: Final = "SELECT _offset, _item, _items, 0, '', false"


class ClickHouseLedger:
    """The offsets that one table holds. See `ports.Ledger`. One thread at a time."""

    def __init__(
        self, settings: ClickHouseSettings, *, timeout_secs: float, query_settings: Mapping[str, object] | None = None
    ) -> None:
        """Connect. No query runs longer than `timeout_secs`; `query_settings` are ClickHouse settings of each query.

        Raises:
            TryAgainLater: ClickHouse does not answer, or refuses the login.
        """
        self._table = on_every_server(f"`{settings.database}`.`{settings.table}`", settings)
        self._removed = Removed(settings)
        self._once = f"SELECT DISTINCT _partition, _offset, _item FROM {self._removed.name}"
        if not settings.cluster:  # FINAL merges by the order of the table: millions of positions take no memory
            self._once = f"SELECT _partition, _offset, _item FROM {self._removed.name} FINAL"
        # The audit may connect to a server that does not have the newest rows yet, so it asks all, each for itself.
        self._and_server = ", _shard_num" if settings.cluster else ""
        self._settings = {"max_execution_time": timeout_secs, **complete_reads(settings), **(query_settings or {})}
        self._client: Client = connect(settings, timeout_secs=timeout_secs + 1)

    def rows_by_topic(self) -> Mapping[str, int]:
        """See `ports.Ledger`."""
        rows = self._query(
            "count rows by topic",
            f"SELECT _topic_id, count() FROM {self._table} GROUP BY _topic_id{self._and_server} ORDER BY 2",
        )
        return dict(rows)  # type: ignore[arg-type]  # two columns; of several servers the one with most rows is last

    def buckets(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Sequence[Bucket]]:
        """See `ports.Ledger`."""
        if not spans:
            return {}
        within = f"_topic_id = {{topic_id:String}} AND ({_within(spans)})"
        rows = self._query(
            "read the ledger",
            f"SELECT _partition, {_SUMS}, countIf(ParseError != '') FROM {self._table}"
            f" WHERE {within} GROUP BY _partition, {_BUCKET}{self._and_server} ORDER BY 3",
            topic_id=topic_id,
        )
        # Later than the others: a row is noted there before it is deleted here. It may be noted more than once.
        removed = self._of_removed(
            f"SELECT _partition, {_SUMS}, 0, count() FROM ({self._once} WHERE {within}) GROUP BY _partition, {_BUCKET}",
            topic_id=topic_id,
        )
        # Of several servers the one with most rows of a bucket is the last.
        found: dict[int, dict[int, Bucket]] = {}
        for number, *aggregates in rows:
            found.setdefault(number, {})[aggregates[0]] = Bucket(*aggregates)
        for number, *aggregates in removed:
            of_partition, bucket = found.setdefault(number, {}), Bucket(*aggregates)
            other = of_partition.get(bucket.number)
            of_partition[bucket.number] = bucket if other is None else _together(other, bucket)
        return {number: list(buckets.values()) for number, buckets in found.items()}

    def buckets_of_several(self, topic_id: str, spans: Mapping[int, Span]) -> Mapping[int, Set[int]]:
        """See `ports.Ledger`."""
        if not spans:
            return {}
        # Nearly every record has one row: the index of `_items` leaves few granules to read.
        several = f"WHERE _items > 1 AND _topic_id = {{topic_id:String}} AND ({_within(spans)})"
        select = f"SELECT DISTINCT _partition, {_BUCKET} FROM"
        rows = self._query("find records of several rows", f"{select} {self._table} {several}", topic_id=topic_id)
        removed = self._of_removed(f"{select} {self._removed.name} {several}", topic_id=topic_id)
        found: dict[int, set[int]] = {}
        for number, bucket in (*rows, *removed):
            found.setdefault(number, set()).add(bucket)
        return found

    def runs(self, topic_id: str, partition: int, span: Span) -> Sequence[Run]:
        """See `ports.Ledger`."""
        stored = f"{_ROWS}{self._and_server} FROM {self._table} WHERE {_SPAN}"
        removed = f"{_REMOVED_ROWS}{self._and_server} FROM {self._removed.name} WHERE {_SPAN}"
        mine = {"topic_id": topic_id, "partition": partition, "first": span.first, "next": span.next}

        def read(sources: str) -> Sequence[Sequence[Any]]:
            offsets = _OFFSETS.format(rows=sources, rest=REST_ITEM, and_server=self._and_server)
            offsets = _FULLEST.format(offsets=offsets) if self._and_server else offsets
            return self._query(f"read offsets {span}", _RUNS.format(offsets=offsets), **mine)

        rows = self._if_removed(lambda: read(f"{stored} UNION ALL {removed}"))
        if rows is None:
            rows = read(stored)
        return [Run(Span(first, next_offset), *aggregates) for first, next_offset, *aggregates in rows]

    def first_offset(self, topic_id: str, partition: int) -> int | None:
        """See `ports.Ledger`."""
        found = self._each("min(_offset)", "", topic_id=topic_id, partition=partition)
        return min(found, default=None)

    def first_ingested(self, topic_id: str, partition: int, below: int, since_ms: int) -> int | None:
        """See `ports.Ledger`."""
        # Leaves out rows of much older events, so that ClickHouse reads only these days.
        condition = (
            " AND _offset < {below:UInt64} AND _ingested >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')"
            " AND Timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') - INTERVAL 1 DAY"
        )
        return self._one(
            "min(_offset)", condition, topic_id=topic_id, partition=partition, below=below, since_ms=since_ms
        )

    def last_before(self, topic_id: str, partition: int, offset: int) -> int | None:
        """See `ports.Ledger`."""
        mine = {"topic_id": topic_id, "partition": partition, "bucket": offset // BUCKET_OFFSETS}
        near = f" AND {_BUCKET} = {{bucket:UInt64}} AND _offset >= {{floor:UInt64}} AND _offset < {{offset:UInt64}}"
        floor = offset // BUCKET_OFFSETS * BUCKET_OFFSETS
        found = self._each("max(_offset)", near, **mine, floor=floor, offset=offset)
        # The rows of a lower bucket are all before `offset`: the projection is enough.
        found = found or self._each("max(_offset)", f" AND {_BUCKET} < {{bucket:UInt64}}", **mine)
        return max(found, default=None)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _one(self, expression: str, condition: str, **parameters: object) -> int | None:
        sql = f"SELECT count(), {expression} FROM {self._table} WHERE {_MINE}{condition}"
        [(count, found)] = self._query("read offsets", sql, **parameters)
        return found if count else None

    def _each(self, expression: str, condition: str, **parameters: object) -> list[int]:
        """The same in the table and of what was removed: none, one or two results."""
        stored = self._one(expression, condition, **parameters)
        sql = f"SELECT count(), {expression} FROM {self._removed.name} WHERE {_MINE}{condition}"
        found = self._of_removed(sql, **parameters)
        return [*([] if stored is None else [stored]), *(offset for count, offset in found if count)]

    def _of_removed(self, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        return self._if_removed(lambda: self._query("read what was removed", sql, **parameters)) or ()

    def _if_removed(self, read: Callable[[], _T]) -> _T | None:
        return self._removed.if_it_exists(read, None, lambda sql: self._query("look for the table of positions", sql))

    def _query(self, doing: str, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        with translated_errors(doing):
            return self._client.query(sql, parameters=parameters, settings=self._settings).result_rows


def _within(spans: Mapping[int, Span]) -> str:
    """The condition for all rows of the buckets that overlap the spans, by partition."""
    return " OR ".join(
        f"(_partition = {number:d} AND {_BUCKET} BETWEEN"
        f" {span.first // BUCKET_OFFSETS:d} AND {(span.next - 1) // BUCKET_OFFSETS:d})"
        for number, span in spans.items()
    )


def _together(stored: Bucket, removed: Bucket) -> Bucket:
    """The rows of both. Those that were noted and are not deleted yet count twice, so the sums are wrong then."""
    return Bucket(
        stored.number,
        stored.rows + removed.rows,
        min(stored.first, removed.first),
        max(stored.last, removed.last),
        (stored.offset_sum + removed.offset_sum) % 2**64,
        (stored.square_sum + removed.square_sum) % 2**64,
        stored.unparsed,
        removed.removed,
    )
