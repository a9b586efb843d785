"""The events of the measurements, and sending them to Kafka."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

from app.domain.log_event import LogEvent
from bench.errors import BenchError
from bench.stack import PARTITIONS
from sending.sample_logs import SampleLogs

EVENTS_PER_SEC = 10_000  # of the generated shop, and of the steady load
_SEED = 20
_BACKPRESSURE_SECS = 0.05
_PACE_SECS = 0.005
_FLUSH_SECS = 60
_READ_SECS = 60.0
_READ_AT_ONCE = 10_000

# A backlog consists of large batches in Kafka, steady traffic of small ones.
_BACKLOG_LINGER_MS = 50
_STEADY_LINGER_MS = 5
_PATIENT = {"transaction.timeout.ms": "600000"}  # a backlog takes longer than the minute that it has by default

AppendTimes = dict[tuple[int, int], int]
Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Properties of the events."""

    mean_bytes: float
    share_with_attributes: float
    """Share of events with at least one key without a column."""


def backlog_events(count: int) -> Iterator[bytes]:
    """Events whose times are evenly spaced and end now. Every call at the same moment returns the same."""
    pace = _Pace(time.time() - count / EVENTS_PER_SEC)
    logs = SampleLogs(_SEED, pace)
    for event in islice(logs, count):
        pace.now += 1 / EVENTS_PER_SEC
        yield event


class _Pace:
    """A clock that the consumer of events advances."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def kind_of(events: Sequence[bytes]) -> Kind:
    """Describe a sample of events."""
    known = LogEvent.model_fields.keys() - {"attributes"}
    with_attributes = sum(bool(json.loads(event).keys() - known) for event in events)
    return Kind(sum(map(len, events)) / len(events), with_attributes / len(events))


def load(bootstrap_servers: str, topic: str, count: int) -> None:
    """Put `count` events on a topic, evenly over its partitions, lz4. Returns when all are acknowledged.

    Raises:
        BenchError: Kafka did not acknowledge all of them.
    """
    send_all(bootstrap_servers, topic, backlog_events(count))


def send_all(bootstrap_servers: str, topic: str, events: Iterable[bytes]) -> None:
    """Put events on a topic as fast as Kafka takes them, like `load`.

    Raises:
        BenchError: Kafka did not acknowledge all of them.
    """
    producer = _Sender(bootstrap_servers, topic, _BACKLOG_LINGER_MS)
    for event in events:
        producer.send(event)
    producer.finish()


def send_records(bootstrap_servers: str, topic: str, records: Iterable[tuple[bytes, Headers]]) -> None:
    """The same with records that have headers.

    Raises:
        BenchError: Kafka did not acknowledge all of them.
    """
    producer = _Sender(bootstrap_servers, topic, _BACKLOG_LINGER_MS)
    for value, headers in records:
        producer.send(value, headers)
    producer.finish()


def send_at_once(bootstrap_servers: str, topic: str, events: Iterable[bytes], partitions: int) -> float:
    """Send events in one transaction, so that all can be read at the same moment; returns that moment (Unix time).

    Raises:
        BenchError: Kafka did not acknowledge all of them.
    """
    producer = _Sender(
        bootstrap_servers, topic, _BACKLOG_LINGER_MS, partitions, {"transactional.id": f"bench-{topic}", **_PATIENT}
    )
    producer.begin()
    for event in events:
        producer.send(event)
    producer.finish()
    return producer.commit()


def send_steadily(bootstrap_servers: str, topic: str, rate: int, secs: float, partitions: int = PARTITIONS) -> float:
    """Send `rate` events per second for a while, each stamped when it is sent; returns the achieved rate.

    Raises:
        BenchError: Kafka did not acknowledge all of them.
    """
    producer, logs = _Sender(bootstrap_servers, topic, _STEADY_LINGER_MS, partitions), SampleLogs(_SEED)
    count, sent = round(rate * secs), 0
    start = time.monotonic()
    while sent < count:
        due = min(count, round((time.monotonic() - start) * rate))
        for event in islice(logs, due - sent):
            producer.send(event)
        sent = due
        producer.wait(_PACE_SECS)
    elapsed = time.monotonic() - start
    producer.finish()
    return count / elapsed


def append_times_ms(bootstrap_servers: str, topic: str) -> AppendTimes:
    """When Kafka appended each record of a topic (Unix time in ms), by partition and offset.

    Raises:
        BenchError: the topic could not be read to its end.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "bench-read-back",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
        return _read_to_end(consumer)
    finally:
        consumer.close()


def _read_to_end(consumer: Consumer) -> AppendTimes:
    times: AppendTimes = {}
    ended: set[int] = set()
    deadline = time.monotonic() + _READ_SECS
    while len(ended) < PARTITIONS:
        if time.monotonic() > deadline:
            raise BenchError(f"a topic could not be read back within {_READ_SECS:.0f} s")
        for message in consumer.consume(_READ_AT_ONCE, timeout=1.0):
            number, offset, error = message.partition(), message.offset(), message.error()
            assert number is not None
            assert offset is not None
            if error is None:
                times[number, offset] = message.timestamp()[1]
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(number)
            else:
                raise BenchError(f"a topic could not be read back: {error}")
    return times


class _Sender:
    """A producer that sends events to the partitions in turn and counts refused ones."""

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        linger_ms: int,
        partitions: int = PARTITIONS,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._topic = topic
        self._partitions = partitions
        self._sent = 0
        self._refused = 0
        own = {"bootstrap.servers": bootstrap_servers, "compression.type": "lz4", "linger.ms": linger_ms, "acks": "all"}
        self._producer = Producer({**own, **options})

    def begin(self) -> None:
        """Begin a transaction; the options must name one."""
        self._producer.init_transactions()
        self._producer.begin_transaction()

    def commit(self) -> float:
        """Commit the transaction; returns the moment before (Unix time)."""
        at = time.time()
        self._producer.commit_transaction()
        return at

    def send(self, event: bytes, headers: Headers = ()) -> None:
        """Send one event; waits while the queue is full."""
        partition, self._sent = self._sent % self._partitions, self._sent + 1
        while True:
            try:
                self._producer.produce(
                    self._topic, event, partition=partition, on_delivery=self._on_delivery, headers=list(headers)
                )
            except BufferError:
                self.wait(_BACKPRESSURE_SECS)
            else:
                return

    def wait(self, secs: float) -> None:
        """Poll the producer for a while."""
        self._producer.poll(secs)

    def finish(self) -> None:
        """Wait for all acknowledgements.

        Raises:
            BenchError: not all events were acknowledged.
        """
        waiting = self._producer.flush(_FLUSH_SECS)
        if waiting or self._refused:
            raise BenchError(f"Kafka did not take {waiting + self._refused} of {self._sent} events")

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused += 1
