"""All processes of the local stack: started in order, watched, stopped in order."""

from __future__ import annotations

import json
import shlex
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import TextIO

from local.engine.server import EngineServer
from local.errors import LocalError
from local.follow import LogFollower
from local.kafka import KafkaServer
from local.lock import lock
from local.password import kept_password
from local.paths import ROOT
from local.ports import LOOPBACK, require_free_port, require_free_space
from local.process import ChildProcess
from local.service import as_shipped
from local.settings import LocalSettings

_MIN_FREE_BYTES = 1_000_000_000  # Kafka refuses writes on a full disk, and ClickHouse's merges need room
_SERVICE_TIMEOUT_SECS = 90.0
_SERVICE_STOP_SECS = 12.0  # the service promises to end within 8
_POLL_SECS = 0.25
_SAMPLES_PER_SEC = "20"
# It runs for hours with little to do. What it does again and again is compiled after ten calls and not after hundreds,
# which takes a tenth of a second more at the start, and it reports to its controller half as often.
_LASTING_KAFKA_OPTIONS = ("-XX:CompileThresholdScaling=0.1",)
_LASTING_KAFKA_PROPERTIES = {"broker.heartbeat.interval.ms": "2000"}
_USER = "ingest"  # as in docker-compose.yml
_SHARED = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_TOPIC",
    "CLICKHOUSE_URL",
    "CLICKHOUSE_USER",
    "CLICKHOUSE_PASSWORD",
    "RECEIVE_KEY",
)


