"""The table of capacity.md: what events a day need, computed from what the benches have measured."""

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).resolve().parent.parent / "bench/results"

PEAK: Final = 5
"""The busiest minute by the day's average."""
PER_INSTANCE: Final = 16_000
"""Events per second of one instance: four fifths of SCALING_CAPACITY_PER_SEC's default, as controllers count."""
TABLE_DAYS, KAFKA_DAYS, COPIES = 30, 7, 3  # CLICKHOUSE_RETENTION_DAYS, KAFKA_TOPIC_RETENTION_HOURS, replication
PER_DAY: Final = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)

_DAY_SECS: Final = 86_400
_LEAST_INSTANCES, _LEAST_PARTITIONS = 2, 4
_PARTITIONS_PER_INSTANCE: Final = 3
_HEADS: Final = (
    *("events a day", "average /s", "peak /s", "partitions", "instances", "cores: service", "ClickHouse", "Kafka"),
    *("ClickHouse's disk", "Kafka's disk, all copies"),
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What one event costs, as measured."""

    row_bytes: float
    kafka_bytes: float
    service_cpu_secs: float
    clickhouse_cpu_secs: float
    kafka_cpu_secs: float

    @classmethod
    def measured(cls) -> "Costs":
        """Those of bench/results."""
        throughput = _results("throughput")["median"]
        return cls(
            row_bytes=_results("storage")["bytes_per_row"]["ours"]["all"]["all"],
            kafka_bytes=_results("kafka_storage")["bytes_per_event"]["small"],
            service_cpu_secs=throughput["service_cpu_secs_per_million"] / 1e6,
            clickhouse_cpu_secs=throughput["engine_cpu_secs_per_million"] / 1e6,
            kafka_cpu_secs=throughput["kafka_cpu_secs_per_million"] / 1e6,
        )


def table() -> str:
    """A row for each number of events a day."""
    lines = [f"| {' | '.join(_HEADS)} |", f"|{'--:|' * len(_HEADS)}"]
    lines += [f"| {' | '.join(_row(per_day, Costs.measured()))} |" for per_day in PER_DAY]
    return "\n" + "\n".join(lines) + "\n"


def _row(per_day: int, costs: Costs) -> list[str]:
    average = per_day / _DAY_SECS
    peak = PEAK * average
    instances = max(_LEAST_INSTANCES, ceil(peak / PER_INSTANCE))
    return [
        f"{per_day:,}",
        _plain(average),
        _plain(peak),
        f"{max(_LEAST_PARTITIONS, _PARTITIONS_PER_INSTANCE * instances)}",
        f"{instances}",
        *(f"{peak * secs:.2f}" for secs in (costs.service_cpu_secs, costs.clickhouse_cpu_secs, costs.kafka_cpu_secs)),
        _size(per_day * costs.row_bytes * TABLE_DAYS),
        _size(per_day * costs.kafka_bytes * KAFKA_DAYS * COPIES),
    ]


def _plain(number: float) -> str:
    return f"{number:,.0f}"


def _size(count: float) -> str:
    return f"{count / 1e12:.1f} TB" if count >= 1e12 else f"{count / 1e9:,.0f} GB"


def _results(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found
