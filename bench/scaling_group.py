"""A group of instances of the service as processes, of which there can be more or fewer."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from app.backends.kafka.topic import TopicAdmin
from app.settings import KafkaSettings
from bench.errors import BenchError
from bench.limited_service import JOURNAL_VARIABLE, RATE_VARIABLE
from bench.service import environment
from bench.stack import BenchStack
from local.service import ServiceProcess

_SERIES: Final = re.compile(r"^log_ingest_(\w+?)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)


class Reading(NamedTuple):
    """What one instance says."""

    assigned: int
    """Its partitions."""
    wanted: Mapping[str, float]
    """The instances that each of its partitions needs, by labels."""
    lag_secs: float
    """The greatest of its partitions."""


def limited_group(stack: BenchStack, table: str, *, capacity: int, partitions: int) -> InstanceGroup:
    """A group without instances; each of them would store `capacity` records per second of a new topic at most.

    The topic has the name of the table.
    """
    servers = stack.kafka.bootstrap_servers
    admin = TopicAdmin(KafkaSettings(bootstrap_servers=servers, topic=table, topic_partitions=partitions))
    admin.ensure()
    admin.close()
    settings = {
        "ROLES": "ingest",
        "KAFKA_GROUP_ID": f"bench-{table}",
        "KAFKA_TOPIC_PARTITIONS": str(partitions),
        "BATCH_MAX_ROWS": str(capacity),
        "SCALING_CAPACITY_PER_SEC": str(capacity),
        "AUDIT_INTERVAL_SECS": "0",
        RATE_VARIABLE: str(capacity),
    }
    return InstanceGroup(environment(stack, table, table, settings), stack.directory)


class InstanceGroup:
    """Instances with the same environment; each has a log and a journal of its own in a directory."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self.environment = environment
        self.changes: list[tuple[float, int]] = []
        """Unix times, and the number of instances from then on."""
        self._directory = directory
        self._running: list[ServiceProcess] = []
        self._numbers: list[int] = []
        self._stopping: list[threading.Thread] = []
        self._started = 0

    def __len__(self) -> int:
        return len(self._running)

    def become(self, count: int) -> None:
        """Start instances, or stop the newest ones as an operator does, without waiting for either."""
        if count != len(self):
            self.changes.append((time.time(), count))
        while len(self._running) < count:
            self._started += 1
            journal = self._journal(self._started)
            journal.touch()
            service = ServiceProcess(
                {**self.environment, JOURNAL_VARIABLE: str(journal)},
                self._directory / f"instance-{self._started}.log",
                module="bench.limited_service",
            )
            service.launch()
            self._numbers.append(self._started)
            self._running.append(service)
        while len(self._running) > count:
            self._numbers.pop()
            stopping = threading.Thread(target=self._running.pop().stop, daemon=True)
            stopping.start()
            self._stopping.append(stopping)

    def wait_until(self, is_reached: Callable[[], bool], timeout_secs: float) -> None:
        """Wait for something that the instances do.

        Raises:
            BenchError: they did not in time; with the ends of their logs.
        """
        deadline = time.monotonic() + timeout_secs
        while not is_reached():
            if time.monotonic() > deadline:
                raise BenchError(f"the group did not get there within {timeout_secs:.0f} s\n{self.log()}")
            time.sleep(1)

    def stop(self) -> None:
        """Stop all of them, and wait."""
        self.become(0)
        for stopping in self._stopping:
            stopping.join()

    def journals(self) -> list[str]:
        """The journals of all instances that there ever were, in the order of their start."""
        return [self._journal(number).read_text() for number in range(1, self._started + 1)]

    def _journal(self, number: int) -> Path:
        return self._directory / f"instance-{number}.jsonl"

    def log(self) -> str:
        """The end of the log of each instance that there ever was."""
        paths = sorted(self._directory.glob("instance-*.log"))
        return "\n".join(f"{path.name}:\n{path.read_text()[-1500:]}" for path in paths)

    def read(self) -> dict[int, Reading]:
        """What the instances say that respond, by their number: one that is starting or stopping does not."""
        numbered = zip(list(self._numbers), list(self._running), strict=False)
        return {number: reading for number, service in numbered if (reading := _read(service)) is not None}

    def reading(self) -> int:
        """The instances that have partitions."""
        return sum(reading.assigned > 0 for reading in self.read().values())


def _read(service: ServiceProcess) -> Reading | None:
    try:
        text = service.metrics()
    except OSError:
        return None
    series = [(name, labels, float(value)) for name, labels, value in _SERIES.findall(text)]
    return Reading(
        assigned=int(sum(value for name, _, value in series if name == "assigned_partitions")),
        wanted={labels: value for name, labels, value in series if name == "wanted_instances"},
        lag_secs=max((value for name, _, value in series if name == "lag_seconds"), default=0.0),
    )
