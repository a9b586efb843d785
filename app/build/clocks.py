"""The component that compares our clock with those of Kafka and ClickHouse."""

import time
from collections.abc import Callable

from msgspec import Struct

from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.writer import ClickHouseWriter
from app.clocks import Clocks, ClockWatch
from app.component import Component, Repeating
from app.domain.statement import Statement
from app.health import Health
from app.metrics import Metrics
from app.settings import Settings
from app.telemetry.clocks import ClockTelemetry

_TIME = Statement("SELECT toUnixTimestamp64Milli(now64(3))")
_TIMEOUT_SECS = 5.0


class ClockParts(Struct, frozen=True):
    """The component, and a function that takes the times, Unix milliseconds, by which Kafka has dated records."""

    component: Component
    kafka_dated: Callable[[int], None]


def build_clocks(settings: Settings, metrics: Metrics) -> ClockParts:
    """The parts. Kafka's clock is watched only where records are read; ClickHouse's is read as the user of the role."""
    health = Health()
    has_ingest = "ingest" in settings.service.roles
    telemetry = ClockTelemetry("ClickHouse", metrics, health, is_read=True)
    clickhouse = ClockWatch(telemetry, clock=time.monotonic, wall_clock=time.time)
    kafka = ClockWatch(
        ClockTelemetry("Kafka", metrics, health, is_read=False), clock=time.monotonic, wall_clock=time.time
    )
    # With its own client: that of the pipeline may be busy with an insert.
    read_ms = ClickHouseWriter(settings.clickhouse).now_ms if has_ingest else _as_reader(settings)
    clocks = Clocks(clickhouse, kafka, telemetry, read_ms)
    return ClockParts(Repeating("clocks", clocks.check, health), kafka.dated)


def _as_reader(settings: Settings) -> Callable[[], int]:
    reader = ClickHouseReader(settings.clickhouse, settings.query)

    def read_ms() -> int:
        [[now_ms]] = reader.run(_TIME, timeout_secs=_TIMEOUT_SECS).rows
        return int(now_ms)

    return read_ms
