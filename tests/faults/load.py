"""A steady stream of events into a topic, with a line in the journal for each that Kafka has acknowledged."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from typing import Any

from kafka import KafkaProducer

from tests.faults.journal import ODD, Event, Journal, Place

_FLUSH_SECS = 120.0
_PORTION_SECS = 0.02


class Load:
    """Sends from a thread of its own until it is told to finish; the partitions take turns.

    A record that is never acknowledged is none of ours: nobody has promised anything about it.
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
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap_servers,
            acks="all",
            linger_ms=5,
            delivery_timeout_ms=300_000,
            request_timeout_ms=10_000,
            max_block_ms=300_000,
        )
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def flow(self, topic_id: str) -> None:
        """Send to the topic, which has this id now."""
        if topic_id != self._topic_id:
            self._topic_id = topic_id
            self._last = {}
        self._is_flowing.set()

    def pause(self) -> None:
        """Send nothing until it is to flow again. Returns when all that was sent is acknowledged."""
        self._is_flowing.clear()
        self._producer.flush(timeout=_FLUSH_SECS)

    def finish(self) -> None:
        """The end; all that was sent has been acknowledged, or counts as `unacknowledged`."""
        self._should_end.set()
        self._is_flowing.set()
        self._thread.join()
        self._producer.flush(timeout=_FLUSH_SECS)
        self._producer.close(timeout=10)

    def last_acknowledged(self) -> dict[int, int]:
        """The highest acknowledged offset of each partition of the topic as it is now."""
        return dict(self._last)

    def send_one(self, partition: int = 0) -> None:
        """One event besides."""
        self._send(partition)
        self._producer.flush(timeout=_FLUSH_SECS)

    def send_odd(self, value: bytes | None, partition: int = 0, headers: list[tuple[str, bytes]] | None = None) -> None:
        """A record that is no event of ours; it must become a row all the same."""
        sent = self._producer.send(self._topic, value, partition=partition, headers=headers)
        metadata = sent.get(timeout=_FLUSH_SECS)
        self._journal.acknowledge(Place(self._topic_id, partition, metadata.offset), ODD)

    def _run(self) -> None:
        due_at = time.monotonic()
        while not self._should_end.is_set():
            if not self._is_flowing.is_set():
                self._is_flowing.wait()
                due_at = time.monotonic()
                continue
            for _ in range(max(1, round(self._per_sec * _PORTION_SECS))):
                self._send(self._numbers % self._partitions)
            due_at = max(due_at + _PORTION_SECS, time.monotonic() - 1.0)  # what a dead broker kept back is not made up
            self._should_end.wait(max(0.0, due_at - time.monotonic()))

    def _send(self, partition: int) -> None:
        self._numbers += 1
        event_id, text = str(self._numbers), f"event {self._numbers} {'x' * (self._numbers * 7919 % 200)}"
        self._journal.send(text, event_id)
        value = json.dumps({"message": text, "user_id": event_id, "level": "INFO", "service": "load"}).encode()
        event = Event(event_id, self._journal.sent[event_id])
        sent = self._producer.send(self._topic, value, partition=partition)
        sent.add_callback(partial(self._acknowledge, self._topic_id, event))
        sent.add_errback(self._fail)

    def _acknowledge(self, topic_id: str, event: Event, metadata: Any) -> None:
        self._journal.acknowledge(Place(topic_id, metadata.partition, metadata.offset), event)
        if topic_id == self._topic_id:
            self._last[metadata.partition] = max(self._last.get(metadata.partition, -1), metadata.offset)

    def _fail(self, error: BaseException) -> None:
        self.unacknowledged += 1
