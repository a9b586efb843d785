"""The programs that store the same topic as the service, as child processes, and the tables that they fill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.peers import CONNECTOR, SINKER
from bench.stack import DATABASE, BenchStack
from bench.storing import drop_extras, extras_of
from local.kafka_jars import java
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess

_STOP_SECS: Final = 30.0
# Of the sizes measured, this one had the most rows/s at a third of the memory of the default, 262,144.
_BUFFER_ROWS: Final = 65_536

CreateTable = Callable[[BenchStack, str], None]

# What clickhouse_sinker calls the position of a message; it has no other names for it.
_SINKER_PARTITION, _SINKER_OFFSET = "__kafka_partition", "__kafka_offset"
_EVENT_COLUMNS: Final = """
    timestamp DateTime64(3), service LowCardinality(String), level LowCardinality(String), message String,
    user_id String, response_time_ms Float64, trace_id String"""
# The columns of the service's table that clickhouse_sinker can fill: name, type and key of the event.
SHARED_COLUMNS: Final = (
    ("Timestamp", "DateTime64(9)", "timestamp"),
    ("ServiceName", "String", "service"),
    ("SeverityText", "String", "level"),
    ("Body", "String", "message"),
    ("UserId", "String", "user_id"),
    ("ResponseTimeMs", "Nullable(Float32)", "response_time_ms"),
    ("TraceId", "String", "trace_id"),
    (_SINKER_PARTITION, "UInt16", ""),
    (_SINKER_OFFSET, "UInt64", ""),
)


def create_plain_table(stack: BenchStack, table: str) -> None:
    """Create the service's table with its columns, and without indexes, projections and constraint.

    Raises:
        BenchError: the engine refuses it.
    """
    stack.create_table(table)
    drop_extras(stack, table, extras_of(stack, table))


def create_plain_table_for_sinker(stack: BenchStack, table: str) -> None:
    """Create the same for clickhouse_sinker: it stores the same columns.

    An ephemeral column is not stored. It takes the position under the names that clickhouse_sinker knows.

    Raises:
        BenchError: the engine refuses it.
    """
    create_plain_table(stack, table)
    stack.query(
        f"ALTER TABLE `{DATABASE}`.`{table}`"
        f" ADD COLUMN {_SINKER_PARTITION} UInt16 EPHEMERAL, ADD COLUMN {_SINKER_OFFSET} UInt64 EPHEMERAL,"
        f" MODIFY COLUMN _partition DEFAULT {_SINKER_PARTITION}, MODIFY COLUMN _offset DEFAULT {_SINKER_OFFSET}"
    )


def create_event_table_with_position(stack: BenchStack, table: str) -> None:
    """Create a table with a column for each key of the events, and the position, for clickhouse_sinker."""
    _create_event_table(stack, table, f", {_SINKER_PARTITION} Int32, {_SINKER_OFFSET} Int64")


def create_event_table(stack: BenchStack, table: str) -> None:
    """Create a table with a column for each key of the events, for clickhouse-kafka-connect."""
    _create_event_table(stack, table, "")


def _create_event_table(stack: BenchStack, table: str, position: str) -> None:
    stack.query(f"CREATE DATABASE IF NOT EXISTS `{DATABASE}`")
    stack.query(
        f"CREATE TABLE `{DATABASE}`.`{table}` ({_EVENT_COLUMNS}{position}) ENGINE = MergeTree"
        " ORDER BY (service, timestamp)"
    )


@contextmanager
def running_sinker(
    stack: BenchStack, program: Path, topic: str, table: str, *, is_own_table: bool
) -> Iterator[ChildProcess]:
    """Run clickhouse_sinker with a new group on a topic, into its own table or the service's; stopped afterwards."""
    config = stack.directory / f"{table}.hjson"
    config.write_text(json.dumps(_sinker_config(stack, topic, table, is_own_table=is_own_table), indent=2))
    command: list[str | Path] = [program, "--local-cfg-file", config, "--log-paths", "stdout"]
    command += ["--http-host", LOOPBACK, "--http-port", str(free_port())]
    with _running(SINKER, command, stack.directory / f"{table}.log") as process:
        yield process


