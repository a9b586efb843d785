"""Many clients that send logs at once: memory, threads and time stay bounded whatever they send."""

from __future__ import annotations

import gzip
import http.client
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import repeat
from pathlib import Path

import pytest

from app.api.status_routes import STATUS_PATHS
from app.http.server import HttpServer
from app.settings import HttpSettings
from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from tests.support.receivers import Receivers

pytestmark = pytest.mark.stack  # a real socket

PATH = "/api/v1/logs"
WAIT_SECS = 60.0
MEGABYTE = 1024 * 1024


def post(port: int, body: bytes, headers: Mapping[str, str] = {}, path: str = PATH) -> http.client.HTTPResponse:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=WAIT_SECS)) as connection:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        response.read()
        return response


def at_once(port: int, clients: int, body: bytes, headers: Mapping[str, str] = {}) -> Counter[int]:
    """The statuses of the same request by as many clients; 0 for a connection that broke."""
    statuses: Counter[int] = Counter()

    def send() -> None:
        try:
            status = post(port, body, headers).status
        except OSError:
            status = 0
        statuses.update([status])

    threads = [threading.Thread(target=send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECS)
    return statuses


class Process:
    """The program `tests.http.receiving`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.http.receiving"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def peak_megabytes(self) -> int:
        """The most memory that it has had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) // 1024

    def close(self) -> None:
        self._process.communicate("", timeout=WAIT_SECS)


@pytest.fixture
def process() -> Iterator[Process]:
    made = Process()
    yield made
    made.close()


BODIES: dict[str, Callable[[], tuple[bytes, dict[str, str]]]] = {
    "as many events as may be": lambda: (b'{"message":"abcdefghijklmn"}\n' * 249_000, {}),
    "more events than may be": lambda: (gzip.compress(b"1\n" * (4 * MEGABYTE)), {"Content-Encoding": "gzip"}),
    "a bomb": lambda: (gzip.compress(bytes(100 * MEGABYTE), 1), {"Content-Encoding": "gzip"}),
    "not strictly JSON": lambda: (b'{"a":[' + b"1,{},[]," * MEGABYTE + b"NaN]}", {}),
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_bounded_whatever_clients_send(process: Process) -> None:
    # Takes some seconds: what it guards against needs bodies as large as they may be, from many clients at once.
    for made in BODIES.values():
        body, headers = made()
        statuses = at_once(process.port, 5, body, {"Content-Type": "application/json", **headers})

        assert statuses.keys() <= {0, 200, 400, 413, 429, 503}, statuses
        assert statuses.keys() & {200, 400, 413}, statuses
    assert process.peak_megabytes < 450  # an instance with all roles takes 60 MB more, and may have 512
    assert post(process.port, b'{"message":"m"}').status == 200


@pytest.fixture
def receivers() -> Receivers:
    made = Receivers(environ={"RECEIVE_MAX_CONCURRENT": "4", "RECEIVE_TIMEOUT_SECS": "1"})
    made.publisher.stop_acknowledging()
    return made


@pytest.fixture
def port(receivers: Receivers) -> Iterator[int]:
    settings = HttpSettings(port=free_port(), threads=4)
    server = HttpServer(settings, receivers.application, STATUS_PATHS, lane=receivers.lane)
    server.start()
    yield settings.port
    server.join(WAIT_SECS)


def test_without_kafka_all_requests_end_in_time_and_hold_up_no_others(receivers: Receivers, port: int) -> None:
    found: list[Counter[int]] = []
    began = time.monotonic()
    sending = threading.Thread(target=lambda: found.append(at_once(port, 40, b'{"message":"m"}')))
    sending.start()
    while not receivers.metrics.registry.get_sample_value("log_receive_running"):
        time.sleep(0.01)

    for path in [*repeat("/no-such-page", 8), "/live"]:  # of the threads of all others
        assert get(port, path) in (404, 200)
    assert sending.is_alive()
    sending.join(WAIT_SECS)

    assert found[0].keys() <= {429, 503}
    assert found[0][503] >= 4
    assert time.monotonic() - began < 30  # 40 requests, 4 at a time, a second each, would take 10 s and more
    assert receivers.metrics.registry.get_sample_value("log_receive_running") == 0


def get(port: int, path: str) -> int:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=WAIT_SECS)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status
