"""The only module that chooses which Kafka client reads."""

import time
from collections.abc import Callable, Mapping

from app.backends.kafka.options import MAX_POLL_RECORDS, METADATA_SECS
from app.backends.kafka.source import KafkaSource
from app.backends.kafka.topics import KafkaTopics, TopicWatch
from app.domain.records import Partition
from app.pipeline.task import Submit
from app.ports import RecordSource
from app.settings import KafkaSettings


def open_source(
    settings: KafkaSettings,
    *,
    on_lost: Callable[[Partition, int, int], None],
    on_halted: Callable[[Partition, str], None],
    on_unread: Callable[[Mapping[str, str]], None],
    submit: Submit,
    metadata_secs: float = METADATA_SECS,
    max_poll_records: int = MAX_POLL_RECORDS,
    has_keys: bool = False,
) -> RecordSource:
    """Connect to Kafka as a member of the group. Belongs to the thread that polls.

    `on_lost(partition, first, next)` is called for offsets that Kafka deleted before they were read,
    `on_halted(partition, reason)` for a partition that must not be read any further, and `on_unread` with all topics
    of KAFKA_TOPIC and KAFKA_TOPICS that cannot be read, by name, with the reason, whenever these change: all from
    within `poll`, the last one here too. New topics and partitions, and a recreated topic, are noticed within
    `metadata_secs`; `submit` runs the calls that look for topics. A poll returns `max_poll_records` at most; with
    `has_keys` chunks hold the keys of records.

    Raises:
        TryAgainLater: Kafka does not answer.
    """
    watch = None
    if not settings.topic_choice.is_only_main:
        watch = TopicWatch(
            KafkaTopics(settings), on_unread=on_unread, every_secs=metadata_secs, clock=time.monotonic, submit=submit
        )
    return KafkaSource(
        settings,
        topics=KafkaTopics(settings),
        watch=watch,
        on_lost=on_lost,
        on_halted=on_halted,
        metadata_secs=metadata_secs,
        max_poll_records=max_poll_records,
        has_keys=has_keys,
    )
