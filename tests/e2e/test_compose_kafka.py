"""Kafka as the compose files set it up: their settings start a real broker, their commands do what they say."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from local.kafka import KRAFT_VERSION, ZOOKEEPER_VERSION, answers_admin_requests
from local.kafka_jars import DEFAULT_CACHE, java, kafka_class_path
from local.ports import answers, free_port
from local.process import ChildProcess
from tests.compose import KRAFT, ZOOKEEPER, services

pytestmark = pytest.mark.stack

START_SECS = 60
# Of a container rather than of Kafka's configuration.
NOT_PROPERTIES = ("CLUSTER_ID", "KAFKA_HEAP_OPTS", "KAFKA_OPTS")


@dataclass(frozen=True)
class Place:
    """Where this machine has what a container has by its own name, port and folder."""

    folder: Path
    ports: Mapping[str, int]

    def move(self, text: str) -> str:
        """A setting or an argument, as it must be here."""
        text = text.replace("://kafka:", "://127.0.0.1:").replace("://localhost:", "://127.0.0.1:")
        text = text.replace("://0.0.0.0:", "://127.0.0.1:").replace("://:", "://127.0.0.1:")
        text = (
            text.replace("@kafka:", "@127.0.0.1:").replace("=kafka:", "=127.0.0.1:").replace("zookeeper:", "127.0.0.1:")
        )
        for container_port, port in self.ports.items():
            text = text.replace(f":{container_port}", f":{port}")
        return text.replace("/var/lib/kafka/data", str(self.folder / "data"))


class Java:
    """Programs of one version of Kafka."""

    def __init__(self, version: str, folder: Path) -> None:
        self._class_path = kafka_class_path(version, DEFAULT_CACHE)
        self._folder = folder

    def run(self, main: str, *arguments: str | Path) -> None:
        """Run one that ends by itself."""
        done = subprocess.run(self._command(main, arguments), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def child(self, name: str, main: str, *arguments: str | Path) -> ChildProcess:
        """One that goes on, not started yet."""
        return ChildProcess(name, self._command(main, arguments), self._folder / f"{name}.log")

    def properties_file(self, name: str, properties: Mapping[str, str]) -> Path:
        """Write a configuration file."""
        path = self._folder / f"{name}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return path

    def _command(self, main: str, arguments: Sequence[str | Path]) -> list[str]:
        return [str(java()), "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", self._class_path, main, *map(str, arguments)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, {"19092": free_port(), "9092": free_port(), "9093": free_port(), "2181": free_port()})


@pytest.fixture
def kraft(place: Place) -> Iterator[dict[str, Any]]:
    stack = services(KRAFT)
    tools = Java(KRAFT_VERSION, place.folder)
    config = tools.properties_file("kafka", _properties(stack["kafka"], place))
    cluster_id = stack["kafka"]["environment"]["CLUSTER_ID"]
    tools.run("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", config)
    broker = tools.child("kafka", "kafka.Kafka", config)
    try:
        _start(broker, place)
        _create_topic(stack, tools, place)
        yield stack
    finally:
        broker.stop()


@pytest.fixture
def zookeeper(place: Place) -> Iterator[dict[str, Any]]:
    stack = services(ZOOKEEPER)
    tools = Java(ZOOKEEPER_VERSION, place.folder)
    port = place.ports["2181"]
    environment = stack["zookeeper"]["environment"]
    settings = {
        "dataDir": str(place.folder / "zookeeper"),
        "clientPort": str(port),
        "clientPortAddress": "127.0.0.1",
        "tickTime": environment["ZOOKEEPER_TICK_TIME"],
        "admin.enableServer": "false",
        environment["KAFKA_OPTS"].removeprefix("-Dzookeeper.").partition("=")[0]: "ruok",
    }
    keeper = tools.child(
        "zookeeper",
        "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        tools.properties_file("zookeeper", settings),
    )
    broker = tools.child("broker", "kafka.Kafka", tools.properties_file("broker", _properties(stack["kafka"], place)))
    try:
        keeper.start()
        keeper.wait_until(lambda: answers(port), START_SECS)
        _start(broker, place)
        _create_topic(stack, tools, place)
        yield stack
    finally:
        broker.stop()
        keeper.stop()


def test_kraft_settings_start_a_broker_with_the_topic(kraft: dict[str, Any], place: Place) -> None:
    assert _topic(place) == (4, "LogAppendTime")


def test_zookeeper_settings_start_a_broker_with_the_topic(zookeeper: dict[str, Any], place: Place) -> None:
    assert _topic(place) == (4, "LogAppendTime")


def test_zookeepers_health_check_tells_it_from_an_empty_port(zookeeper: dict[str, Any], place: Place) -> None:
    def exit_code(port: int) -> int:
        _, *command = zookeeper["zookeeper"]["healthcheck"]["test"]
        # `config` doubles every dollar again, for Compose to read.
        here = [word.replace("/2181", f"/{port}").replace("$$", "$") for word in command]
        return subprocess.run(here, capture_output=True, check=False).returncode

    assert (exit_code(place.ports["2181"]), exit_code(free_port())) == (0, 1)


def _properties(kafka: dict[str, Any], place: Place) -> dict[str, str]:
    """What the image makes of the environment: KAFKA_A_B is a.b."""
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): place.move(value)
        for name, value in kafka["environment"].items()
        if name not in NOT_PROPERTIES
    }
    return {"log.dirs": str(place.folder / "data"), **properties}


def _start(broker: ChildProcess, place: Place) -> None:
    broker.start()
    broker.wait_until(lambda: answers(place.ports["9092"]), START_SECS)
    broker.wait_until(lambda: answers_admin_requests(f"127.0.0.1:{place.ports['9092']}"), START_SECS)


def _create_topic(stack: dict[str, Any], tools: Java, place: Place) -> None:
    _, *options = stack["kafka-init"]["entrypoint"]
    for _ in range(2):  # the second `docker compose up` must find it harmless
        tools.run("org.apache.kafka.tools.TopicCommand", *map(place.move, options))


def _topic(place: Place) -> tuple[int, str]:
    """Partitions and kind of time, as a program of this machine sees them through the external listener."""
    admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{place.ports['9092']}")
    try:
        [topic] = admin.describe_topics(["logs"])
        from kafka.admin import ConfigResource

        print(admin.describe_configs([ConfigResource("TOPIC", "logs")]))
        return len(topic["partitions"]), ""
    finally:
        admin.close()
