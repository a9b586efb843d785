"""RecordReader on Kafka: reads one record at a time, in no group; commits nothing."""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing, contextmanager
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, OffsetOutOfRangeError, UnknownTopicIdError, for_code

from app.backends.kafka.errors import try_again
from app.backends.kafka.options import connection_options, groupless_consumer_options
from app.backends.kafka.workarounds import open_client
from app.domain.records import OneRecord
from app.errors import KafkaCode, TryAgainLater
from app.settings import KafkaSettings

_REQUEST_MS: Final = 2_000  # somebody waits for it in a browser
_READ_SECS: Final = 3.0
_WAIT_SECS: Final = 5.0


class KafkaRecords:
    """Reads records of the topics. See `ports.RecordReader`. Connects for each: it is rare that somebody asks."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._alone = threading.Lock()

    def read(self, topic_id: str, partition: int, offset: int) -> OneRecord | None:
        """See `ports.RecordReader`."""
        doing = f"read offset {offset} of partition {partition} of the topic with the id {topic_id}"
        if not self._alone.acquire(timeout=_WAIT_SECS):  # many askers must not become many connections
            raise TryAgainLater(f"cannot {doing}: other records are being read", code=KafkaCode.TIMEOUT)
        try:
            topic = self._name_of(topic_id)
            return self._read(TopicPartition(topic, partition), offset) if topic is not None else None
        except OffsetOutOfRangeError:
            return None
        except (KafkaError, OSError) as error:
            raise try_again(error, doing) from error
        finally:
            self._alone.release()

    def _name_of(self, topic_id: str) -> str | None:
        """The name of the topic with this id, whether it is read still or not; None if it is no longer there."""
        try:
            wanted = uuid.UUID(topic_id)
        except ValueError:  # of no Kafka
            return None
        patience = {"request_timeout_ms": _REQUEST_MS, "bootstrap_timeout_ms": _REQUEST_MS}
        with closing(open_client(KafkaAdminClient, connection_options(self._settings) | patience)) as admin:
            [topic] = admin.describe_topics([wanted])
        if topic["error_code"] == UnknownTopicIdError.errno:
            return None
        if topic["error_code"]:
            raise for_code(topic["error_code"])(f"topic with the id {topic_id}")
        return str(topic["name"])

    def _read(self, wanted: TopicPartition, offset: int) -> OneRecord | None:
        options = groupless_consumer_options(self._settings, "log-explain", request_ms=_REQUEST_MS, max_poll_records=1)
        with _left_group(open_client(KafkaConsumer, options)) as consumer:
            consumer.assign([wanted])
            consumer.seek(wanted, offset)
            deadline = self._clock() + _READ_SECS
            while self._clock() < deadline:
                for found in consumer.poll(timeout_ms=200).get(wanted, ()):
                    is_wanted = found.offset == offset  # of a compacted topic it may be a later one
                    return OneRecord(found.timestamp, found.value, found.headers, found.key) if is_wanted else None
        raise TryAgainLater(f"Kafka returns nothing at offset {offset} of {wanted}", code=KafkaCode.TIMEOUT)


@contextmanager
def _left_group(consumer: KafkaConsumer) -> Any:
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False)
