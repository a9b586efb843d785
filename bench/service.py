"""The service as it is shipped, as a child process, watched through its own metrics."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app.settings import setting_names
from bench.errors import BenchError
from bench.stack import BenchStack
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess

ROOT = Path(__file__).resolve().parents[1]
LATENCY = "log_ingest_end_to_end_latency_seconds"

_START_SECS = 60.0
_START_POLL_SECS = 0.05
_STOP_SECS = 15.0
_SCRAPE_SECS = 10


@dataclass(frozen=True, slots=True)
class Scrape:
    """What /metrics said: totals over all labels, and the latency histogram by upper bound in seconds (cumulative)."""

    totals: Mapping[str, float]
    latency_buckets: Mapping[float, float]

    @property
    def consumed(self) -> int:
        """Records read so far."""
        return int(self.totals.get("log_ingest_messages_consumed_total", 0))

    @property
    def stored(self) -> int:
        """Rows stored so far."""
        return int(self.totals.get("log_ingest_rows_inserted_total", 0))

    @property
    def stored_at(self) -> float:
        """When the last insert had ended, Unix time; 0 before the first."""
        return self.totals.get("log_ingest_last_insert_timestamp_seconds", 0.0)

    @property
    def assigned(self) -> int:
        """Partitions that the service reads."""
        return int(self.totals.get("log_ingest_assigned_partitions", 0))


def read_metrics(text: str) -> Scrape:
    """Read the Prometheus text format."""
    totals: dict[str, float] = {}
    buckets: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{LATENCY}_bucket":
                buckets[float(sample.labels["le"])] = sample.value
            else:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    return Scrape(totals, buckets)


def clean_environment(environ: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The environment with our settings and no others, so that the rest is as shipped."""
    foreign = {*setting_names(), "PORT", "K_SERVICE", "CLOUD_RUN_WORKER_POOL"}
    foreign |= {f"{name}_FILE" for name in foreign}
    return {name: value for name, value in environ.items() if name not in foreign} | dict(own)


def environment(stack: BenchStack, topic: str, table: str) -> dict[str, str]:
    """What makes the shipped service read this topic, as a group of its own, into this table."""
    return clean_environment(
        os.environ,
        {
            "KAFKA_BOOTSTRAP_SERVERS": stack.kafka.bootstrap_servers,
            "KAFKA_TOPIC": topic,
            "KAFKA_GROUP_ID": f"bench-{table}",
            "CLICKHOUSE_URL": stack.engine.url,
            "CLICKHOUSE_DATABASE": stack.clickhouse_settings(table).database,
            "CLICKHOUSE_TABLE": table,
        },
    )


class Service:
    """One process of the service."""

    def __init__(self, python: str, environ: Mapping[str, str], log_file: Path) -> None:
        self._port = free_port()
        own = {"HTTP_HOST": LOOPBACK, "HTTP_PORT": str(self._port)}
        self._child = ChildProcess(
            "the service", [python, "-m", "app"], log_file, environment={**environ, **own}, directory=ROOT
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def start(self) -> None:
        """Start it and wait for the first answer of its HTTP side, which is long before it consumes."""
        self._child.start()
        self._child.wait_until(self._answers, _START_SECS)

    def stop(self) -> None:
        """As an operator stops it."""
        self._child.stop(_STOP_SECS)

    def scrape(self) -> Scrape:
        """Its metrics now."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self._port}/metrics", timeout=_SCRAPE_SECS) as answer:
            return read_metrics(answer.read().decode())

    def wait_until(self, is_reached: Callable[[Scrape], bool], every_secs: float, timeout_secs: float) -> Scrape:
        """Look at the metrics every so often, until they show something.

        Raises:
            BenchError: they did not in time.
            local.errors.LocalError: the service has ended.
        """
        deadline = time.monotonic() + timeout_secs
        while not is_reached(scrape := self.scrape()):
            self._child.require_running()
            if time.monotonic() > deadline:
                raise BenchError(
                    f"the service stands at {scrape.stored} rows for {timeout_secs:.0f} s; its log ends with:\n"
                    + self._child.log_tail()
                )
            time.sleep(every_secs)
        return scrape

    def wait_until_stored(self, count: int, every_secs: float, timeout_secs: float) -> Scrape:
        """Wait for so many rows; `stored_at` of the answer is when the last of them was stored.

        Raises:
            BenchError: the time was not enough.
            local.errors.LocalError: the service has ended.
        """
        reached = self.wait_until(lambda scrape: scrape.stored >= count, every_secs, timeout_secs)
        # The time of an insert is noted just after its rows: a second look has both of the same insert.
        return max(reached, self.scrape(), key=lambda scrape: scrape.stored_at)

    def _answers(self) -> bool:
        try:
            self.scrape()
        except OSError:
            return False
        return True


@contextmanager
def running_service(stack: BenchStack, python: str, topic: str, table: str) -> Iterator[Service]:
    """The service on a topic and a table, stopped afterwards."""
    service = Service(python, environment(stack, topic, table), stack.directory / f"{table}.log")
    try:
        service.start()
        yield service
    finally:
        service.stop()
