"""The file that quickens the start of Kafka is one that the JVM can use."""

from __future__ import annotations

import subprocess

import pytest

from local.kafka import KRAFT_VERSION
from local.kafka_jars import DEFAULT_CACHE, java, kafka_class_path, warm_up_options

pytestmark = pytest.mark.stack


def test_the_jvm_accepts_it() -> None:
    options = warm_up_options(KRAFT_VERSION, DEFAULT_CACHE)
    if not options:
        pytest.skip("`python -m local.fetch` makes it")
    # As the broker is started; with this mode the JVM ends where it would start without the file.
    command = [str(java()), *options, "-XX:AOTMode=on", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"]
    command += ["-cp", kafka_class_path(KRAFT_VERSION, DEFAULT_CACHE), "-version"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "aot" not in done.stdout, "it warns of nothing"
