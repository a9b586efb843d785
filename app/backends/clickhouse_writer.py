"""LogWriter on ClickHouse: one batch, one insert, one block."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from app.backends.clickhouse_client import connect, translated_errors
from app.pipeline.rows import TABLE_COLUMNS, Rows, identities, partitions_of, without
from app.settings import ClickHouseSettings

_Answer = TypeVar("_Answer")

# What every insert asks for. The doctor checks that our user may.
INSERT_SETTINGS: Final[Mapping[str, object]] = {
    # The answer must mean that the rows are stored, not queued.
    "async_insert": 0,
    # One insert is one block, whatever the user's profile says: a part of a batch must never be stored alone.
    "max_insert_block_size": 1_048_449,
    "min_insert_block_size_rows": 1_048_449,
    "min_insert_block_size_bytes": 268_402_944,
    "max_insert_threads": 1,
    "max_partitions_per_insert_block": 0,
    "deduplicate_insert": "enable",
}


class ClickHouseWriter:
    """Inserts into one table, and looks up what it holds. See `ports.LogWriter`."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        """Does not connect yet; the first call does."""
        self._settings = settings
        self._table = f"`{settings.database}`.`{settings.table}`"
        self._client: Client | None = None

    def insert(self, rows: Rows, token: str) -> None:
        """See `ports.LogWriter`."""
        settings = {**INSERT_SETTINGS, "wait_end_of_query": 1, "insert_deduplication_token": token, "query_id": token}
        table = pa.Table.from_batches([rows.select(TABLE_COLUMNS)])
        self._call(
            f"insert {rows.num_rows} rows",
            lambda client: client.insert_arrow(
                self._settings.table, table, database=self._settings.database, settings=settings
            ),
        )

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        for topic_id, partition in partitions_of(rows):
            mine = pc.and_(pc.equal(rows["_topic_id"], topic_id), pc.equal(rows["_partition"], partition))
            stored = self._stored(rows.filter(mine), topic_id, partition)
            rows = without(rows, pc.and_(mine, pc.is_in(identities(rows), value_set=stored)))
        return rows

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        """See `ports.LogWriter`."""
        # By the ledger projection: a few rows per part, whatever the size of the table.
        answer = self._call(
            "ask for the last offset",
            lambda client: (
                client.query(
                    f"SELECT count(), max(_offset) FROM {self._table}"
                    " WHERE _topic_id = {topic_id:String} AND _partition = {partition:UInt16}",
                    parameters={"topic_id": topic_id, "partition": partition},
                ).result_rows
            ),
        )
        [(count, last)] = answer
        return last if count else None

    def _stored(self, rows: Rows, topic_id: str, partition: int) -> pa.Array:
        """Identities that the table holds in the range of offsets and times of these rows of one partition."""
        offsets, times = (
            pc.min_max(rows["_offset"]).as_py(),
            pc.min_max(rows["Timestamp"].cast(pa.int64())).as_py(),
        )
        parameters = {
            "topic_id": topic_id,
            "partition": partition,
            "first": offsets["min"],
            "last": offsets["max"],
            "earliest": times["min"],
            "latest": times["max"],
        }
        found = self._call(
            "look up stored rows",
            lambda client: client.query_arrow(
                f"SELECT bitOr(bitShiftLeft(_offset, 16), toUInt64(_item)) AS identity FROM {self._table}"
                " WHERE _topic_id = {topic_id:String} AND _partition = {partition:UInt16}"
                " AND _offset BETWEEN {first:UInt64} AND {last:UInt64}"
                " AND Timestamp BETWEEN fromUnixTimestamp64Nano({earliest:Int64})"
                " AND fromUnixTimestamp64Nano({latest:Int64})",
                parameters=parameters,
            ),
        )
        return found["identity"].combine_chunks()

    def _call(self, doing: str, call: Callable[[Client], _Answer]) -> _Answer:
        if self._client is None:
            self._client = connect(self._settings, timeout_secs=self._settings.insert_timeout_secs)
        with translated_errors(doing):
            return call(self._client)
