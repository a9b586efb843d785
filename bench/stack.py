"""Starts a fresh broker and engine for the bench, in a temporary directory and on free ports."""

from __future__ import annotations

import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.backends.clickhouse.schema import ensure_table
from app.backends.kafka.topic import TopicAdmin
from app.settings import ClickHouseSettings, KafkaSettings
from bench.errors import BenchError
from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.ports import free_port

PARTITIONS = 4
DATABASE = "bench"

_QUERY_SECS = 300
_SETTLE_SECS = 60.0
_SETTLE_POLL_SECS = 0.2


class BenchStack:
    """The running broker and engine, with operations that the measurements need."""

    def __init__(self, kafka: KafkaServer, engine: EngineServer, directory: Path) -> None:
        self.kafka = kafka
        self.engine = engine
        self.directory = directory

    def kafka_settings(self, topic: str, partitions: int = PARTITIONS) -> KafkaSettings:
        """The service's settings for this broker and topic."""
        return KafkaSettings(bootstrap_servers=self.kafka.bootstrap_servers, topic=topic, topic_partitions=partitions)

    def clickhouse_settings(self, table: str) -> ClickHouseSettings:
        """The service's settings for this engine and table."""
        return ClickHouseSettings(url=self.engine.url, database=DATABASE, table=table)

    def create_topic(self, topic: str, partitions: int = PARTITIONS) -> None:
        """Create a topic as the service does, with LogAppendTime."""
        admin = TopicAdmin(self.kafka_settings(topic, partitions))
        try:
            admin.ensure()
        finally:
            admin.close()

    def create_table(self, table: str) -> None:
        """Create a table as the service does, from schema.sql."""
        ensure_table(self.clickhouse_settings(table))

    def stop_merges(self, table: str) -> None:
        """Stop merges, so that parts stay as they were inserted."""
        self.query(f"SYSTEM STOP MERGES `{DATABASE}`.`{table}`")

    def drop_table(self, table: str) -> None:
        """Drop a table, and wait until the engine is idle again."""
        self.query(f"DROP TABLE `{DATABASE}`.`{table}` SYNC")
        self.wait_until_idle()

    def query(self, sql: str) -> str:
        """Run a query; returns its result, tab-separated or in the format that it names.

        Raises:
            BenchError: the engine refuses it.
        """
        return self.post(sql.encode(), {}).decode().strip()

    def post(self, body: bytes, parameters: dict[str, str]) -> bytes:
        """POST a body; `parameters` go into the URL.

        Raises:
            BenchError: the engine refuses it.
        """
        url = f"{self.engine.url}/?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, body, timeout=_QUERY_SECS) as answer:  # noqa: S310 - our own engine
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise BenchError(f"the engine refused a query: {error.read().decode()[:500]}") from error

    def row_count(self, table: str) -> int:
        """Rows of a table by its parts, which costs the engine nothing; 0 while the table does not exist."""
        return int(
            self.query(
                "SELECT sum(rows) FROM system.parts"
                f" WHERE active AND database = '{DATABASE}' AND table = '{table}' FORMAT TSV"
            )
        )

    def bytes_per_row(self, table: str) -> dict[str, float]:
        """Bytes per row on disk: everything, and the columns alone.

        Raises:
            BenchError: the engine refuses it.
        """
        answer = self.query(
            "SELECT sum(bytes_on_disk) / sum(rows), sum(data_compressed_bytes) / sum(rows) FROM system.parts"
            f" WHERE active AND database = '{DATABASE}' AND table = '{table}'"
        )
        everything, columns = map(float, answer.split("\t"))
        return {"everything": everything, "columns": columns}

    def wait_until_idle(self) -> None:
        """Wait until no merge runs, so that work of an earlier measurement does not affect the next."""
        deadline = time.monotonic() + _SETTLE_SECS
        while self.query("SELECT count() FROM system.merges") != "0" and time.monotonic() < deadline:
            time.sleep(_SETTLE_POLL_SECS)


@contextmanager
def running_stack(engine_directory: Path | None = None) -> Iterator[BenchStack]:
    """Start broker and engine; both and their data are removed afterwards, except the data in `engine_directory`.

    Raises:
        local.errors.LocalError: one of them does not start.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as cleanup:
        directory = Path(name)
        kafka = KafkaServer(directory / "kafka", free_port())
        kafka.start()
        cleanup.callback(kafka.stop)
        engine = EngineServer(engine_directory or directory / "clickhouse", free_port())
        engine.start()
        cleanup.callback(engine.stop)
        yield BenchStack(kafka, engine, directory)
