"""LogReader on ClickHouse: queries with limits, on connections of their own."""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

from clickhouse_connect.driver.exceptions import Error

from app.backends.clickhouse.attributes import DEFAULTS, attribute_columns
from app.backends.clickhouse.client import literal, translated_errors
from app.backends.clickhouse.replicas import consistent_reads
from app.backends.clickhouse.select_connection import SelectConnection
from app.domain.cancellation import Cancellation
from app.domain.statement import Result, Statement
from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.attribute_reference import resolved
from app.query.fields import Attribute
from app.settings import ClickHouseSettings, QuerySettings

_log = logging.getLogger(__name__)

_GRACE_SECS: Final = 2.0  # the server's own limit should apply first: its error names the limit
_MAX_RESULT_BYTES: Final = 100_000_000  # this process holds several copies of a result in memory
_COLUMNS_FRESH_SECS: Final = 60.0
_COLUMNS_SECS: Final = 10.0
_KILL_SECS: Final = 2.0

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
        """Does not connect yet; queries do. Each connection runs one query at a time."""
        self._clock = clock
        self._is_own_user = settings.reader_user is not None
        settings = settings.as_reader()
        self._settings = settings
        self._limits = limits
        self._table = f"`{settings.database}`.`{settings.table}`"
        self._columns: Mapping[Attribute, str] = {}
        self._columns_read_at = float("-inf")
        self._columns_lock = threading.Lock()
        self._idle: queue.LifoQueue[SelectConnection] = queue.LifoQueue()

    def run(self, statement: Statement, *, timeout_secs: float, cancellation: Cancellation | None = None) -> Result:
        """See `ports.LogReader`."""
        query_id = str(uuid.uuid4())
        with (
            self._connection() as connection,
            (cancellation or Cancellation()).running(partial(self._kill, query_id)),
            translated_errors("run a query"),
            _translated_limits(),
        ):
            parameters = dict(statement.parameters)
            columns = self._attribute_columns(connection)
            sql = resolved(statement.sql, parameters, columns).replace("{table}", self._table)
            settings = {"query_id": query_id, **self._query_settings(timeout_secs, statement.most_rows)}
            return connection.run(sql, parameters, settings, read_secs=timeout_secs + _GRACE_SECS)

    def _kill(self, query_id: str) -> bool:
        """Have ClickHouse end a query, without waiting for its end; returns whether it accepts that.

        A user may end its own queries if it may read `system.processes`.
        """
        sql = f"KILL QUERY WHERE query_id = {literal(query_id)} ASYNC"
        try:
            with self._connection() as connection, translated_errors("end a query"):
                connection.tell(sql, read_secs=_KILL_SECS)
        except (TryAgainLater, Refused) as error:
            _log.info("A query whose client has gone runs on until its time limit: %s", error)
            return False
        return True

    def _attribute_columns(self, connection: SelectConnection) -> Mapping[Attribute, str]:
        """Attributes that have a column, read every minute; while one thread reads them, others use the old ones."""
        if self._clock() - self._columns_read_at > _COLUMNS_FRESH_SECS and self._columns_lock.acquire(blocking=False):
            try:
                names = {"database": self._settings.database, "of_table": self._settings.table}
                rows = connection.run(DEFAULTS, names, {}, read_secs=_COLUMNS_SECS).rows
                self._columns = attribute_columns((name, expression) for name, expression in rows)
                self._columns_read_at = self._clock()
            finally:
                self._columns_lock.release()
        return self._columns

    @contextmanager
    def _connection(self) -> Iterator[SelectConnection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            with translated_errors("prepare a connection"):
                connection = SelectConnection(self._settings)
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def _query_settings(self, timeout_secs: float, most_rows: int) -> dict[str, object]:
        limits = self._limits
        settings: dict[str, object] = {
            "max_execution_time": timeout_secs,
            "max_memory_usage": limits.max_memory_bytes,
            "max_rows_to_read": min(filter(None, (limits.max_rows, most_rows)), default=0),
            "max_result_bytes": _MAX_RESULT_BYTES,
            "result_overflow_mode": "throw",
            "cancel_http_readonly_queries_on_client_close": 1,
            "use_uncompressed_cache": 1,  # if the server has one: dashboards read the same blocks again and again
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
