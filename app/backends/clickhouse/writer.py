"""LogWriter on ClickHouse: one batch, one insert, one block."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, Final, TypeVar

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from lz4.frame import LZ4FrameCompressor

from app.backends.clickhouse.block import native_block
from app.backends.clickhouse.client import connect, is_on_this_machine, translated_errors
from app.backends.clickhouse.removed import Removed
from app.backends.clickhouse.replicas import complete_reads, on_every_server
from app.backends.clickhouse.text_forms import TextForms
from app.domain.missing import STORED_COLUMNS, missing_rows
from app.domain.records import Buffer
from app.domain.rows import TABLE_COLUMNS, Rows
from app.domain.words import searched_forms
from app.errors import TryAgainLater
from app.pipeline.delivery import MARGIN_SECS
from app.settings import ClickHouseSettings

_Result = TypeVar("_Result")

_LATE: Final = "469"  # VIOLATED_CONSTRAINT, most likely the table's `on_time`
_QUERY_PREFIX: Final = "log-ingest-"  # identifies our inserts among everything that a server runs

SERVER_NOW_MS: Final = "toUnixTimestamp64Milli(nowInBlock64(3))"
"""A server's time as SQL, Unix time in milliseconds, by the clock that the table checks deadlines with."""

# The settings of every insert. The preflight check verifies that our user may set them.
INSERT_SETTINGS: Final[Mapping[str, object]] = {
    # A success response must mean that the rows are stored, not queued.
    "async_insert": 0,
    # One insert is one block, whatever the user's profile says: a part of a batch must never be stored alone.
    "max_insert_block_size": 1_048_449,
    "min_insert_block_size_rows": 1_048_449,
    "min_insert_block_size_bytes": 268_402_944,
    "max_insert_threads": 1,
    "max_partitions_per_insert_block": 0,
    "deduplicate_insert": "enable",
    # Blocks name the types of their columns as text (`block.py`).
    "input_format_native_decode_types_in_binary_format": 0,
}


