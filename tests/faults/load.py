"""A steady stream of events into a topic, with a line in the journal for each acknowledged event."""

from __future__ import annotations

import json
import threading
import time
import uuid
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.faults.journal import ODD, Event, Journal, RecordId

_FLUSH_SECS = 120.0
_PORTION_SECS = 0.02
_USUAL_MAX_BYTES = 1_000_000  # default limit of a producer, less overhead


class Load:
    """Sends on its own thread until `finish`, to the partitions in turn.

    A record that is never acknowledged does not count, because nothing is promised about it.
    """

    def __init__(self, bootstrap_servers: str, topic: str, partitions: int, journal: Journal, per_sec: int) -> None:
        self._topic = topic
        self._partitions = partitions
        self._journal = journal
        self._per_sec = per_sec
        self._topic_id = ""
        self._numbers = 0
        self._is_flowing = threading.Event()
        self._should_end = threading.Event()
        self._last: dict[int, int] = {}
        self.unacknowledged = 0
        self._bootstrap_servers = bootstrap_servers
        self._lock = threading.Lock()
        self._producer = self._new_producer()
        self._transactional: KafkaProducer | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def flow(self, topic_id: str) -> None:
        """Send to the topic, which has this id now."""
        if topic_id != self._topic_id:
            self._topic_id = topic_id
            self._last = {}
        self._is_flowing.set()

    def pause(self) -> None:
        """Send nothing until `flow`. Returns when everything sent is acknowledged."""
        self._is_flowing.clear()
        self._producer.flush(timeout=_FLUSH_SECS)

    def finish(self) -> None:
        """Stop; everything sent has been acknowledged, or counts as `unacknowledged`."""
        self._should_end.set()
        self._is_flowing.set()
        self._thread.join()
        self._producer.flush(timeout=_FLUSH_SECS)
        self._close(timeout_secs=10.0)

    def abandon(self) -> None:
        """Stop without waiting, after another failure."""
        self._should_end.set()
        self._is_flowing.set()
        self._close(timeout_secs=1.0)

    def renew(self) -> None:
        """Replace the producer by a new one; call only while paused."""
        self._close(timeout_secs=10.0)
        self._producer, self._transactional = self._new_producer(), None

    def last_acknowledged(self) -> dict[int, int]:
        """The highest acknowledged offset of each partition of the current topic."""
        return dict(self._last)

    def send_one(self, partition: int = 0) -> None:
        """One event besides."""
        self._send(partition)
        self._producer.flush(timeout=_FLUSH_SECS)

    def send_odd(
        self,
        value: bytes | None,
        *,
        partition: int,
        headers: Sequence[tuple[str, bytes]] = (),
        compression: str | None = None,
    ) -> None:
        """Send a record that is no event of the load; it must still become a row."""
        producer = self._producer
        is_large = len(value or b"") > _USUAL_MAX_BYTES
        if is_large:
            producer = self._new_producer(compression_type=compression, max_request_size=2 * len(value or b""))
        key = b"tombstone" if value is None else None  # the client sends no record without key and value
        sent = producer.send(self._topic, value, key=key, partition=partition, headers=list(headers))
        metadata = sent.get(timeout=_FLUSH_SECS)
        if is_large:
            producer.close(timeout=10)
        self._journal.acknowledge(RecordId(self._topic_id, partition, metadata.offset), ODD)

    def send_transaction(self, *, records: int, is_committed: bool) -> None:
        """Events that count only when their transaction does."""
        if self._transactional is None:
            self._transactional = self._new_producer(transactional_id=f"load-{uuid.uuid4()}")
            self._transactional.init_transactions()
        self._transactional.begin_transaction()
        made = [self._new_event() for _ in range(records)]
        sent = [
            (event, self._transactional.send(self._topic, value, partition=index % self._partitions))
            for index, (event, value) in enumerate(made)
        ]
        acknowledged = [(event, future.get(timeout=_FLUSH_SECS)) for event, future in sent]
        if not is_committed:
            self._transactional.abort_transaction()
            return
        for event, _ in acknowledged:
            self._journal.sent[event.id] = event.crc
        self._transactional.commit_transaction()
        for event, metadata in acknowledged:
            self._acknowledge(self._topic_id, event, metadata)

    def _new_producer(self, **options: object) -> KafkaProducer:
        return KafkaProducer(
            bootstrap_servers=self._bootstrap_servers,
            acks="all",
            linger_ms=5,
            delivery_timeout_ms=300_000,
            request_timeout_ms=10_000,
            max_block_ms=300_000,
            **options,
        )

    def _close(self, timeout_secs: float) -> None:
        for producer in (self._producer, self._transactional):
            if producer is not None:
                with suppress(KafkaError):
                    producer.close(timeout=timeout_secs)

    def _run(self) -> None:
        due_at = time.monotonic()
        while not self._should_end.is_set():
            if not self._is_flowing.is_set():
                self._is_flowing.wait()
                due_at = time.monotonic()
                continue
            for _ in range(max(1, round(self._per_sec * _PORTION_SECS))):
                self._send(self._numbers % self._partitions)
            due_at = max(due_at + _PORTION_SECS, time.monotonic() - 1.0)  # a backlog of a dead broker is not caught up
            self._should_end.wait(max(0.0, due_at - time.monotonic()))

    def _send(self, partition: int) -> None:
        event, value = self._new_event()
        self._journal.sent[event.id] = event.crc
        sent = self._producer.send(self._topic, value, partition=partition)
        sent.add_callback(partial(self._acknowledge, self._topic_id, event))
        sent.add_errback(self._fail)

    def _new_event(self) -> tuple[Event, bytes]:
        with self._lock:
            self._numbers += 1
            number = self._numbers
        text = f"event {number} {'x' * (number * 7919 % 200)}"
        value = json.dumps({"message": text, "user_id": str(number), "level": "INFO", "service": "load"}).encode()
        return Event(str(number), zlib.crc32(text.encode())), value

    def _acknowledge(self, topic_id: str, event: Event, metadata: Any) -> None:
        self._journal.acknowledge(RecordId(topic_id, metadata.partition, metadata.offset), event)
        if topic_id == self._topic_id:
            self._last[metadata.partition] = max(self._last.get(metadata.partition, -1), metadata.offset)

    def _fail(self, error: BaseException) -> None:
        self.unacknowledged += 1