@contextmanager
def running_connector(stack: BenchStack, jars: Path, topic: str, table: str) -> Iterator[ChildProcess]:
    """Run clickhouse-kafka-connect in a worker of Kafka Connect, with a new group; stopped afterwards."""
    worker, sink = stack.directory / f"{table}-worker.properties", stack.directory / f"{table}-sink.properties"
    worker.write_text(_lines(_worker_properties(stack, table)))
    sink.write_text(_lines(_connector_properties(stack, topic, table)))
    command: list[str | Path] = [java(), "-Xms256m", "-Xmx2g", "-cp", f"{jars}/*"]
    command += ["org.apache.kafka.connect.cli.ConnectStandalone", worker, sink]
    with _running(CONNECTOR, command, stack.directory / f"{table}.log") as process:
        yield process


@contextmanager
def _running(name: str, command: Sequence[str | Path], log_file: Path) -> Iterator[ChildProcess]:
    process = ChildProcess(name, command, log_file)
    try:
        process.start()
        yield process
    finally:
        process.stop(_STOP_SECS)


def _sinker_config(stack: BenchStack, topic: str, table: str, *, is_own_table: bool) -> dict[str, object]:
    engine = urlsplit(stack.engine.url)
    columns: dict[str, object] = {"autoSchema": True, "excludeColumns": []}
    if not is_own_table:
        columns = {"dims": [{"name": name, "type": kind, "sourceName": key} for name, kind, key in SHARED_COLUMNS]}
    return {
        "clickhouse": {
            "hosts": [[engine.hostname]],
            "port": engine.port,
            "db": DATABASE,
            "username": "default",
            "password": "",
            "retryTimes": 0,
            "protocol": "http",
            "maxOpenConns": 2,
        },
        "kafka": {"brokers": stack.kafka.bootstrap_servers},
        "task": {
            "name": table,
            "topic": topic,
            "consumerGroup": table,
            "earliest": True,
            "parser": "fastjson",
            "tableName": table,
            **columns,
            "bufferSize": _BUFFER_ROWS,
            "flushInterval": 1,  # seconds, and the least: its last rows wait for the end of one
            "timeZone": "UTC",
        },
        "logLevel": "info",
    }


def _worker_properties(stack: BenchStack, table: str) -> dict[str, str]:
    return {
        "bootstrap.servers": stack.kafka.bootstrap_servers,
        "listeners": f"http://{LOOPBACK}:{free_port()}",
        "offset.storage.file.filename": str(stack.directory / f"{table}.offsets"),
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    }


def _connector_properties(stack: BenchStack, topic: str, table: str) -> dict[str, str]:
    engine = urlsplit(stack.engine.url)
    return {
        "name": table,
        "connector.class": "com.clickhouse.kafka.connect.ClickHouseSinkConnector",
        "topics": topic,
        "topic2TableMap": f"{topic}={table}",
        "tasks.max": "1",
        "hostname": str(engine.hostname),
        "port": str(engine.port),
        "database": DATABASE,
        "username": "default",
        "password": "",
        "ssl": "false",
        "clickhouseSettings": "date_time_input_format=best_effort",
        # Its newer client always wants responses in compressed native blocks, which the local engine does not send.
        "clientVersion": "V1",
        "jdbcConnectionProperties": "?compress=false",
        # Large inserts, as its documentation recommends: with the default of 500 records it takes half again as long.
        "ignorePartitionsWhenBatching": "true",
        "consumer.override.max.poll.records": "50000",
        "consumer.override.fetch.min.bytes": str(1 << 20),
        "consumer.override.fetch.max.bytes": str(50 << 20),
        "consumer.override.max.partition.fetch.bytes": str(10 << 20),
    }


def _lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
