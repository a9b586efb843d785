"""Reports what a controller needs that adds and removes instances: lag in seconds, arrivals, instances wanted."""

from collections.abc import Callable, Collection, Mapping, Set
from typing import Final

from app.domain.records import Partition, RecordChunk
from app.health import Health
from app.metrics import Metrics
from app.scaling.arrivals import Arrivals
from app.scaling.capacity import MeasuredCapacity
from app.scaling.demand import Load, Target, wanted_instances
from app.telemetry.partitions import labels

_DIGITS: Final = 3  # of the numbers in /health


class DemandReport:
    """Belongs to the thread of the loop.

    What was reported last stays until it is known again, or the partitions are lost: a controller must not take
    "unknown" for "idle".
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        target: Target,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._target = target
        self._clock = clock
        self._wall_clock = wall_clock
        self._arrivals: dict[Partition, Arrivals] = {}
        self._loads: dict[Partition, Load] = {}
        self._read_ms: dict[Partition, int] = {}
        self._capacity = MeasuredCapacity()
        self.assigned(())

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Partitions were assigned; what is known of those that were ours before stays known."""
        for lost in self._loads.keys() - partitions:
            self._metrics.wanted_instances.remove(*labels(lost))
        self._arrivals = {p: arrivals for p, arrivals in self._arrivals.items() if p in partitions}
        self._loads = {p: load for p, load in self._loads.items() if p in partitions}
        self._read_ms = {}
        self._capacity.interrupt()
        self._report()

    def read(self, chunk: RecordChunk) -> None:
        """A chunk was read."""
        self._read_ms[chunk.partition] = chunk.timestamps_ms[-1]

    def lag(
        self, lag: Mapping[Partition, int], next_offsets: Mapping[Partition, int], storable: Set[Partition]
    ) -> None:
        """Records behind the committed offsets, of the partitions whose lag is known.

        The lag of others than `storable` wants no instances: they could not store it either.
        """
        if not storable:
            self._capacity.interrupt()
        known = {p: next_offsets[p] for p in lag if p in next_offsets}
        self._capacity.add(known, lag, self._clock())
        secs = {p: self._lag_secs(p, next_offset, lag[p]) for p, next_offset in known.items()}
        for partition, lag_secs in secs.items():
            self._metrics.lag_seconds.labels(*labels(partition)).set(lag_secs)
        self._loads |= {p: Load(self._arrivals[p].per_sec(), lag[p] if p in storable else 0) for p in known}
        self._health.note(lag_secs=round(max(secs.values()), _DIGITS) if secs else None)
        self._report()

    def _lag_secs(self, partition: Partition, next_offset: int, lag: int) -> float:
        arrivals, now = self._arrivals.setdefault(partition, Arrivals()), self._clock()
        arrivals.add(next_offset + lag, now)
        waiting_secs = arrivals.waiting_secs(next_offset, now)
        if waiting_secs is not None:
            return waiting_secs
        # Older than what was seen of the partition: the time of the record that was read last says how old.
        read_ms = self._read_ms.get(partition)
        since_read = self._wall_clock() - read_ms / 1000 if read_ms is not None else 0.0
        return max(arrivals.seen_secs(now), since_read)

    def _report(self) -> None:
        arrivals, measured = sum(load.arrivals_per_sec for load in self._loads.values()), self._capacity.per_sec
        wanted = {p: wanted_instances(load, self._target) for p, load in self._loads.items()}
        for partition, instances in wanted.items():
            self._metrics.wanted_instances.labels(*labels(partition)).set(instances)
        self._metrics.arrivals.set(arrivals)
        self._metrics.measured_capacity.set(measured or 0)
        self._health.note(
            scaling={
                "wanted_instances": round(sum(wanted.values()), _DIGITS),
                "arrivals_per_sec": round(arrivals, _DIGITS),
                "capacity_per_sec": self._target.capacity_per_sec,
                "measured_capacity_per_sec": None if measured is None else round(measured, _DIGITS),
            }
        )
