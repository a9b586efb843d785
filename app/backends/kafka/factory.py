"""The only module that chooses which Kafka client reads."""

from collections.abc import Callable

from app.backends.kafka.options import METADATA_SECS
from app.backends.kafka.source import KafkaSource
from app.domain.records import Partition
from app.ports import RecordSource
from app.settings import KafkaSettings


def open_source(
    settings: KafkaSettings,
    *,
    read_topic_id: Callable[[], str],
    on_lost: Callable[[Partition, int, int], None],
    on_halted: Callable[[Partition, str], None],
    metadata_secs: float = METADATA_SECS,
    has_keys: bool = False,
) -> RecordSource:
    """Connect to Kafka as a member of the group. Belongs to the thread that polls.

    `read_topic_id` returns the id of the topic as it is now, or raises TryAgainLater. `on_lost(partition, first, next)`
    is called for offsets that Kafka deleted before they were read, `on_halted(partition, reason)` for a partition that
    must not be read any further; both from within `poll`. New partitions, and a recreated topic, are noticed within
    `metadata_secs`. With `has_keys` chunks hold the keys of records.

    Raises:
        TryAgainLater: Kafka does not answer.
    """
    return KafkaSource(
        settings,
        read_topic_id=read_topic_id,
        on_lost=on_lost,
        on_halted=on_halted,
        metadata_secs=metadata_secs,
        has_keys=has_keys,
    )
