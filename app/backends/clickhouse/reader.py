"""LogReader on ClickHouse: queries with limits, on clients that the writer never uses."""

import logging
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from app.backends.clickhouse.attributes import DEFAULTS, attribute_columns
from app.backends.clickhouse.client import connect, translated_errors
from app.backends.clickhouse.replicas import consistent_reads
from app.domain.cancellation import Cancellation
from app.domain.statement import Cost, Result, Statement
from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.attribute_reference import resolved
from app.query.fields import Attribute
from app.settings import ClickHouseSettings, QuerySettings

_log = logging.getLogger(__name__)

_GRACE_SECS: Final = 2.0  # the server's own limit should apply first: its error names the limit
_MAX_RESULT_BYTES: Final = 100_000_000  # this process holds several copies of a result in memory
_COLUMNS_FRESH_SECS: Final = 60.0
_KILL_SECS: Final = 2.0
_MOST_DOUBLINGS: Final = 12  # of a second; the highest time limit that can be set is far lower

_LIMITS_EXCEEDED: Final[Mapping[int, str]] = {
    159: "time",  # TIMEOUT_EXCEEDED
    160: "time",  # TOO_SLOW
    158: "rows",  # TOO_MANY_ROWS
    307: "rows",  # TOO_MANY_BYTES
    396: "rows",  # TOO_MANY_ROWS_OR_BYTES
    241: "memory",  # MEMORY_LIMIT_EXCEEDED
}


class ClickHouseReader:
    """Reads one table. See `ports.LogReader`."""

    def __init__(
        self, settings: ClickHouseSettings, limits: QuerySettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Does not connect yet; queries do. Each client runs one query at a time."""
        self._clock = clock
        self._is_own_user = settings.reader_user is not None
        settings = settings.as_reader()
        self._settings = settings
        self._limits = limits
        self._table = f"`{settings.database}`.`{settings.table}`"
        self._columns: Mapping[Attribute, str] = {}
        self._columns_read_at = float("-inf")
        self._columns_lock = threading.Lock()
        # A client has one timeout for all its queries, so there are clients for each power of two seconds.
        self._idle: Mapping[int, queue.LifoQueue[Client]] = {2**n: queue.LifoQueue() for n in range(_MOST_DOUBLINGS)}

    def run(self, statement: Statement, *, timeout_secs: float, cancellation: Cancellation | None = None) -> Result:
        """See `ports.LogReader`."""
        query_id = str(uuid.uuid4())
        with (
            self._client(timeout_secs) as client,
            (cancellation or Cancellation()).running(partial(self._kill, query_id)),
            translated_errors("run a query"),
            _translated_limits(),
        ):
            parameters = dict(statement.parameters)
            sql = resolved(statement.sql, parameters, self._attribute_columns(client)).replace("{table}", self._table)
            settings = {"query_id": query_id, **self._query_settings(timeout_secs)}
            result = client.query(sql, parameters=parameters, settings=settings)
        summary = result.summary
        cost = Cost(int(summary.get("read_rows", 0)), int(summary.get("read_bytes", 0)))
        return Result(result.column_names, result.result_rows, cost)

    def _kill(self, query_id: str) -> bool:
        """Have ClickHouse end a query, without waiting for its end; returns whether it accepts that.

        A user may end its own queries if it may read `system.processes`.
        """
        try:
            with self._client(_KILL_SECS) as client, translated_errors("end a query"):
                client.command(f"KILL QUERY WHERE query_id = '{query_id}' ASYNC")
        except (TryAgainLater, Refused) as error:
            _log.info("A query whose client has gone runs on until its time limit: %s", error)
            return False
        return True

    def _attribute_columns(self, client: Client) -> Mapping[Attribute, str]:
        """Attributes that have a column, read every minute; while one thread reads them, others use the old ones."""
        if self._clock() - self._columns_read_at > _COLUMNS_FRESH_SECS and self._columns_lock.acquire(blocking=False):
            try:
                names = {"database": self._settings.database, "of_table": self._settings.table}
                rows = client.query(DEFAULTS, parameters=names).result_rows
                self._columns = attribute_columns((name, expression) for name, expression in rows)
                self._columns_read_at = self._clock()
            finally:
                self._columns_lock.release()
        return self._columns

    @contextmanager
    def _client(self, timeout_secs: float) -> Iterator[Client]:
        read_secs = 2 ** math.ceil(math.log2(timeout_secs + _GRACE_SECS))
        idle = self._idle[read_secs]
        try:
            client = idle.get_nowait()
        except queue.Empty:
            client = connect(self._settings, timeout_secs=read_secs)
        try:
            yield client
        finally:
            idle.put(client)

    def _query_settings(self, timeout_secs: float) -> dict[str, object]:
        limits = self._limits
        settings: dict[str, object] = {
            "max_execution_time": timeout_secs,
            "max_memory_usage": limits.max_memory_bytes,
            "max_rows_to_read": limits.max_rows,
            "max_result_bytes": _MAX_RESULT_BYTES,
            "result_overflow_mode": "throw",
            **consistent_reads(self._settings),
        }
        if limits.max_threads:
            settings["max_threads"] = limits.max_threads
        if not self._is_own_user:
            settings["readonly"] = 2  # a read-only user has this already, and may not set it
        return settings


@contextmanager
def _translated_limits() -> Iterator[None]:
    try:
        yield
    except Error as error:
        limit = _LIMITS_EXCEEDED.get(error.code or 0)
        if limit is None:
            raise
        raise QueryTooExpensive(limit, str(error).partition("\n")[0][:300]) from error
