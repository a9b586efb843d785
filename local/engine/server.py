"""The engine as a child process: starts, awaits, stops, kills and pauses it."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

from local.certificates import Certificates
from local.errors import LocalError
from local.paths import ROOT
from local.ports import LOOPBACK, require_free_port
from local.process import ChildProcess

START_TIMEOUT_SECS = 120.0  # a busy disk takes most of it
DEFAULT_MEMORY_MB = 3000


class EngineServer:
    """One engine process with its data in `directory`, which is kept between starts.

    `module` is the module that Python runs.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        user: str = "",
        password: str = "",
        certificates: Certificates | None = None,
        max_memory_mb: int = DEFAULT_MEMORY_MB,
        max_body_bytes: int | None = None,
        cluster: str | None = None,
        module: str = "local.engine",
        log_file: Path | None = None,
    ) -> None:
        self.port = port
        self.user = user
        self.password = password
        self.certificates = certificates
        self._directory = directory.absolute()
        command: list[str | Path] = [sys.executable, "-m", module, "--directory", self._directory]
        command += ["--port", str(port), "--max-memory-mb", str(max_memory_mb)]
        if max_body_bytes is not None:
            command += ["--max-body-bytes", str(max_body_bytes)]
        if cluster:
            command += ["--cluster", cluster]
        if user:
            command += ["--user", user, "--password-file", self._password_file]
        if certificates is not None:
            command += ["--tls-cert", certificates.certificate_file, "--tls-key", certificates.key_file]
        self._child = ChildProcess(
            "ClickHouse engine",
            command,
            log_file or self._directory / "engine.log",
            environment={**os.environ, "TZ": "UTC"},
            directory=ROOT,
        )

    @property
    def url(self) -> str:
        """The URL, as in CLICKHOUSE_URL."""
        return f"http{'s' if self.certificates else ''}://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is running."""
        return self._child.is_running

    def start(self, timeout_secs: float = START_TIMEOUT_SECS) -> None:
        """Start and wait until it answers.

        Raises:
            LocalError: the port is in use, the engine ended, or it did not answer in time.
        """
        self.launch()
        try:
            self.wait_until_ready(timeout_secs)
        except LocalError:
            self.kill()
            raise

    def launch(self) -> None:
        """Start without waiting, so that something else can start meanwhile.

        Raises:
            LocalError: the port is in use.
        """
        require_free_port(self.port, "ClickHouse")  # else another server could be taken for ours
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.user:
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(self.password)
        self._child.start()

    def wait_until_ready(self, timeout_secs: float = START_TIMEOUT_SECS) -> None:
        """Wait until it answers after `launch`.

        Raises:
            LocalError: it ended or did not answer in time.
        """
        self._child.wait_until(self._is_up, timeout_secs)

    def require_running(self) -> None:
        """Raise LocalError, with the end of its log, if it has ended."""
        self._child.require_running()

    def stop(self, timeout_secs: float = 20.0) -> None:
        """Finish requests in flight and close the engine."""
        self._child.stop(timeout_secs)

    def kill(self) -> None:
        """SIGKILL; acknowledged rows are there after the next start."""
        self._child.kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay open without responses."""
        self._child.pause()

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._child.resume()

    @property
    def _password_file(self) -> Path:
        return self._directory / "password"

    def _is_up(self) -> bool:
        trust = self.certificates.client_context() if self.certificates else None
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2, context=trust) as response:  # noqa: S310
                return bool(response.status == 200)
        except OSError:
            return False
