"""Kafka as the compose files set it up: their settings alone start a broker, and the service works with it."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.backends.kafka.topic import TopicAdmin
from app.errors import TryAgainLater
from app.settings import KafkaSettings
from local.kafka import KRAFT_VERSION, ZOOKEEPER_VERSION
from local.kafka_jars import DEFAULT_CACHE, java, kafka_class_path
from local.ports import free_port, is_listening
from local.process import ChildProcess
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, Stream
from tests.support.compose import KRAFT, ZOOKEEPER, services
from tests.support.servers import GivenKafka, RunningEngine

pytestmark = pytest.mark.stack

START_SECS = 60
SOME = 500  # lines: enough to be in the middle of something
# Settings of the container, not of Kafka.
NOT_PROPERTIES = ("CLUSTER_ID", "KAFKA_HEAP_OPTS")


@dataclass(frozen=True)
class LocalLayout:
    """Maps names, ports and folders of a container to this machine."""

    folder: Path
    ports: Mapping[str, int]

    @property
    def bootstrap_servers(self) -> str:
        """Address of the listener for local programs."""
        return f"127.0.0.1:{self.ports['9092']}"

    def move(self, setting: str) -> str:
        """A setting of a container, changed for this machine."""
        for name in ("kafka:", "localhost:", "0.0.0.0:", ":"):  # the last: an address without a host
            setting = setting.replace(f"://{name}", "://127.0.0.1:")
        setting = setting.replace("@kafka:", "@127.0.0.1:").replace("zookeeper:", "127.0.0.1:")
        for container_port, port in self.ports.items():
            setting = setting.replace(f":{container_port}", f":{port}")
        return setting.replace("/var/lib/kafka/data", str(self.folder / "data"))


class Programs:
    """The programs of one version of Kafka."""

    def __init__(self, version: str, folder: Path) -> None:
        self._class_path = kafka_class_path(version, DEFAULT_CACHE)
        self._folder = folder

    def run(self, main: str, *arguments: str | Path) -> None:
        """Run a program that ends by itself."""
        done = subprocess.run(self._command(main, arguments), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def child(self, name: str, main: str, config: Path) -> ChildProcess:
        """A long-running program, not started yet."""
        return ChildProcess(name, self._command(main, [config]), self._folder / f"{name}.log")

    def config(self, name: str, properties: Mapping[str, str]) -> Path:
        """A file with these properties."""
        path = self._folder / f"{name}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return path

    def _command(self, main: str, arguments: Sequence[str | Path]) -> list[str]:
        options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", self._class_path]
        return [str(java()), *options, main, *map(str, arguments)]


@pytest.fixture(scope="module")
def kraft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLayout]:
    layout = _layout(tmp_path_factory)
    programs = Programs(KRAFT_VERSION, layout.folder)
    kafka = services(KRAFT)["kafka"]
    config = programs.config("kafka", _properties(kafka, layout))
    cluster_id = kafka["environment"]["CLUSTER_ID"]
    programs.run("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", config)
    broker = programs.child("kafka", "kafka.Kafka", config)
    try:
        _start(broker, layout)
        yield layout
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLayout]:
    layout = _layout(tmp_path_factory)
    programs = Programs(ZOOKEEPER_VERSION, layout.folder)
    port = layout.ports["2181"]
    settings = {
        "dataDir": str(layout.folder / "zookeeper"),
        "clientPort": str(port),
        "clientPortAddress": "127.0.0.1",
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "ruok",
    }
    zookeeper_main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    keeper = programs.child("zookeeper", zookeeper_main, programs.config("zookeeper", settings))
    kafka = programs.config("kafka", _properties(services(ZOOKEEPER)["kafka"], layout))
    broker = programs.child("kafka", "kafka.Kafka", kafka)
    try:
        keeper.start()
        keeper.wait_until(lambda: is_listening(port), START_SECS)
        _start(broker, layout)
        yield layout
    finally:
        broker.stop()
        keeper.stop()


def test_with_kraft_the_service_makes_its_topic(kraft: LocalLayout) -> None:
    assert _makes_topic(kraft)


def test_with_zookeeper_the_service_makes_its_topic(zookeeper: LocalLayout) -> None:
    assert _makes_topic(zookeeper)


@pytest.mark.parametrize("mode", ["kraft", "zookeeper"])
def test_every_line_is_stored_once_though_the_service_is_killed(
    mode: str, request: pytest.FixtureRequest, engine: RunningEngine, tmp_path: Path
) -> None:
    layout: LocalLayout = request.getfixturevalue(mode)
    pipeline = Pipeline(GivenKafka(layout.bootstrap_servers), engine, tmp_path)
    try:
        service = pipeline.start_service()
        with Stream(pipeline, lines_per_sec=2 * SOME) as stream:
            pipeline.wait_for_rows(SOME)
            service.kill()
            stream.wait_for_more(SOME)
            service.start()
            service.wait_until_stored(SOME, PATIENCE_SECS)
        pipeline.require_once(stream.lines, service)
    finally:
        pipeline.end_services()


def test_zookeepers_health_check_fails_on_an_empty_port(zookeeper: LocalLayout) -> None:
    def exit_code(port: int) -> int:
        _, *command = services(ZOOKEEPER)["zookeeper"]["healthcheck"]["test"]
        # Compose doubles each dollar of what it prints, so that it can be read back.
        here = [word.replace("/2181", f"/{port}").replace("$$", "$") for word in command]
        return subprocess.run(here, capture_output=True, check=False).returncode

    assert (exit_code(zookeeper.ports["2181"]), exit_code(free_port())) == (0, 1)


def _layout(tmp_path_factory: pytest.TempPathFactory) -> LocalLayout:
    return LocalLayout(
        tmp_path_factory.mktemp("kafka"), {port: free_port() for port in ("19092", "9092", "9093", "2181")}
    )


def _properties(kafka: dict[str, Any], layout: LocalLayout) -> dict[str, str]:
    """The image's properties from the environment: KAFKA_A_B is a.b."""
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): layout.move(value)
        for name, value in kafka["environment"].items()
        if name not in NOT_PROPERTIES
    }
    return {"log.dirs": str(layout.folder / "data"), **properties}


def _start(broker: ChildProcess, layout: LocalLayout) -> None:
    broker.start()
    broker.wait_until(lambda: is_listening(layout.ports["9092"]), START_SECS)
    broker.wait_until(lambda: _knows_topics(layout), START_SECS)


def _knows_topics(layout: LocalLayout) -> bool:
    """Whether the broker is ready for requests."""
    with closing(_topic_admin(layout)) as admin:
        try:
            admin.describe()
        except TryAgainLater:
            return False
        return True


def _makes_topic(layout: LocalLayout) -> bool:
    with closing(_topic_admin(layout)) as admin:
        return admin.ensure()


def _topic_admin(layout: LocalLayout) -> TopicAdmin:
    return TopicAdmin(KafkaSettings(bootstrap_servers=layout.bootstrap_servers))
