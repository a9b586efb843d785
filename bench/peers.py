"""The programs that the service is compared with, as child processes. `make peers` gets them."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bench.errors import BenchError
from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess

PEERS: Final = ROOT / ".local" / "peers"
SINKER, CONNECTOR, VICTORIA_LOGS = "clickhouse_sinker", "clickhouse-kafka-connect", "victoria-logs"

_START_SECS, _STOP_SECS = 30.0, 30.0
_TIMEOUT_SECS: Final = 600.0
_RETENTION: Final = "60d"
_CONNECTED: Final = "24h"  # by default a connection is closed while it is measured


def find(name: str, directory: Path) -> Path | None:
    """The program of a peer in a directory, or the directory of its jars; None if it is not there."""
    path = directory / name
    return path.absolute() if path.exists() else None


def bytes_on_disk(directory: Path) -> int:
    """Bytes of all files in a directory and those below it."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


class VictoriaLogs:
    """A running VictoriaLogs, and one persistent connection to it."""

    def __init__(self, process: ChildProcess, port: int) -> None:
        self.process = process
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECS)
        self._url = f"http://{LOOPBACK}:{port}"

    def get(self, path: str, parameters: dict[str, str]) -> bytes:
        """The response to a request.

        Raises:
            BenchError: it is an error.
        """
        self._connection.request("GET", f"{path}?{urlencode(parameters)}")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise BenchError(f"{VICTORIA_LOGS}: {path} {parameters}: {response.status} {body.decode()[:500]}")
        return body

    def insert(self, rows: bytes) -> None:
        """Store JSON lines with the keys _time, _msg and service, the stream.

        Raises:
            BenchError: it refuses them.
        """
        url = f"{self._url}/insert/jsonline?_stream_fields=service&_time_field=_time&_msg_field=_msg"
        # Without a type urllib says that it is a form, and the rows would be read as its fields.
        request = urllib.request.Request(url, rows, {"Content-Type": "application/stream+json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECS) as response:  # noqa: S310 - our own process
                response.read()
        except urllib.error.HTTPError as error:
            raise BenchError(f"{VICTORIA_LOGS} refused rows: {error.read().decode()[:500]}") from error

    def count(self) -> int:
        """How many rows it has."""
        answer = self.get("/select/logsql/query", {"query": f"_time:{_RETENTION} * | stats count() rows"})
        return int(json.loads(answer)["rows"])

    def is_up(self) -> bool:
        """Whether it responds."""
        try:
            return bool(self.get("/health", {}))
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def running_victoria_logs(program: Path, directory: Path, log_file: Path) -> Iterator[VictoriaLogs]:
    """Run VictoriaLogs with its data in a directory, which is kept; it is stopped afterwards.

    Raises:
        local.errors.LocalError: it does not start.
    """
    port = free_port()
    command = [str(program), f"-storageDataPath={directory}", f"-httpListenAddr={LOOPBACK}:{port}"]
    command += [f"-http.connTimeout={_CONNECTED}", f"-http.idleConnTimeout={_CONNECTED}"]
    process = ChildProcess(VICTORIA_LOGS, [*command, f"-retentionPeriod={_RETENTION}"], log_file)
    peer = VictoriaLogs(process, port)
    try:
        process.start()
        process.wait_until(peer.is_up, _START_SECS)
        yield peer
    finally:
        peer.close()
        process.stop(_STOP_SECS)
