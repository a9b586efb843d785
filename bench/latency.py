"""How long an event takes from Kafka to the table while traffic is steady."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from bench.drain import exactness
from bench.errors import BenchError
from bench.looking import looking
from bench.report import Figures
from bench.service import Program, running_service
from bench.stack import DATABASE, PARTITIONS, BenchStack
from bench.workload import append_times_ms, send_steadily
from local.service import Scrape

LIMIT_SECS = 1.5

_WARM_UP_EVENTS = 2_000
_POLL_SECS = 0.25  # inserts are about a second apart: none of them goes unseen
_PATIENCE_SECS = 60.0


def measure_latency(stack: BenchStack, program: Program, topic: str, rate: int, secs: float, table: str) -> Figures:
    """Send steadily to a service that has nothing else to do.

    An event's latency runs from its LogAppendTime to the end of the insert that stored it: `_ingested` of its row says
    which insert that was, the service's metric of the last insert when it ended.

    Raises:
        BenchError: the service does not keep up.
    """
    stack.create_topic(topic)
    kafka = stack.kafka.bootstrap_servers
    ends: set[float] = set()
    with running_service(stack, program, topic, table) as service:
        service.wait_until(lambda scrape: scrape.assigned == PARTITIONS, _PATIENCE_SECS)
        send_steadily(kafka, topic, rate, _WARM_UP_EVENTS / rate)
        before = service.wait_until_stored(_WARM_UP_EVENTS, _PATIENCE_SECS, every_secs=_POLL_SECS)
        with looking(lambda: ends.add(service.scrape().stored_at), _POLL_SECS):
            sent_per_sec = send_steadily(kafka, topic, rate, secs)
            events = round(rate * secs) + _WARM_UP_EVENTS
            after = service.wait_until_stored(events, _PATIENCE_SECS, every_secs=_POLL_SECS)
    ends.add(after.stored_at)
    ends.discard(before.stored_at)
    latencies = sorted(_latencies(stack, topic, table, before.stored_at, sorted(ends)))
    figures = {
        "latency_p50_secs": quantile(latencies, 0.5),
        "latency_p99_secs": quantile(latencies, 0.99),
        "latency_max_secs": latencies[-1],
        "latency_sent_per_sec": sent_per_sec,
        "latency_share_within_limit_by_service": share_within(before, after, LIMIT_SECS),
    }
    return figures | {f"latency_{name}": value for name, value in exactness(stack, table, events).items()}


def _latencies(stack: BenchStack, topic: str, table: str, after: float, ends: Sequence[float]) -> Iterator[float]:
    answer = stack.query(
        f"SELECT _partition, _offset, toUnixTimestamp64Milli(_ingested) FROM `{DATABASE}`.`{table}`"
        f" WHERE toUnixTimestamp64Milli(_ingested) >= {math.floor(after * 1000)} FORMAT TSV"
    )
    appended = append_times_ms(stack.kafka.bootstrap_servers, topic)
    for line in answer.splitlines():
        number, offset, ingested_ms = map(int, line.split("\t"))
        yield latency_secs(appended[number, offset], ingested_ms, ends)


def latency_secs(appended_ms: int, ingested_ms: int, ends: Sequence[float]) -> float:
    """Seconds from a record's append to the end of the insert that stored its row.

    `ends` (Unix time, ascending) are those of all inserts. Of two inserts in the same millisecond the later is meant:
    none is over within one.

    Raises:
        BenchError: the insert is not seen to end.
    """
    index = bisect_left(ends, (ingested_ms + 1) / 1000)
    if index == len(ends):
        raise BenchError("an insert was not seen to end: the latencies are not known")
    return ends[index] - appended_ms / 1000


def quantile(ascending: Sequence[float], share: float) -> float:
    """The least value that at least this share of all values do not exceed."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def share_within(before: Scrape, after: Scrape, limit_secs: float) -> float:
    """The share of rows stored between two scrapes that the service itself saw arrive within the limit."""
    within = _counted(after.latency_buckets, limit_secs) - _counted(before.latency_buckets, limit_secs)
    everything = _counted(after.latency_buckets, math.inf) - _counted(before.latency_buckets, math.inf)
    return within / everything


def _counted(buckets: Mapping[float, float], limit_secs: float) -> float:
    if limit_secs not in buckets:
        raise BenchError(f"the service's histogram has no bucket that ends at {limit_secs} s")
    return buckets[limit_secs]
