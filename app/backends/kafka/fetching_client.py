"""What fetches by librdkafka, as `ConfluentFetching` sees it, and what all such clients know of errors."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from confluent_kafka import KafkaError as LibraryError
from kafka import TopicPartition

from app.backends.kafka.confluent_errors import as_kafka_error, is_refusal, is_sum
from app.domain.records import RecordChunk


class Report(NamedTuple):
    """What a partition reports: an error, or that it was read to its end, and the offset of it if there is one."""

    partition: TopicPartition
    offset: int
    error: LibraryError


class Taken(NamedTuple):
    """Records, and what partitions report. Records that came after an error of their partition are left out."""

    chunks: Sequence[RecordChunk]
    reports: Sequence[Report]


class FetchingClient(Protocol):
    """Fetches from partitions at given offsets. It is in no group. Belongs to one thread."""

    def fetch(self, starts: Mapping[TopicPartition, int]) -> None:
        """Fetch from these partitions too, from these offsets on."""

    def stop(self, partitions: Sequence[TopicPartition]) -> None:
        """Fetch no more from these partitions; what was fetched of them does not come any more."""

    def take(self, max_count: int, timeout_secs: float, topic_ids: Mapping[str, str]) -> Taken:
        """What is there, otherwise the first that comes within the time; `topic_ids` are those of the chunks' topics.

        Raises:
            KafkaError: nothing comes, because the client cannot connect.
        """

    def close(self) -> None:
        """Disconnect. Closing again does nothing."""


class Failures:
    """The errors of a whole client: that of one broker is none as long as there are others."""

    def __init__(self) -> None:
        self._reason: LibraryError | None = None  # why the last connection failed
        self._problem: LibraryError | None = None  # why nothing can come

    def note(self, error: LibraryError) -> None:
        """The client has reported an error."""
        if is_sum(error):
            self._problem = self._reason or error
            return
        self._reason = error
        if is_refusal(error):
            self._problem = error

    def settle(self, *, has_come: bool) -> None:
        """A poll is over; `has_come` says whether anything came.

        Raises:
            KafkaError: nothing did, and errors say why.
        """
        problem, self._problem = self._problem, None
        if has_come:
            self._reason = None
        elif problem is not None:
            raise as_kafka_error(problem)


class UnsupportedOption(Exception):
    """The library cannot do what the settings need."""