class Stack:
    """Kafka, ClickHouse's engine, the service and sample logs, for one person on one machine.

    `environ` is the environment of the service; the addresses of Kafka and ClickHouse are added to it.
    """

    def __init__(self, settings: LocalSettings, environ: Mapping[str, str], show: Callable[[str], None]) -> None:
        self._settings = settings
        self._show = show
        directory = settings.directory.absolute()
        logs = directory / "log"
        self._kafka = KafkaServer(
            directory / "kafka",
            settings.kafka_port,
            properties=_LASTING_KAFKA_PROPERTIES,
            java_options=_LASTING_KAFKA_OPTIONS,
            cache=settings.cache,
            log_file=logs / "kafka.log",
        )
        self._engine = EngineServer(
            directory / "clickhouse",
            settings.clickhouse_port,
            user=_USER,
            password=kept_password(settings.password_file),
            log_file=logs / "clickhouse.log",
        )
        self._environment = environment = self._service_environment(environ)
        self._service = ChildProcess(
            "The service",
            [sys.executable, "-m", "app"],
            logs / "service.log",
            environment=environment,
            directory=ROOT,
        )
        self._samples = ChildProcess(
            "The stream of sample logs",
            [sys.executable, "producer.py", "--rate", _SAMPLES_PER_SEC, "--count", "0"],
            logs / "samples.log",
            environment=environment,
            directory=ROOT,
        )
        self._service_log = LogFollower(self._service.log_file, "service", show)
        self._lock: TextIO | None = None

    def check_machine(self) -> None:
        """Check that this stack can run here; call it first.

        Raises:
            LocalError: a port or the directory is in use, or the disk is full.
        """
        settings = self._settings
        require_free_space(settings.directory, _MIN_FREE_BYTES)
        settings.directory.mkdir(parents=True, exist_ok=True)
        self._lock = lock(settings.directory)
        if self._lock is None:
            raise LocalError(
                f"Another local stack is running in {settings.directory}. Stop it, or give this one "
                "a directory and ports of its own: LOCAL_DIR, LOCAL_KAFKA_PORT, LOCAL_CLICKHOUSE_PORT, LOCAL_HTTP_PORT."
            )
        require_free_port(settings.kafka_port, "Kafka", "choose another one with LOCAL_KAFKA_PORT=PORT")
        require_free_port(settings.clickhouse_port, "ClickHouse", "choose another one with LOCAL_CLICKHOUSE_PORT=PORT")
        require_free_port(settings.http_port, "the service", "choose another one with LOCAL_HTTP_PORT=PORT")

    def start(self, *, with_samples: bool) -> None:
        """Start everything.

        Raises:
            LocalError: a part did not start.
        """
        started = time.monotonic()
        self._write_environment()
        self._show(
            f"Starting Kafka {self._kafka.version} and ClickHouse's engine, data in {self._settings.directory} ..."
        )
        self._engine.launch()  # starts at the same time as Kafka
        self._kafka.start()
        self._show(f"Kafka answers on {self._kafka.bootstrap_servers}")
        self._engine.wait_until_ready()
        self._show(f"ClickHouse answers on {self._engine.url}")
        self._service.start()
        self._service.wait_until(self._service_is_ready, _SERVICE_TIMEOUT_SECS)
        if with_samples:
            self._samples.start()
        self._show(f"Everything is up after {time.monotonic() - started:.1f} s.\n\n{self._summary(with_samples)}\n")

    def watch(self) -> None:
        """Show the log of the service until this thread is interrupted.

        Raises:
            LocalError: a part has ended by itself.
        """
        samples_ran = self._samples.is_running
        while True:
            self._service_log.poll()
            for part in (self._kafka, self._engine, self._service):
                part.require_running()
            if samples_ran and not self._samples.is_running:
                samples_ran = False  # everything else works without them
                self._show(f"The sample logs have stopped; see {self._samples.log_file}")
            time.sleep(_POLL_SECS)

    def stop(self) -> None:
        """Stop everything, from the source of the logs to their store."""
        self._samples.stop()
        self._service.stop(_SERVICE_STOP_SECS)
        self._service_log.poll()
        self._kafka.stop()
        self._engine.stop()
        if self._lock is not None:
            self._lock.close()

    def _service_environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        port = str(self._settings.http_port)
        return {
            "KAFKA_TOPIC": "logs",
            **as_shipped(environ),
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka.bootstrap_servers,
            "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "CLICKHOUSE_URL": self._engine.url,
            "CLICKHOUSE_USER": self._engine.user,
            "CLICKHOUSE_PASSWORD": self._engine.password,
            "RECEIVE_KEY": kept_password(self._settings.receipt_key_file),
            "HTTP_HOST": LOOPBACK,
            "HTTP_PORT": port,
            "PORT": port,
            "PYTHONUNBUFFERED": "1",
        }

    def _write_environment(self) -> None:
        """Write what the commands of `python -m app` need to know of this stack, for a shell to read."""
        variables = {name: self._environment[name] for name in _SHARED}
        variables["LOG_ANALYTICS_URL"] = f"http://{LOOPBACK}:{self._settings.http_port}"
        file = self._settings.environment_file
        file.touch(mode=0o600)
        file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))

    def _service_is_ready(self) -> bool:
        self._service_log.poll()
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._settings.http_port}/ready", timeout=2) as answer:
                json.load(answer)
        except (OSError, ValueError):  # refused, not listening yet, or 503: not ready
            return False
        return True

    def _summary(self, with_samples: bool) -> str:
        settings = self._settings
        log_directory = settings.directory / "log"
        samples = (
            f"{_SAMPLES_PER_SEC} sample logs a second are being sent." if with_samples else "No sample logs are sent."
        )
        return (
            f"  Explorer    http://{LOOPBACK}:{settings.http_port}   also /api/v1/docs  /health  /metrics\n"
            f"  ClickHouse  {self._engine.url}   table logs.logs, user {_USER}, password in {settings.password_file}\n"
            f"  Kafka       {self._kafka.bootstrap_servers}   topic logs\n"
            f"  Output of each process: {log_directory}\n"
            f"  For commands such as audit, in a shell: . {settings.environment_file}\n"
            f"{samples} Ctrl-C stops everything; the data stays in {settings.directory}."
        )
