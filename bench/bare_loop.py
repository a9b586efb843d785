"""`python -m bench.bare_loop COUNT`: reads a topic with kafka-python as the service does, and only counts records.

Topic, broker and everything else come from the service's own settings. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from app.backends.kafka.options import consumer_options
from app.environment import read_settings
from app.settings import KafkaSettings

_POLL_MS = 100
_SILENCE_SECS = 30.0


def main(arguments: list[str]) -> int:
    """Count records up to the given number. Returns 1 if there are fewer."""
    expected = int(arguments[0])
    settings = read_settings(os.environ)
    consumer = KafkaConsumer(**consumer_options(settings.kafka, fetch_wait_secs=settings.batch.gather_secs))
    assign_all(consumer, settings.kafka)
    start, cpu_start = time.monotonic(), time.process_time()
    count = count_records(consumer, expected)
    elapsed, cpu = time.monotonic() - start, time.process_time() - cpu_start
    consumer.close(autocommit=False)
    print(json.dumps({"count": count, "secs": elapsed, "cpu_secs": cpu}))
    return 0 if count == expected else 1


def assign_all(consumer: Any, settings: KafkaSettings) -> None:
    """Assign every partition of the topic from its beginning, without a consumer group."""
    numbers = consumer.partitions_for_topic(settings.topic)
    partitions = [TopicPartition(settings.topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    for partition, offset in consumer.beginning_offsets(partitions).items():
        consumer.seek(partition, offset)


def count_records(consumer: Any, expected: int) -> int:
    """Poll until `expected` records have arrived, or none arrives for a long time. Returns the count."""
    count, last_at = 0, time.monotonic()
    while count < expected and time.monotonic() - last_at < _SILENCE_SECS:
        for records in consumer.poll(timeout_ms=_POLL_MS).values():
            count += len(records)
            last_at = time.monotonic()
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
