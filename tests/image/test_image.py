"""The image, built from the Dockerfile and started, without Kafka and ClickHouse."""

import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.paths import ROOT
from local.ports import free_port
from local.process import ChildProcess
from tests.image.builder import Container, Image, build_image, why_impossible

PATIENCE_SECS = 60  # if the service takes longer than the 8 s that it promises, it ends itself, with code 3
PACKAGES_MAX_MB = 220

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(why_impossible() is not None, reason=str(why_impossible())),
]


@dataclass(frozen=True)
class Service:
    """The service, running in a container of the image."""

    image: Image
    container: Container
    process: ChildProcess
    port: int

    @property
    def user(self) -> int:
        """The user it runs as."""
        return int(self.image.config["User"].partition(":")[0])

    def status(self, path: str) -> int:
        """The HTTP status of a GET."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code

    def health_check(self) -> int:
        """The exit code of the image's own health check."""
        _, *command = self.image.config["Healthcheck"]["Test"]
        environment = {"PORT": str(self.port)}
        return subprocess.run(self.container.command(command, environment), capture_output=True, check=False).returncode

    def terminate(self) -> int | None:
        """SIGTERM to the service itself, as a container runtime sends it; its exit code."""
        # The last process: the part of buildah that starts it runs as the same user.
        *_, service = (pid for pid in _descendants(self.process.pid) if _user_of(pid) == self.user)
        os.kill(service, signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECS), f"still running after {PATIENCE_SECS} s\n{self.process.log_tail()}"
        return self.process.exit_code


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    # Not pytest's own folder, which is kept for a while: this one is large.
    with tempfile.TemporaryDirectory(prefix="image-") as scratch:
        yield build_image(ROOT, ROOT / ".local/cache", Path(scratch))


@pytest.fixture
def service(image: Image, tmp_path: Path) -> Iterator[Service]:
    port = free_port()
    nowhere = f"127.0.0.1:{free_port()}"
    environment = {
        "PORT": str(port),
        "HTTP_HOST": "127.0.0.1",
        "KAFKA_BOOTSTRAP_SERVERS": nowhere,
        "CLICKHOUSE_URL": f"http://{nowhere}",
    }
    with image.container() as container:
        process = ChildProcess("the image", container.command(image.config["Cmd"], environment), tmp_path / "image.log")
        running = Service(image, container, process, port)
        process.start()
        try:
            process.wait_until(lambda: _answers(running), timeout_secs=120)
            yield running
        finally:
            process.stop()


def test_it_is_alive_but_not_ready_while_kafka_and_clickhouse_are_unavailable(service: Service) -> None:
    assert (service.status("/live"), service.status("/ready")) == (200, 503)


def test_its_health_check_distinguishes_a_running_service_from_a_stopped_one(service: Service) -> None:
    running = service.health_check()
    service.terminate()
    assert (running, service.health_check()) == (0, 1)


def test_sigterm_ends_it_in_time(service: Service) -> None:
    assert service.terminate() == 0, service.process.log_tail()


def test_it_does_not_start_until_it_is_said_who_may_read(image: Image) -> None:
    with image.container() as container:
        command = container.command(image.config["Cmd"], {})
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "AUTH_MODE=none" in ended.stdout + ended.stderr


def test_it_runs_as_a_numbered_user_who_writes_nothing_but_temporary_files(service: Service) -> None:
    assert service.user != 0
    service.terminate()
    written = _owned_by(service.user, service.container.root)
    assert [path for path in written if not path.startswith("tmp")] == []


def test_it_holds_the_service_and_its_packages_only(image: Image) -> None:
    with image.container() as container:
        root = container.root
        assert sorted(path.name for path in (root / "srv").iterdir()) == ["LICENSE", "app", "migrations", "schema.sql"]
        programs = {path.name for path in root.glob("usr/bin/*")} | {path.name for path in root.glob("venv/bin/*")}
        assert not programs & {"gcc", "cc", "make"}
        assert list(root.glob("venv/**/site-packages/pip")) == []
        assert _megabytes(root / "venv") < PACKAGES_MAX_MB


def _answers(service: Service) -> bool:
    try:
        return service.status("/live") == 200
    except OSError:
        return False


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _descendants(child)


def _user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def _owned_by(user: int, root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.lstat().st_uid == user:
                yield str(path.relative_to(root))


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6
