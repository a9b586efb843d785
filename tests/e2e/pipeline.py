"""A topic and a table with the shipped service between them, a stream of logs, and checks of the stored rows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from clickhouse_connect.driver.client import Client
from kafka import KafkaConsumer, TopicPartition

from app.backends.clickhouse.client import connect
from local.paths import ROOT
from local.service import ServiceProcess, clean_environment, growing_pauses
from tests.support.servers import RunningEngine, RunningKafka, clickhouse_settings

PARTITIONS = 4
PATIENCE_SECS = 120.0

IDENTITY = "(_topic_id, _partition, _offset, _item)"


def wait_until(is_so: Callable[[], bool], what: str, timeout_secs: float = PATIENCE_SECS) -> None:
    """Wait until a condition holds; fail with its description on a timeout."""
    deadline = time.monotonic() + timeout_secs
    pauses = growing_pauses()
    while not is_so():
        assert time.monotonic() < deadline, f"not within {timeout_secs:.0f} s: {what}"
        time.sleep(next(pauses))


class Pipeline:
    """A test's own topic, group, table and instances of the service, on a broker and an engine."""

    def __init__(self, kafka: RunningKafka, engine: RunningEngine, directory: Path) -> None:
        self.kafka = kafka
        self.topic = self.database = f"e2e_{uuid.uuid4().hex[:12]}"
        self._engine = engine
        self._directory = directory
        self._services: list[ServiceProcess] = []
        self._client: Client | None = None

    def environment(self, **settings: str) -> dict[str, str]:
        """Environment for programs of the project; `settings` take precedence."""
        own = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "KAFKA_TOPIC": self.topic,
            "KAFKA_TOPIC_PARTITIONS": str(PARTITIONS),
            "KAFKA_GROUP_ID": self.topic,
            "KAFKA_SESSION_TIMEOUT_SECS": "6",  # the next instance waits this long after a kill
            "CLICKHOUSE_URL": self._engine.url,
            "CLICKHOUSE_USER": self._engine.user or "default",
            "CLICKHOUSE_PASSWORD": self._engine.password,
            "CLICKHOUSE_DATABASE": self.database,
        }
        return clean_environment(os.environ, {**own, **settings})

    def new_service(self, code: Path = ROOT, /, **settings: str) -> ServiceProcess:
        """One more instance of the service, not started; `code` is the directory of the program."""
        log_file = self._directory / f"{self.topic}-{len(self._services)}.log"
        self._services.append(ServiceProcess(self.environment(**settings), log_file, directory=code))
        return self._services[-1]

    def start_service(self, **settings: str) -> ServiceProcess:
        """Start the first instance and wait until it has created topic and table and reads all partitions."""
        service = self.new_service(**settings)
        service.start()
        service.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
        return service

    def end_services(self) -> None:
        """Stop every instance in any state."""
        for service in self._services:
            service.kill()
        self.disconnect()

    def disconnect(self) -> None:
        """Close the client; the next query logs in anew."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def send(self, lines: Sequence[str]) -> None:
        """Send lines with producer.py; returns when all are acknowledged."""
        with Stream(self) as stream:
            stream.write(lines)

    def store(self, lines: Sequence[str]) -> None:
        """Send lines, and have an instance store them, which then stops."""
        service = self.start_service()
        self.send(lines)
        self.wait_for_rows(len(lines))
        service.stop()

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run a query; the table is `logs.logs` in it."""
        if self._client is None:  # a new one reads all settings first, which takes ten times the CPU of a count
            self._client = connect(clickhouse_settings(self._engine, self.database), timeout_secs=30)
        return list(self._client.query(sql.replace("logs.logs", f"{self.database}.logs")).named_results())

    def row_count(self) -> int:
        """Number of rows in the table."""
        return int(self.query("SELECT count() AS rows FROM logs.logs")[0]["rows"])

    def wait_for_rows(self, count: int) -> None:
        """Wait until the table has `count` rows."""
        wait_until(lambda: self.row_count() >= count, f"{count} rows in the table")

    def record_count(self) -> int:
        """Number of records in the topic."""
        with KafkaConsumer(bootstrap_servers=self.kafka.bootstrap_servers) as consumer:
            partitions = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
            return sum(consumer.end_offsets(partitions).values())

    def wait_until_committed(self, *services: ServiceProcess) -> int:
        """Wait until these instances have committed all records of the topic, and so will insert no more.

        Returns the number of records.
        """
        records = self.record_count()

        def committed() -> float:
            return sum(service.scrape().total("committed_offset") for service in services)

        wait_until(lambda: committed() == records, f"{records} records committed")
        return records

    def require_once(self, lines: Sequence[str], *services: ServiceProcess) -> None:
        """Wait until these instances are idle; then require exactly one row per line and no other rows."""
        records = self.wait_until_committed(*services)
        sent, stored = Counter(lines), Counter(row["Body"] for row in self.query("SELECT Body FROM logs.logs"))
        assert list((sent - stored).elements())[:5] == [], "these and perhaps others are lost"
        assert list((stored - sent).elements())[:5] == [], "these and perhaps others are there too often"
        [counts] = self.query(f"SELECT count() AS rows, uniqExact{IDENTITY} AS distinct FROM logs.logs")
        assert counts == {"rows": records, "distinct": records}


class Stream:
    """A running producer.py: it sends lines from `write`, or generated lines until the block ends.

    At the end of the block Kafka must have acknowledged every line, otherwise the test fails.
    """

    def __init__(self, pipeline: Pipeline, *, lines_per_sec: int = 0) -> None:
        self.lines: list[str] = []
        self._lines_per_sec = lines_per_sec
        self._environment = pipeline.environment()
        self._should_stop = threading.Event()
        self._feeder = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self) -> Self:
        self._producer = subprocess.Popen(
            [sys.executable, "producer.py", "--quiet", "--timezone", "none", "-"],
            env=self._environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if self._lines_per_sec:
            self._feeder.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._producer.kill()
        self._should_stop.set()
        if self._lines_per_sec:
            self._feeder.join()
        out, _ = self._producer.communicate(timeout=PATIENCE_SECS)
        if error is None:
            summary = f"{len(self.lines):,} sent, {len(self.lines):,} acknowledged, 0 failed"
            assert summary in out.decode(), out.decode()
            assert self._producer.returncode == 0

    def write(self, lines: Sequence[str]) -> None:
        """Send these lines."""
        assert self._producer.stdin is not None
        self._producer.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self._producer.stdin.flush()
        self.lines += lines

    def wait_for_more(self, count: int) -> None:
        """Wait until `count` more lines have been passed to producer.py."""
        enough = len(self.lines) + count
        wait_until(lambda: len(self.lines) >= enough, f"{count} more lines")

    def _feed(self) -> None:
        """Write distinct lines, a few at a time."""
        portion = max(1, self._lines_per_sec // 50)
        while not self._should_stop.wait(portion / self._lines_per_sec):
            first = len(self.lines)
            try:
                self.write([f"INFO line {number} of the stream" for number in range(first, first + portion)])
            except BrokenPipeError:
                return  # it was killed, or its summary gives the reason
