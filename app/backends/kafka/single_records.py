"""RecordReader on Kafka: reads one record at a time, in no group; commits nothing."""

import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, OffsetOutOfRangeError

from app.backends.kafka.errors import try_again
from app.backends.kafka.options import connection_options, groupless_consumer_options
from app.backends.kafka.topic import metadata_of
from app.backends.kafka.workarounds import open_client
from app.domain.records import OneRecord
from app.errors import KafkaCode, TryAgainLater
from app.settings import KafkaSettings

_REQUEST_MS: Final = 2_000  # somebody waits for it in a browser
_READ_SECS: Final = 3.0
_WAIT_SECS: Final = 5.0


class KafkaRecords:
    """Reads records of the topic. See `ports.RecordReader`. Connects for each: it is rare that somebody asks."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._alone = threading.Lock()

    def read(self, topic_id: str, partition: int, offset: int) -> OneRecord | None:
        """See `ports.RecordReader`."""
        wanted = TopicPartition(self._settings.topic, partition)
        doing = f"read offset {offset} of {self._settings.topic}/{partition}"
        if not self._alone.acquire(timeout=_WAIT_SECS):  # many askers must not become many connections
            raise TryAgainLater(f"cannot {doing}: other records are being read", code=KafkaCode.TIMEOUT)
        try:
            return self._read(wanted, offset) if self._has_id(topic_id) else None
        except OffsetOutOfRangeError:
            return None
        except (KafkaError, OSError) as error:
            raise try_again(error, doing) from error
        finally:
            self._alone.release()

    def _has_id(self, topic_id: str) -> bool:
        """Whether the topic is the one with this id, and not another of the same name."""
        patience = {"request_timeout_ms": _REQUEST_MS, "bootstrap_timeout_ms": _REQUEST_MS}
        with closing(open_client(KafkaAdminClient, connection_options(self._settings) | patience)) as admin:
            topic = metadata_of(admin, self._settings.topic)
        return topic is not None and str(topic["topic_id"]) == topic_id

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
