"""A client of librdkafka that copies records into a few pieces of memory, by compiled code (`native/src/fetcher.rs`).

The library is the one that confluent-kafka brings and has loaded. That package makes an object of each record, and of
its value, which costs more than all else that reading does.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import cimpl
from kafka import TopicPartition

from app.backends.kafka.compiled_fetcher import NewFetcher, PackedRecords
from app.backends.kafka.fetching_client import Failures, Report, Taken, UnsupportedOption
from app.domain.records import Headers, Partition, RecordChunk

_log = logging.getLogger(__name__)
_library_log = logging.getLogger("confluent_kafka")

_OF_A_GROUP: Final = {"group.id", "group.protocol"}  # confluent-kafka wants them; this client can do without a group
_LEVELS: Final = (logging.CRITICAL,) * 3 + (logging.ERROR, logging.WARNING, logging.INFO, logging.INFO, logging.DEBUG)


class PackedClient:
    """A `FetchingClient`."""

    def __init__(self, new_fetcher: NewFetcher, options: Mapping[str, Any], *, has_keys: bool = False) -> None:
        """Does not wait for a connection. With `has_keys` chunks hold the keys of records.

        Raises:
            UnsupportedOption: the library was built without something that the options need.
            OSError: the library is none that the compiled code knows.
        """
        texts = [(name, _text(value)) for name, value in options.items() if name not in {*_OF_A_GROUP, "oauth_cb"}]
        try:
            self._fetcher = new_fetcher(cimpl.__file__, texts, options.get("oauth_cb"), has_keys)
        except ValueError as error:
            raise UnsupportedOption(str(error)) from error
        self._failures = Failures()

    def fetch(self, starts: Mapping[TopicPartition, int]) -> None:
        """See `FetchingClient`."""
        for (topic, number), offset in starts.items():
            self._fetcher.start(topic, number, offset)

    def stop(self, partitions: Sequence[TopicPartition]) -> None:
        """See `FetchingClient`."""
        for topic, number in partitions:
            self._fetcher.stop(topic, number)

    def take(self, max_count: int, timeout_secs: float, topic_ids: Mapping[str, str]) -> Taken:
        """See `FetchingClient`."""
        taken = self._fetcher.take(max_count, int(timeout_secs * 1000))
        for level, line in taken.lines:
            _library_log.log(_LEVELS[level], "%s", line)
        for number, text in taken.failures:
            self._failures.note(LibraryError(number, text))
        self._failures.settle(has_come=bool(taken.records or taken.reports))
        return Taken(
            [_chunk(records, topic_ids[records.topic]) for records in taken.records],
            [
                Report(TopicPartition(topic, partition), offset, LibraryError(number, text))
                for topic, partition, offset, number, text in taken.reports
            ],
        )

    def close(self) -> None:
        """See `FetchingClient`."""
        self._fetcher.close()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _chunk(records: PackedRecords, topic_id: str) -> RecordChunk:
    offsets, times = (memoryview(numbers).cast("q") for numbers in (records.offsets, records.times))
    return RecordChunk(
        partition=Partition(records.topic, records.partition),
        topic_id=topic_id,
        offsets=offsets,
        timestamps_ms=times,
        values=records.values,
        headers=_headers(records, offsets),
        next_offset=offsets[-1] + 1,
        keys=records.keys,
    )


def _headers(records: PackedRecords, offsets: Sequence[int]) -> Sequence[Headers]:
    headers: list[Headers] = [()] * len(offsets)
    for number, found in records.headers:
        if any(name is None for name, _ in found):
            # As without compiled code, where confluent-kafka cannot return them.
            place = f"offset {offsets[number]} of {records.topic}/{records.partition}"
            _log.warning("The record at %s is read without its headers: a name of theirs is not UTF-8", place)
        else:
            headers[number] = [(name or "", value) for name, value in found]
    return headers
