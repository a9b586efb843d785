"""`python -m bench.bare_source COUNT`: reads a topic as the service does, with its KAFKA_CLIENT, and only counts.

Topic, broker and everything else come from the service's own settings. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Final

from app.backends.kafka.factory import open_source
from app.build.native import chosen_fetcher, installed
from app.environment import read_settings
from app.ports import RecordSource
from app.service import submit_to_thread
from bench.processes import peak_memory_mb

_POLL_SECS: Final = 0.1
_SILENCE_SECS: Final = 30.0


def main(arguments: list[str]) -> int:
    """Count records up to the given number. Returns 1 if there are fewer."""
    expected = int(arguments[0])
    settings = read_settings(os.environ)
    source = open_source(
        settings.kafka,
        on_lost=lambda *_: None,
        on_halted=lambda *_: None,
        on_unread=lambda _: None,
        submit=submit_to_thread,
        fetch_wait_secs=settings.batch.gather_secs,
        new_fetcher=chosen_fetcher(settings, installed()),
    )
    start_all(source)
    start, cpu_start = time.monotonic(), time.process_time()
    count = count_records(source, expected)
    elapsed, cpu = time.monotonic() - start, time.process_time() - cpu_start
    peak = peak_memory_mb(os.getpid())
    source.close(timeout_secs=5)
    print(json.dumps({"count": count, "secs": elapsed, "cpu_secs": cpu, "peak_memory_mb": peak}))
    return 0 if count == expected else 1


def start_all(source: RecordSource) -> None:
    """Join the group, and start every partition."""
    assigned = None
    while not assigned:
        assigned = source.poll(_POLL_SECS).assigned
    for partition in assigned:
        source.start(partition)


def count_records(source: RecordSource, expected: int) -> int:
    """Poll until `expected` records have arrived, or none arrives for a long time. Returns the count."""
    count, last_at = 0, time.monotonic()
    while count < expected and time.monotonic() - last_at < _SILENCE_SECS:
        for chunk in source.poll(_POLL_SECS).chunks:
            count += len(chunk.values)
            last_at = time.monotonic()
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
