"""A producer of kafka-python for one topic, with the topic's limit for a record."""

import logging
from typing import Any

from kafka import KafkaProducer

from app.backends.kafka.topic import TopicAdmin
from app.backends.kafka.unreachable import explained_unreachable
from app.backends.kafka.workarounds import ask_again_for_lost_ids, fail_in_flight
from app.errors import KafkaCode, TryAgainLater
from app.settings import KafkaSettings

_log = logging.getLogger(__name__)

BATCH_BYTES = 256 * 1024
_USUAL_MAX_RECORD_BYTES = 1_000_000  # used if we may not read the topic's own limit
_CLOSE_SECS = 5.0


class ProducerClient:
    """One producer of kafka-python, and the largest record that it may send, in bytes."""

    def __init__(self, options: dict[str, Any], max_record_bytes: int) -> None:
        self.max_record_bytes = max_record_bytes
        self.producer: Any = KafkaProducer(
            **options, batch_size=min(BATCH_BYTES, max_record_bytes), max_request_size=max_record_bytes
        )
        ask_again_for_lost_ids(self.producer)

    def close(self, *, is_flushed: bool) -> None:
        """Disconnect; records in flight fail."""
        if not is_flushed:
            fail_in_flight(self.producer, _CLOSE_SECS)
        self.producer.close(timeout=_CLOSE_SECS)


def open_producer(settings: KafkaSettings, options: dict[str, Any]) -> ProducerClient:
    """Connect to Kafka; the topic must exist.

    Raises:
        TryAgainLater: Kafka does not answer (UNREACHABLE), or the topic does not exist (UNKNOWN_TOPIC).
    """
    with explained_unreachable(settings.bootstrap_servers):
        return ProducerClient(options, _max_record_bytes(settings))


def _max_record_bytes(settings: KafkaSettings) -> int:
    admin = TopicAdmin(settings)
    try:
        if admin.describe() is None:
            reason = f"topic {settings.topic} does not exist on {settings.bootstrap_servers}"
            raise TryAgainLater(reason, code=KafkaCode.UNKNOWN_TOPIC)
        return _topic_limit(admin)
    finally:
        admin.close()


def _topic_limit(admin: TopicAdmin) -> int:
    # Read in advance, because a record that the broker refuses ends an idempotent producer, which then fails
    # everything that is in flight.
    try:
        return int(admin.configs()["max.message.bytes"])
    except (TryAgainLater, KeyError) as error:
        _log.warning("The topic's record limit is unknown; assuming %d bytes: %s", _USUAL_MAX_RECORD_BYTES, error)
        return _USUAL_MAX_RECORD_BYTES
