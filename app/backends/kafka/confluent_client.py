"""A consumer of confluent-kafka that only fetches, and what it reports besides records."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as LibraryError

from app.backends.kafka.confluent_errors import as_kafka_error, is_refusal, is_sum

_log = logging.getLogger("confluent_kafka")


class ConfluentClient:
    """Fetches from partitions at given offsets. It is in no group. Belongs to one thread."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Does not wait for a connection.

        Raises:
            UnsupportedOption: the library was built without something that the options need.
        """
        self._reason: LibraryError | None = None  # why the last connection failed
        self._problem: LibraryError | None = None  # why nothing can come
        try:
            self._consumer = Consumer(dict(options) | {"error_cb": self._note}, logger=_log)
        except (KafkaException, ValueError) as error:
            raise UnsupportedOption(str(error)) from error

    def fetch(self, starts: Mapping[tuple[str, int], int]) -> None:
        """Fetch from these partitions too, from these offsets on."""
        if starts:
            self._consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in starts.items()])

    def stop(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Fetch no more from these partitions; what was fetched of them does not come any more."""
        if partitions:
            self._consumer.incremental_unassign([TopicPartition(*place) for place in partitions])

    def take(self, max_count: int, timeout_secs: float) -> list[Message]:
        """Records and errors of partitions: those that are there, otherwise the first that comes within the time.

        Raises:
            KafkaError: nothing comes, because the client cannot connect.
        """
        messages: list[Message] = self._consumer.consume(max_count, 0)
        if not messages:
            messages = self._consumer.consume(1, timeout_secs)  # for more than one it would wait until all are there
            if messages and max_count > 1:
                messages += self._consumer.consume(max_count - 1, 0)
        problem, self._problem = self._problem, None
        if messages:
            self._reason = None
        elif problem is not None:
            raise as_kafka_error(problem)
        return messages

    def close(self) -> None:
        """Disconnect. Closing again does nothing."""
        self._consumer.close()

    def _note(self, error: LibraryError) -> None:
        """Note an error of the whole client: that of one broker is none as long as there are others."""
        if is_sum(error):
            self._problem = self._reason or error
            return
        self._reason = error
        if is_refusal(error):
            self._problem = error


class UnsupportedOption(Exception):
    """The library cannot do what the settings need."""
