"""A server under test as a child process, and what /proc and its control socket report."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError
from bench.processes import cpu_secs
from local.paths import ROOT
from local.ports import LOOPBACK, free_port

_START_SECS: Final = 20.0
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the children live: an interpreter with the candidates, a directory, a certificate and its key."""

    python: str
    directory: Path
    certificate: Path
    key: Path


@dataclass(slots=True)
class Child:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    control: str
    temporary: Path
    """The only directory in which it is told to make temporary files."""

    def state(self) -> dict[str, Any]:
        """The report of the control socket; see `application.State`."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(10)
            door.connect(self.control)
            found: dict[str, Any] = json.loads(b"".join(iter(lambda: door.recv(65536), b"")))
        return found

    def wait_for(self, is_so: Callable[[dict[str, Any]], bool], most_secs: float) -> dict[str, Any] | None:
        """The state as soon as `is_so`; None if it is not within the time."""
        until = time.monotonic() + most_secs
        while time.monotonic() < until:
            state = self.state()
            if is_so(state):
                return state
            time.sleep(0.02)
        return None

    def pids(self) -> set[int]:
        """The process, and the worker if it is another one."""
        return {self.process.pid, self.state()["pid"]}

    def memory_kb(self) -> float:
        """Resident memory of the process that serves, in units of 10^3 bytes."""
        return int(Path(f"/proc/{self.state()['pid']}/statm").read_text().split()[1]) * _PAGE / 1e3

    def cpu_secs_without_consumer(self) -> float:
        """CPU seconds of all its processes up to now, without those of the consumer thread."""
        state = self.state()
        return sum(map(cpu_secs, self.pids())) - float(state["consumer_cpu_secs"])

    def bytes_in_files(self) -> int:
        """Sizes of the files that it has open though they are deleted, and of those in its temporary directory."""
        sizes = {(found.st_dev, found.st_ino): found.st_size for found in self._files()}
        return sum(sizes.values())

    def _files(self) -> Iterator[os.stat_result]:
        for pid in self.pids():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if str(link.readlink()).endswith("(deleted)") and stat.S_ISREG(link.stat().st_mode):
                        yield link.stat()
        for path in self.temporary.rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    yield path.stat()

    def bytes_written(self) -> int:
        """Bytes that its processes had the system write to disks, or will have."""
        return sum(_written(pid) for pid in self.pids())


@contextmanager
def running(
    ground: Ground, name: str, *, is_websocket: bool = False, with_consumer: bool = True, with_tls: bool = False
) -> Iterator[Child]:
    """A server that accepts connections; it is killed at the end, whatever it does.

    Raises:
        BenchError: it does not start.
    """
    port = free_port()
    temporary = Path(tempfile.mkdtemp(prefix=name, dir=ground.directory))
    control = f"{temporary}.sock"
    command = [ground.python, "-m", "bench.http_servers.contestants", name, str(port), control]
    command += ["--websocket"] * is_websocket + ["--no-consumer"] * (not with_consumer)
    if with_tls:
        command += ["--certificate", str(ground.certificate), "--key", str(ground.key)]
    errors = Path(f"{temporary}.log")
    with errors.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    child = Child(process, port, control, temporary)
    try:
        _wait_until_it_listens(child, errors, with_side_door=not is_websocket)
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def _wait_until_it_listens(child: Child, errors: Path, *, with_side_door: bool) -> None:
    until = time.monotonic() + _START_SECS
    while time.monotonic() < until and child.process.poll() is None:
        with suppress(OSError), socket.create_connection((LOOPBACK, child.port), 1):
            if with_side_door:
                child.state()
            time.sleep(0.2)
            return
        time.sleep(0.05)
    raise BenchError(f"{child.process.args!r} does not start:\n{errors.read_text()[-2000:]}")


def _written(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))
