"""Measures how long an event takes from Kafka to the table under steady load."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from bench.drain import exactness
from bench.errors import BenchError
from bench.polling import polling
from bench.report import Measurements
from bench.service import Program, running_service
from bench.stack import DATABASE, PARTITIONS, BenchStack
from bench.workload import append_times_ms, send_steadily
from local.service import Scrape

LIMIT_SECS = 1.5

_WARM_UP_EVENTS, _WARM_UP_SECS = 2_000, 5.0
_POLL_SECS = 0.25  # inserts are about a second apart, so none is missed
_TIMEOUT_SECS = 60.0


def measure_latency(
    stack: BenchStack, program: Program, topic: str, rate: int, secs: float, table: str
) -> Measurements:
    """Send events at a steady rate to an otherwise idle service.

    An event's latency runs from its LogAppendTime to the end of the insert that stored it: `_ingested` of its row
    identifies the insert, and the service's metric of the last insert gives its end.

    Raises:
        BenchError: the service does not keep up.
    """
    stack.create_topic(topic)
    kafka = stack.kafka.bootstrap_servers
    ends: set[float] = set()
    with running_service(stack, program, topic, table) as service:
        service.wait_until(lambda scrape: scrape.assigned == PARTITIONS, _TIMEOUT_SECS)
        warm_up = min(_WARM_UP_EVENTS, round(_WARM_UP_SECS * rate))
        send_steadily(kafka, topic, rate, warm_up / rate)
        before = service.wait_until_stored(warm_up, _TIMEOUT_SECS, every_secs=_POLL_SECS)
        with polling(lambda: ends.add(service.scrape().stored_at), _POLL_SECS):
            sent_per_sec = send_steadily(kafka, topic, rate, secs)
            events = round(rate * secs) + warm_up
            after = service.wait_until_stored(events, _TIMEOUT_SECS, every_secs=_POLL_SECS)
    ends.add(after.stored_at)
    ends.discard(before.stored_at)
    latencies = sorted(latencies_of(stack, topic, table, before.stored_at, sorted(ends)))
    measurements = {
        "latency_p50_secs": quantile(latencies, 0.5),
        "latency_p99_secs": quantile(latencies, 0.99),
        "latency_p999_secs": quantile(latencies, 0.999),
        "latency_max_secs": latencies[-1],
        "latency_sent_per_sec": sent_per_sec,
        "latency_share_within_limit_by_service": share_within(before, after, LIMIT_SECS),
    }
    return measurements | {f"latency_{name}": value for name, value in exactness(stack, table, events).items()}


def latencies_of(stack: BenchStack, topic: str, table: str, after: float, ends: Sequence[float]) -> Iterator[float]:
    """The latency of each row that was inserted at or after a moment (Unix time); see `latency_secs`.

    Raises:
        BenchError: the end of an insert was not observed, or the topic cannot be read.
    """
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

    `ends` (Unix time, ascending) are the ends of all inserts. Of two inserts in the same millisecond the later one
    counts, because no insert takes less than a millisecond.

    Raises:
        BenchError: the end of the insert was not observed.
    """
    index = bisect_left(ends, (ingested_ms + 1) / 1000)
    if index == len(ends):
        raise BenchError("the end of an insert was not observed: the latencies are not known")
    return ends[index] - appended_ms / 1000


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def share_within(before: Scrape, after: Scrape, limit_secs: float) -> float:
    """The share of rows stored between two scrapes that are within the limit by the service's own histogram."""
    within = _counted(after.latency_buckets, limit_secs) - _counted(before.latency_buckets, limit_secs)
    everything = _counted(after.latency_buckets, math.inf) - _counted(before.latency_buckets, math.inf)
    return within / everything


def _counted(buckets: Mapping[float, float], limit_secs: float) -> float:
    if limit_secs not in buckets:
        raise BenchError(f"the service's histogram has no bucket that ends at {limit_secs} s")
    return buckets[limit_secs]
