"""Messages of confluent-kafka as chunks. Whole lists at a time: a call from Python for each record costs most."""

import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeVar

from confluent_kafka import Message
from kafka import TopicPartition

from app.backends.kafka.confluent_errors import is_end
from app.backends.kafka.fetching_client import Report, Taken
from app.domain.records import Headers, Partition, RecordChunk

_log = logging.getLogger(__name__)

_Place = TypeVar("_Place", bound=Hashable)

# What all messages have that are no errors.
_Get = Callable[[Message], Any]
_TOPIC: Final[_Get] = Message.topic
_NUMBER: Final[_Get] = Message.partition
_OFFSET: Final[_Get] = Message.offset
_TIME: Final[_Get] = Message.timestamp  # with its kind
_VALUE: Final[_Get] = Message.value
_HEADERS: Final[_Get] = Message.headers
_KEY: Final[_Get] = Message.key


def taken_of(messages: Sequence[Message], topic_ids: Mapping[str, str], *, has_keys: bool) -> Taken:
    """The records as chunks, and the other messages as reports."""
    reports: Sequence[Report] = ()
    if any(map(Message.error, messages)):
        messages, reports = _parted(messages)
    chunks = [_chunk_of(batch, partition, topic_ids, has_keys=has_keys) for partition, batch in _by_partition(messages)]
    return Taken(chunks, reports)


def _parted(messages: Sequence[Message]) -> tuple[list[Message], list[Report]]:
    records, reports = [], []
    failed = set()
    for message in messages:
        partition, error = TopicPartition(message.topic(), message.partition()), message.error()
        if error is not None:
            reports.append(Report(partition, _OFFSET(message), error))
            if not is_end(error):
                failed.add(partition)
        elif partition not in failed:
            records.append(message)
    return records, reports


def _by_partition(messages: Sequence[Message]) -> Iterable[tuple[Partition, Sequence[Message]]]:
    """The messages of each partition in their order; none of them may be an error."""
    topics, numbers = list(map(_TOPIC, messages)), list(map(_NUMBER, messages))
    if topics and topics.count(topics[0]) == len(topics):  # numbers alone are compared faster
        return ((Partition(topics[0], number), batch) for number, batch in _by_place(numbers, messages))
    return _by_place(map(Partition, topics, numbers), messages)


def _by_place(places: Iterable[_Place], messages: Sequence[Message]) -> Iterable[tuple[_Place, Sequence[Message]]]:
    """The messages of each place in their order; `places` are those of the messages."""
    found: dict[_Place, list[Message]] = defaultdict(list)
    start = 0
    for place, run in groupby(places):
        end = start + len(list(run))
        found[place] += messages[start:end]
        start = end
    return found.items()


def _chunk_of(
    messages: Sequence[Message], partition: Partition, topic_ids: Mapping[str, str], *, has_keys: bool
) -> RecordChunk:
    """The chunk of one partition's messages, of which there is at least one."""
    offsets = list(map(_OFFSET, messages))
    return RecordChunk(
        partition=partition,
        topic_id=topic_ids[partition.topic],
        offsets=offsets,
        timestamps_ms=list(map(itemgetter(1), map(_TIME, messages))),
        values=list(map(_VALUE, messages)),
        headers=_headers(messages),
        next_offset=offsets[-1] + 1,
        keys=list(map(_KEY, messages)) if has_keys else None,
    )


def _headers(messages: Sequence[Message]) -> list[Headers]:
    found: list[Headers | None] = []
    # By `map`, which checks what each call returns: a call in a loop is not checked once that has run for a while.
    headers_of = map(_HEADERS, messages)
    while len(found) < len(messages):
        try:
            found.extend(headers_of)
        except SystemError:
            # confluent-kafka 2.16.1 has no way to return a name that is not UTF-8: it returns a result and an error,
            # and must not be asked again. The record counts for more than its headers.
            message = messages[len(found)]
            place = f"offset {message.offset()} of {message.topic()}/{message.partition()}"
            _log.warning("The record at %s is read without its headers: a name of theirs is not UTF-8", place)
            found.append(None)
    return [headers or () for headers in found] if any(found) else [()] * len(found)
