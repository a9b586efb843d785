"""ClickHouse's engine in this process: runs one statement per call, on a connection that no other uses."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from local.engine.confinement import USERS, USERS_OF_CLUSTER
from local.engine.connections import Connections
from local.engine.errors import SYNTAX_ERROR, EngineError
from local.engine.statement import DEFAULT_DATABASE, QUERY_ID_COLUMN, Session, Statement, quoted

_CONFIG = """<clickhouse>
    <timezone>UTC</timezone>
    <users_config>{users}</users_config>
    <access_control_improvements>
        <table_engines_require_grant>true</table_engines_require_grant>
        <enable_read_write_grants>true</enable_read_write_grants>
    </access_control_improvements>
    <max_server_memory_usage>{max_memory_bytes}</max_server_memory_usage>
    <memory_worker_period_ms>500</memory_worker_period_ms>
    <mark_cache_size>67108864</mark_cache_size>
    <uncompressed_cache_size>134217728</uncompressed_cache_size>
    <index_uncompressed_cache_size>33554432</index_uncompressed_cache_size>
    <index_mark_cache_size>67108864</index_mark_cache_size>
    <primary_index_cache_size>67108864</primary_index_cache_size>
    <query_condition_cache_size>16777216</query_condition_cache_size>
    <text_index_header_cache_size>67108864</text_index_header_cache_size>
    <text_index_postings_cache_size>67108864</text_index_postings_cache_size>
    <vector_similarity_index_cache_size>0</vector_similarity_index_cache_size>
    <storage_configuration><disks>
        <backups><type>local</type><path>{backups}/</path></backups>
    </disks></storage_configuration>
    <backups><allowed_disk>backups</allowed_disk></backups>
    {cluster}
</clickhouse>
"""
# Nothing listens on this port: the engine recognises both addresses as its own, and asks itself twice.
_CLUSTER = """<tcp_port>9000</tcp_port>
    <remote_servers><{name}><shard>
        <replica><host>localhost</host><port>9000</port></replica>
        <replica><host>127.0.0.1</host><port>9000</port></replica>
    </shard></{name}></remote_servers>"""


@dataclass
class Progress:
    """The rows and bytes that a statement has read and written so far."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0


class Database:
    """The engine on one directory. Any number of threads may run statements at the same time.

    A process can open one directory only, a directory can be open in one process only, and a process that
    has opened one must not fork.
    """

    def __init__(self, directory: Path, max_memory_bytes: int, *, cluster: str | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        config, users = directory.absolute() / "engine.xml", directory.absolute() / "users.xml"
        users.write_text(USERS_OF_CLUSTER if cluster else USERS)
        members = _CLUSTER.format(name=cluster) if cluster else ""
        backups = directory.absolute() / "backups"
        config.write_text(
            _CONFIG.format(users=users, max_memory_bytes=max_memory_bytes, cluster=members, backups=backups)
        )
        address = f"{directory.absolute() / 'data'}?config-file={config}"
        self._root = chdb.connect(address)
        self._connections = Connections(address)
        self._root.query(f"CREATE DATABASE IF NOT EXISTS {DEFAULT_DATABASE}")
        self.version: str = self._root.query("SELECT version()", "TabSeparated").bytes().decode().strip()

    def run(self, statement: Statement, session: Session, progress: Progress) -> Generator[bytes]:
        """The result in pieces; `progress` is updated while they are taken. Closing the generator stops the statement.

        Raises:
            EngineError: from the first piece on, at any piece.
        """
        with _engine_errors(), self._connections.prepared(session, is_read=statement.is_read) as connection:
            if statement.rows is not None:
                _insert(connection, statement, progress)
                return
            _refuse_several(connection, statement.sql)
            if statement.is_streamed:
                yield from _stream(connection, statement, progress)
            else:
                yield _whole(connection, statement, progress)

    def stop_query(self, query_id: str) -> None:
        """Request the engine to cancel the query with this id; returns at once."""
        with _engine_errors():
            self._root.query(f"KILL QUERY WHERE {QUERY_ID_COLUMN} = {quoted(query_id)} ASYNC")

    def close(self) -> None:
        """Close the engine cleanly. No statement may be running."""
        self._connections.close()
        self._root.close()


def _insert(connection: Any, statement: Statement, progress: Progress) -> None:
    assert statement.rows is not None
    # From a file, because the engine does not check constraints for rows that are passed to `send_insert`.
    with tempfile.NamedTemporaryFile() as file:
        file.writelines(statement.rows)
        file.flush()
        done = connection.query(statement.reading(file.name))
    progress.written_rows, progress.written_bytes = done.rows_written(), done.bytes_written()
    progress.result_rows = progress.written_rows


def _stream(connection: Any, statement: Statement, progress: Progress) -> Iterator[bytes]:
    with connection.send_query(statement.sql, statement.format) as stream:
        for piece in stream:
            _count(piece, progress)
            yield piece.bytes()


def _whole(connection: Any, statement: Statement, progress: Progress) -> bytes:
    result = connection.query(statement.sql, statement.format)
    _count(result, progress)
    progress.written_rows, progress.written_bytes = result.rows_written(), result.bytes_written()
    return bytes(result.bytes() or b"")


def _count(result: Any, progress: Progress) -> None:
    progress.read_rows += result.storage_rows_read()
    progress.read_bytes += result.storage_bytes_read()
    progress.result_rows += result.rows_read()


def _refuse_several(connection: Any, sql: str) -> None:
    if ";" not in sql:  # what separates them; to count them takes up to a tenth of a small query
        return
    # Only a parser can count statements, and the public connection has none.
    if connection._conn.classify_query(sql)["statement_count"] > 1:
        raise EngineError.refused(SYNTAX_ERROR, "Multi-statements are not allowed.", "SYNTAX_ERROR")


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (chdb.ChdbError, RuntimeError) as error:
        raise EngineError.from_engine(error) from error
