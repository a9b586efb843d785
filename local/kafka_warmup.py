"""What the JVM computes at each start of Kafka, kept in a file: it halves the CPU time of a start.

The file is an ahead-of-time cache of the JVM (JEP 483, written by JEP 514): loaded and linked classes. It belongs to
one JVM and one set of jars; a JVM that it does not fit starts without it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from local.kafka import KRAFT_VERSION, KafkaServer
from local.kafka_jars import warm_up_file
from local.ports import free_port

_WRITE_SECS = 180.0  # the JVM writes it while it ends


def warm_up(cache: Path) -> None:
    """Start a broker and stop it, to write the file for the next ones, if there is none.

    Raises:
        LocalError: Kafka cannot be downloaded or started.
    """
    file = warm_up_file(KRAFT_VERSION, cache)
    if file.exists():
        return
    with tempfile.TemporaryDirectory(prefix="kafka-warm-up-") as scratch:
        _run(Path(scratch), cache)  # makes its storage: by a JVM of its own, which would write the file too
        written = file.with_suffix(".new")
        _run(Path(scratch), cache, f"-XX:AOTCacheOutput={written}")
    if written.exists():  # a JVM that could not write it says so and ends as usual
        written.rename(file)


def _run(directory: Path, cache: Path, *java_options: str) -> None:
    broker = KafkaServer(directory, free_port(), java_options=java_options, cache=cache)
    try:
        broker.start()
    finally:
        broker.stop(_WRITE_SECS)
