"""A consumer of confluent-kafka that only fetches: it makes an object of each record."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka import TopicPartition as LibraryPartition
from kafka import TopicPartition

from app.backends.kafka.confluent_chunks import taken_of
from app.backends.kafka.fetching_client import Failures, Taken, UnsupportedOption

_log = logging.getLogger("confluent_kafka")


class ConfluentClient:
    """A `FetchingClient`."""

    def __init__(self, options: Mapping[str, Any], *, has_keys: bool = False) -> None:
        """Does not wait for a connection. With `has_keys` chunks hold the keys of records.

        Raises:
            UnsupportedOption: the library was built without something that the options need.
        """
        self._has_keys = has_keys
        self._failures = Failures()
        try:
            self._consumer = Consumer(dict(options) | {"error_cb": self._failures.note}, logger=_log)
        except (KafkaException, ValueError) as error:
            raise UnsupportedOption(str(error)) from error

    def fetch(self, starts: Mapping[TopicPartition, int]) -> None:
        """See `FetchingClient`."""
        if starts:
            self._consumer.incremental_assign(
                [LibraryPartition(topic, number, offset) for (topic, number), offset in starts.items()]
            )

    def stop(self, partitions: Sequence[TopicPartition]) -> None:
        """See `FetchingClient`."""
        if partitions:
            self._consumer.incremental_unassign([LibraryPartition(*place) for place in partitions])

    def take(self, max_count: int, timeout_secs: float, topic_ids: Mapping[str, str]) -> Taken:
        """See `FetchingClient`."""
        messages: list[Message] = self._consumer.consume(max_count, 0)
        if not messages:
            messages = self._consumer.consume(1, timeout_secs)  # for more than one it would wait until all are there
            if messages and max_count > 1:
                messages += self._consumer.consume(max_count - 1, 0)
        self._failures.settle(has_come=bool(messages))
        return taken_of(messages, topic_ids, has_keys=self._has_keys)

    def close(self) -> None:
        """See `FetchingClient`."""
        self._consumer.close()