class ClickHouseWriter:
    """Inserts into one table, and looks up the rows that it holds. See `ports.LogWriter`."""

    def __init__(
        self, settings: ClickHouseSettings, forms: TextForms | None = None, *, compresses: bool | None = None
    ) -> None:
        """Does not connect yet; the first call does.

        `forms` writes the texts of blocks; None: Arrow. `compresses` says whether inserts are compressed, which halves
        their bytes and is worth its CPU on a network; None: if ClickHouse is not on this machine.
        """
        self._settings = settings
        self._forms = forms
        self._compression = "lz4" if (not is_on_this_machine(settings) if compresses is None else compresses) else None
        self._own_table = f"`{settings.database}`.`{settings.table}`"
        self._table = on_every_server(self._own_table, settings)
        self._removed = Removed(settings)
        self._reads = complete_reads(settings)
        self._client: Client | None = None

    def insert(self, rows: Rows, token: str, deadline_ms: int) -> None:
        """See `ports.LogWriter`."""
        self._insert(_complete(rows, deadline_ms), token)

    def insert_anew(self, rows: Rows, token: str, deadline_ms: int, revision: int) -> None:
        """Insert rows of a revision (`domain/revisions.py`), as `insert` does."""
        revisions = pa.repeat(pa.scalar(revision, pa.uint64()), rows.num_rows)
        self._insert({**_complete(rows, deadline_ms), "_revision": revisions}, token)

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        return missing_rows(rows, self._stored)

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        """See `ports.LogWriter`."""
        stored = self._last_in(self._table, topic_id, partition)
        # Later than the other: a row is noted there before it is deleted here.
        removed = self._if_removed(lambda: self._last_removed(topic_id, partition))
        return max((last for last in (stored, removed) if last is not None), default=None)

    def now_ms(self) -> int:
        """See `ports.LogWriter`."""
        # Of several servers the clock that is most behind: no later one accepts what this one would refuse.
        servers = on_every_server("system.one", self._settings)
        sql = f"SELECT min({SERVER_NOW_MS}) FROM {servers}"
        return int(self._query("read its clock", sql)[0][0])

    def running(self) -> Set[str]:
        """See `ports.LogWriter`."""
        processes = on_every_server("system.processes", self._settings)
        sql = f"SELECT query_id FROM {processes} WHERE startsWith(query_id, {{prefix:String}})"
        rows = self._query("list the running inserts", sql, prefix=_QUERY_PREFIX)
        return {query_id.removeprefix(_QUERY_PREFIX) for [query_id] in rows}

    def _insert(self, columns: Mapping[str, pa.Array], token: str) -> None:
        own = {"wait_end_of_query": 1, "insert_deduplication_token": token, "query_id": _QUERY_PREFIX + token}
        settings = {**INSERT_SETTINGS, **own}
        count = len(columns["_offset"])
        doing = f"insert {count} rows"
        body: Any = self._body(columns)  # the client takes whatever can be iterated
        head = {"Content-Length": str(sum(memoryview(piece).nbytes for piece in body))}
        try:
            summary = self._call(
                doing,
                lambda client: client.raw_insert(
                    self._own_table,
                    list(columns),
                    body,
                    settings,
                    "Native",
                    self._compression,
                    transport_settings=head,
                ),
            )
        except TryAgainLater as error:
            # Where a request was sent twice, another server, whose clock is behind, may have accepted the other copy.
            error.is_outcome_unknown |= bool(self._settings.cluster) and error.code == _LATE
            raise
        # A status of 200 proves nothing: it may have been sent before the error happened, and the error is then in a
        # body that the client does not read. (ClickHouse confirms more rows if a materialized view takes some.)
        if summary.written_rows < count:
            reason = f"cannot {doing}: ClickHouse reports success but confirms {summary.written_rows} of them"
            raise TryAgainLater(reason, code="unconfirmed")

    def _body(self, columns: Mapping[str, pa.Array]) -> Sequence[Buffer]:
        """The body of an insert, in pieces. The client would send `bytes` twice if the connection is closed."""
        block = native_block(columns, self._forms)
        return [*_compressed(block)] if self._compression else block

    def _last_in(self, table: str, topic_id: str, partition: int) -> int | None:
        # Reads the ledger projection: a few rows per part, whatever the size of the table.
        sql = f"SELECT count(), max(_offset) FROM {table}"
        sql += " WHERE _topic_id = {topic_id:String} AND _partition = {partition:UInt16}"
        [(count, last)] = self._query("read the last offset", sql, topic_id=topic_id, partition=partition)
        return last if count else None

    def _last_removed(self, topic_id: str, partition: int) -> int | None:
        # There is no projection, but the order of the table: a few granules per part, with millions of positions too.
        sql = f"SELECT _offset FROM {self._removed.name}"
        sql += " WHERE _topic_id = {topic_id:String} AND _partition = {partition:UInt16}"
        sql += " ORDER BY _topic_id DESC, _partition DESC, _offset DESC LIMIT 1"
        found = self._query("read the last removed offset", sql, topic_id=topic_id, partition=partition)
        return found[0][0] if found else None

    def _stored(self, topic_id: str, partition: int, first: int, last: int) -> pa.Table:
        """See `app.domain.missing.LookUp`. What was removed on purpose counts as stored."""
        stored = self._stored_in(self._table, topic_id, partition, first, last)
        # Later than the other: a row is noted there before it is deleted here.
        removed = self._if_removed(lambda: self._stored_in(self._removed.name, topic_id, partition, first, last))
        return stored if removed is None else pa.concat_tables([stored, removed])

    def _stored_in(self, table: str, topic_id: str, partition: int, first: int, last: int) -> pa.Table:
        """Stored rows of a range of offsets.

        The query is not limited to the times of the rows to insert: another reader may have read other times.
        """
        parameters = {"topic_id": topic_id, "partition": partition, "first": first, "last": last}
        return self._call(
            "look up stored rows",
            lambda client: client.query_arrow(
                f"SELECT {', '.join(STORED_COLUMNS)} FROM {table}"
                " WHERE _topic_id = {topic_id:String} AND _partition = {partition:UInt16}"
                " AND _offset BETWEEN {first:UInt64} AND {last:UInt64}",
                parameters=parameters,
                settings=dict(self._reads),
            ),
        )

    def _if_removed(self, read: Callable[[], _Result]) -> _Result | None:
        return self._removed.if_it_exists(read, None, lambda sql: self._query("look for the table of positions", sql))

    def _query(self, doing: str, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        return self._call(
            doing, lambda client: client.query(sql, parameters=parameters, settings=dict(self._reads)).result_rows
        )

    def _call(self, doing: str, call: Callable[[Client], _Result]) -> _Result:
        if self._client is None:
            self._client = connect(self._settings, timeout_secs=self._settings.insert_deadline_secs + MARGIN_SECS)
        with translated_errors(doing):
            return call(self._client)


def _complete(rows: Rows, deadline_ms: int) -> Mapping[str, pa.Array]:
    """The columns of the rows, with those that the service adds."""
    return {
        **{name: rows[name] for name in TABLE_COLUMNS},
        "_deadline": pa.repeat(pa.scalar(deadline_ms, pa.timestamp("ms", tz="UTC")), rows.num_rows),
        "_words": searched_forms(rows["Body"]),
    }


def _compressed(pieces: Sequence[Buffer]) -> Iterator[Buffer]:
    with LZ4FrameCompressor() as compressor:
        yield compressor.begin()
        yield from map(compressor.compress, pieces)
        yield compressor.flush()
