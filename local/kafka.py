"""Apache Kafka on this machine, from its own jars: one node, KRaft or ZooKeeper, loopback only."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from local.errors import LocalError
from local.kafka_jars import DEFAULT_CACHE, java, kafka_class_path, warm_up_options
from local.kafka_probe import has_brokers
from local.kafka_security import NO_SECURITY, KafkaSecurity
from local.ports import LOOPBACK, free_port, is_listening, require_free_port
from local.process import ChildProcess, error_lines

KRAFT_VERSION = "4.3.1"
ZOOKEEPER_VERSION = "3.9.1"
START_TIMEOUT_SECS = 120.0  # a busy disk takes most of it
_ZOOKEEPER_SESSION_SECS = 2.0

Mode = Literal["kraft", "zookeeper"]

_JAVA_OPTIONS = (
    "-Xmx512m",
    "-XX:TieredStopAtLevel=1",  # starts in half the time; a broker copies bytes and computes little
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",  # or each start logs every setting
    "-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper=warn",
)
_SMALL_AND_SOLE = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",  # as in the compose files: a mistyped topic is an error
    # Each of these threads wakes up three times a second, and there are as many again for the controller.
    "num.io.threads": "2",
    "num.network.threads": "1",
    "group.coordinator.threads": "1",
    "share.coordinator.threads": "1",
    "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),  # the default takes 128 MB of the heap at once
}


class KafkaServer:
    """One broker with its data in `directory`, which is kept between starts.

    `port` serves PLAINTEXT on the loopback address; `security` adds listeners. `properties` override those of
    server.properties, and `java_options` those of the command line. Nodes with the same `cluster_id` can form one
    cluster; without it, each has its own.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        version: str | None = None,
        mode: Mode = "kraft",
        security: KafkaSecurity = NO_SECURITY,
        properties: Mapping[str, str] | None = None,
        java_options: Sequence[str] = (),
        cluster_id: str = "",
        cache: Path = DEFAULT_CACHE,
        log_file: Path | None = None,
    ) -> None:
        if security.scram_users and mode == "zookeeper":
            raise LocalError("SCRAM users are set up for KRaft only.")
        self.port = port
        self.mode = mode
        self.version = version or (KRAFT_VERSION if mode == "kraft" else ZOOKEEPER_VERSION)
        """Of the next start."""
        self.security = security
        self._directory = directory.absolute()
        self._data = self._directory / "data"
        self._own_properties = dict(properties or {})
        self._java_options = [*_JAVA_OPTIONS, f"-Djava.io.tmpdir={self._directory / 'tmp'}", *java_options]
        self._cluster_id = cluster_id or random_cluster_id()
        self._cache = cache
        self._log_file = log_file or self._directory / "kafka.log"
        self._broker: ChildProcess | None = None
        self._zookeeper: ChildProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients without TLS, as in KAFKA_BOOTSTRAP_SERVERS."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._child().pid

    @property
    def is_running(self) -> bool:
        """Whether the broker's process is running."""
        return self._broker is not None and self._broker.is_running

    def start(self, timeout_secs: float = START_TIMEOUT_SECS) -> None:
        """Start and wait until the broker reports its cluster.

        Raises:
            LocalError: the port is in use, the jars are missing and there is no network, or Kafka ended or did not
                answer in time.
        """
        require_free_port(self.port, "Kafka")  # else another broker could be taken for ours
        class_path = kafka_class_path(self.version, self._cache)
        (self._directory / "tmp").mkdir(parents=True, exist_ok=True)
        if self.mode == "zookeeper":
            properties = self._zookeeper_properties(self._start_zookeeper(class_path, timeout_secs))
        else:
            properties = self._kraft_properties(controller_port=free_port())
            self._format_once(class_path, properties)
        self._broker = self._java_child("Kafka", class_path, "kafka.Kafka", properties, self._log_file)
        self._broker.start()
        try:
            self._broker.wait_until(lambda: has_brokers(self.port), timeout_secs)
        except LocalError:
            self.kill()
            raise

    def require_running(self) -> None:
        """Raise LocalError, with the end of its log, if it has ended."""
        for child in (self._zookeeper, self._broker):
            if child is not None:
                child.require_running()

    def stop(self, timeout_secs: float = 20.0) -> None:
        """Shut down cleanly, so that the next start has nothing to recover."""
        for child in (self._broker, self._zookeeper):
            if child is not None:
                child.stop(timeout_secs)

    def kill(self) -> None:
        """SIGKILL. Acknowledged records are in the page cache, so they are there after the next start."""
        for child in (self._broker, self._zookeeper):
            if child is not None:
                child.kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay open without responses."""
        self._child().pause()

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._child().resume()

    def _child(self) -> ChildProcess:
        if self._broker is None:
            raise LocalError("Kafka was not started")
        return self._broker

    def _common_properties(self) -> dict[str, str]:
        plain = {"PLAINTEXT": f"PLAINTEXT://{LOOPBACK}:{self.port}"}
        listeners = plain | {name: f"{name}://{LOOPBACK}:{port}" for name, port in self.security.listener_ports.items()}
        return _SMALL_AND_SOLE | {
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(listeners.values()),
            "log.dirs": str(self._data),
            **self.security.properties(),
        }

    def _kraft_properties(self, controller_port: int) -> dict[str, str]:
        common = self._common_properties()
        names = ["PLAINTEXT", *self.security.listener_ports]
        return common | {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            # A single node need not wait for other votes, nor long for its own earlier session after a kill.
            "controller.quorum.election.timeout.ms": "100",
            "controller.quorum.fetch.timeout.ms": "200",
            "broker.session.timeout.ms": "6000",  # on a busy machine it is not heard of for seconds
            # A broker that nobody uses costs little: half of what it did was to record that nothing had happened.
            "broker.heartbeat.interval.ms": "1000",
            "metadata.max.idle.interval.ms": "0",
            "listeners": f"{common['listeners']},CONTROLLER://{LOOPBACK}:{controller_port}",
            "listener.security.protocol.map": ",".join(["CONTROLLER:PLAINTEXT", *(f"{name}:{name}" for name in names)]),
            **self._own_properties,
        }

    def _zookeeper_properties(self, zookeeper_port: int) -> dict[str, str]:
        return self._common_properties() | {
            "broker.id": "1",
            "zookeeper.connect": f"{LOOPBACK}:{zookeeper_port}",
            "zookeeper.session.timeout.ms": str(int(_ZOOKEEPER_SESSION_SECS * 1000)),
            **self._own_properties,
        }

    def _start_zookeeper(self, class_path: str, timeout_secs: float) -> int:
        port = free_port()
        properties = {
            "dataDir": str(self._directory / "zookeeper"),
            "clientPort": str(port),
            "clientPortAddress": LOOPBACK,
            "admin.enableServer": "false",
            "tickTime": "200",  # sessions last at least two ticks
        }
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        log_file = self._log_file.with_name("zookeeper.log")
        self._zookeeper = self._java_child("ZooKeeper", class_path, main, properties, log_file)
        self._zookeeper.start()
        self._zookeeper.wait_until(lambda: is_listening(port), timeout_secs)
        if self._data.exists() and not (self._data / ".kafka_cleanshutdown").exists():
            # It was killed the last time: ZooKeeper refuses its registration until the old session has expired.
            time.sleep(_ZOOKEEPER_SESSION_SECS + 0.5)
        return port

    def _format_once(self, class_path: str, properties: Mapping[str, str]) -> None:
        """Format new storage. Written to another directory and renamed, so that it is never half done."""
        if self._data.exists():
            return
        new_data = self._directory / "data.new"
        shutil.rmtree(new_data, ignore_errors=True)
        config = self._write_config("format", {**properties, "log.dirs": str(new_data)})
        command = [*self._java(), "-cp", class_path, "kafka.tools.StorageTool", "format"]
        command += [f"--cluster-id={self._cluster_id}", f"--config={config}", *self.security.format_options()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            output = done.stderr + done.stdout
            raise LocalError(f"Kafka could not prepare its storage in {self._data}:\n{error_lines(output) or output}")
        new_data.rename(self._data)

    def _java_child(
        self, name: str, class_path: str, main: str, properties: Mapping[str, str], log_file: Path
    ) -> ChildProcess:
        config = self._write_config(name.lower(), properties)
        command = [*self._java(), "-cp", class_path, main, str(config)]
        # Kafka reads no environment variables, but a JVM does: options for other programs must not reach it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JAVA_")}
        return ChildProcess(name, command, log_file, environment=environment, directory=self._directory)

    def _java(self) -> list[str]:
        return [str(java()), *warm_up_options(self.version, self._cache), *self._java_options]

    def _write_config(self, name: str, properties: Mapping[str, str]) -> Path:
        path = self._directory / f"{name}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        path.chmod(0o600)  # may hold passwords of listeners
        return path


def random_cluster_id() -> str:
    """A random id in Kafka's form."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
