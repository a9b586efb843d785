"""`python -m local` as a user runs it, on its own ports and in its own directory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from local.kafka_jars import DEFAULT_CACHE
from local.paths import ROOT
from local.ports import free_port

_START_SECS = 120.0


def own_environment(directory: Path) -> dict[str, str]:
    """Environment with free ports and its own directory; Kafka's jars come from the common cache."""
    ours = {
        "LOCAL_DIR": str(directory / "local"),
        "LOCAL_CACHE_DIR": str(DEFAULT_CACHE),
        "LOCAL_KAFKA_PORT": str(free_port()),
        "LOCAL_CLICKHOUSE_PORT": str(free_port()),
        "LOCAL_HTTP_PORT": str(free_port()),
    }
    return {**os.environ, **ours}


def clickhouse_password(environment: Mapping[str, str]) -> str:
    """The password that a stack in this environment has made."""
    return (Path(environment["LOCAL_DIR"]) / "clickhouse-password").read_text().strip()


class LocalRun:
    """One run of the command, with its output so far."""

    def __init__(self, environment: Mapping[str, str], log_file: Path, options: Sequence[str] = ()) -> None:
        self._log_file = log_file
        with log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
            )

    @property
    def output(self) -> str:
        """All that it has printed."""
        return self._log_file.read_text()

    def wait_until_up(self) -> None:
        """Wait until it reports that everything is running."""
        deadline = time.monotonic() + _START_SECS
        while "Everything is up" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def descendants(self) -> list[psutil.Process]:
        """The processes it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill it and all processes it has started."""
        left = self.descendants() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for process in left:
            if process.is_running():
                process.kill()
