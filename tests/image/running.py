"""The service in a container of the image: its process, its endpoints, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.ports import free_port
from local.process import ChildProcess
from tests.image.builder import Container, Image

PATIENCE_SECS = 60  # if the service takes longer than the 8 s that it promises, it ends itself, with code 3


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

    @property
    def pid(self) -> int:
        """The process of the service itself."""
        # The last one: the part of buildah that starts it runs as the same user.
        *_, service = (pid for pid in _descendants(self.process.pid) if _user_of(pid) == self.user)
        return service

    @property
    def most_memory_mib(self) -> float:
        """The most memory that it has had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        [kib] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(kib) / 1024

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
        os.kill(self.pid, signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECS), f"still running after {PATIENCE_SECS} s\n{self.process.log_tail()}"
        return self.process.exit_code

    def written(self) -> list[str]:
        """Files and folders that its user owns, but for temporary ones."""
        return [path for path in _owned_by(self.user, self.container.root) if not path.startswith("tmp")]

    def is_up(self) -> bool:
        """Whether it responds."""
        try:
            return self.status("/live") == 200
        except OSError:
            return False


@contextmanager
def running(
    image: Image,
    environment: Mapping[str, str],
    log_file: Path,
    *,
    files: Mapping[str, bytes] | None = None,
    limits: Sequence[str] = (),
) -> Iterator[Service]:
    """The service with these variables, and a PORT as Cloud Run names it, in a container that has these files.

    `limits` is a command that runs another under limits, such as `taskset -c 0`.
    """
    port = free_port()
    own = {**environment, "PORT": str(port), "HTTP_HOST": "127.0.0.1"}
    with image.container() as container:
        for path, content in (files or {}).items():
            place = container.root / path.removeprefix("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        process = ChildProcess("the image", [*limits, *container.command(image.config["Cmd"], own)], log_file)
        service = Service(image, container, process, port)
        process.start()
        try:
            process.wait_until(service.is_up, timeout_secs=60)
            yield service
        finally:
            process.stop()


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
