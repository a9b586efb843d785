"""A table of logs, the API over it, and the same logs as plain objects for comparison."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from app.api.admission import Admission, StreamSlots
from app.api.app import create_app
from app.api.explorer_routes import explorer_routes
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.tail_routes import TailApi
from app.backends.clickhouse.client import connect
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.access import OPEN, AccessParts
from app.domain.event_time import EventTimeBounds
from app.domain.records import OneRecord, Partition, RecordChunk
from app.domain.rows import concatenate
from app.domain.statement import Statement
from app.health import Health
from app.metrics import Metrics
from app.pipeline.decode import decode
from app.query.log_table import LogTable
from app.query.service import QueryService
from app.settings import ClickHouseSettings, QuerySettings
from tests.fakes import MemoryRecords
from tests.support.explaining import explain_api
from tests.support.receivers import Receivers
from tests.support.servers import RunningEngine, clickhouse_settings

TOPIC_ID = "topic-1"
FAR_MS = 10**13
_BOUNDS = EventTimeBounds.of_retention(30)


@dataclass(frozen=True, slots=True)
class Log:
    """A log as it was sent: position, Unix time in milliseconds, and event."""

    partition: int
    offset: int
    time_ms: int
    event: dict[str, Any]

    @property
    def id(self) -> str:
        """As the API calls it."""
        return f"{self.time_ms * 1_000_000}-{self.partition}-{self.offset}-0-{TOPIC_ID}"


class QueryTable:
    """A table of its own on the running engine."""

    def __init__(self, engine: RunningEngine) -> None:
        self.settings = clickhouse_settings(engine, f"query_{uuid.uuid4().hex[:12]}")
        ensure_table(self.settings)
        self.logs: list[Log] = []
        self.records = MemoryRecords()
        """What Kafka still has of them: all."""
        self._next_offsets = {0: 0, 1: 0}
        self._writer = ClickHouseWriter(self.settings)
        self._client = connect(self.settings, timeout_secs=60)

    def store(self, events: list[tuple[int, dict[str, Any]]], *, partition: int = 0) -> list[Log]:
        """Store events of these times as one insert."""
        first = self._next_offsets[partition]
        logs = [Log(partition, first + n, time_ms, event) for n, (time_ms, event) in enumerate(events)]
        chunk = RecordChunk(
            partition=Partition("logs", partition),
            topic_id=TOPIC_ID,
            offsets=[log.offset for log in logs],
            timestamps_ms=[log.time_ms for log in logs],
            values=[json.dumps({"timestamp": log.time_ms, **log.event}).encode() for log in logs],
            headers=[()] * len(logs),
            next_offset=first + len(logs),
        )
        self._next_offsets[partition] = chunk.next_offset
        self._writer.insert(concatenate([decode(chunk, _BOUNDS).rows]), uuid.uuid4().hex, FAR_MS)
        self.logs += logs
        for log, value in zip(logs, chunk.values, strict=True):
            self.records.records[TOPIC_ID, partition, log.offset] = OneRecord(log.time_ms, value, ())
        return logs

    def api(
        self, limits: QuerySettings | None = None, *, is_stopping: Callable[[], bool] = lambda: False
    ) -> FlaskClient:
        """A client of the API over this table."""
        return self.application(limits or QuerySettings(), is_stopping).test_client()

    def application(self, limits: QuerySettings, is_stopping: Callable[[], bool], access: AccessParts = OPEN) -> Flask:
        """The API over this table, wired as in the service."""
        return _application(self.settings, limits, is_stopping, self.records, access)

    def command(self, sql: str) -> None:
        """Run a command with `{table}`."""
        self._client.command(sql.replace("{table}", f"`{self.settings.database}`.`{self.settings.table}`"))

    def plan(self, statement: Statement) -> str:
        """The query plan of the engine."""
        reader = ClickHouseReader(self.settings, QuerySettings())
        explained = Statement(f"EXPLAIN indexes = 1 {statement.sql}", statement.parameters)
        return "\n".join(str(line) for [line] in reader.run(explained, timeout_secs=30).rows)

    def drop(self) -> None:
        """Leave nothing."""
        self._client.command(f"DROP DATABASE `{self.settings.database}`")
        self._client.close()


def api_over(settings: ClickHouseSettings) -> FlaskClient:
    """A client of the API over an existing table."""
    return _application(settings, QuerySettings(), lambda: False, MemoryRecords()).test_client()


def _application(
    settings: ClickHouseSettings,
    limits: QuerySettings,
    is_stopping: Callable[[], bool],
    records: MemoryRecords,
    access: AccessParts = OPEN,
) -> Flask:
    metrics = Metrics(CollectorRegistry(), version="0")
    queries = QueryService(LogTable(ClickHouseReader(settings, limits)))
    admission = Admission(limits.max_concurrent, wait_secs=limits.queue_secs)
    streams = StreamSlots(limits.max_streams, metrics.query_streams)
    api = QueryApi(queries, limits, admission, streams, time.monotonic)
    tail = TailApi(queries, streams, is_stopping=is_stopping)
    explain = explain_api(queries, records)
    receivers = Receivers()
    return create_app(
        Health(),
        metrics.registry,
        explorer_routes(access.login, is_open=access.is_open, receives=True),
        query_routes(api, tail, explain, admission, metrics, receivers.described),
        receivers.described,
        authenticator=access.authenticator,
    )


def sample_events(now_ms: int, count: int, *, seed: int = 1) -> Iterator[tuple[int, dict[str, Any]]]:
    """Events of the last three hours, many of them in the same millisecond."""
    rng = random.Random(seed)
    for number in range(count):
        level = rng.choices(["debug", "info", "warn", "error"], [10, 70, 12, 8])[0]
        event: dict[str, Any] = {
            "service": rng.choice(["checkout", "payment-service", "search"]),
            "level": level,
            "message": rng.choice(["user logged in", "Payment declined: card 4711", "timeout after 30 s", "ok"]),
            "host": f"host-{rng.randrange(3)}",
            "attributes": {"http.status_code": rng.choice([200, 200, 200, 404, 500]), "route": f"/r{number % 4}"},
        }
        if rng.random() < 0.7:
            event["user_id"] = str(rng.randrange(50))
        if rng.random() < 0.8:
            event["response_time_ms"] = round(rng.lognormvariate(4, 1), 1)
        if rng.random() < 0.3:
            event["trace_id"] = f"{rng.randrange(40):032x}"
        yield now_ms - rng.randrange(3 * 3600) * 1000, event
