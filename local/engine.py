"""ClickHouse's own engine (chDB) behind ClickHouse's HTTP protocol, as a process of its own.

`python -m local.engine --directory D --port P` serves it on the loopback address; `EngineServer` starts
that process. Clients talk to it as to a server: queries in the URL or the body, any format, parameters,
settings in the URL, lz4, zstd, gzip and deflate in both directions, numbered errors with a server's HTTP
status, query ids, deduplication tokens, one user, TLS.

What it does not do: sessions (temporary tables, `SET` that lasts), asynchronous inserts (they are taken
as ordinary ones), native block compression (`compress=1`), users beside the one, rights and quotas,
progress headers, files and external tables in a query, replication, the native TCP protocol. The engine
reads files of this machine when a query asks it to: whoever may query it is trusted with them. A body is
held in memory until it is complete. An answer in a format with header or footer (JSON, Arrow, Parquet ...)
is made whole before it is sent; Native, JSONEachRow, TSV, CSV and RowBinary are sent as they come. The id
of a query is kept in its `log_comment`; `system.processes` and `KILL QUERY` are read with that in mind.
"""

from __future__ import annotations

import argparse
import os
import signal
import ssl
import sys
import threading
import urllib.request
from pathlib import Path

from local.certificates import Certificates
from local.errors import LocalError
from local.ports import LOOPBACK, require_free_port
from local.process import ChildProcess

START_TIMEOUT_SECS = 60.0
_DRAIN_SECS = 10.0
_DEFAULT_MEMORY_MB = 3000


class EngineServer:
    """One engine process with its data in `directory`; data stays there between starts."""

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        user: str = "",
        password: str = "",
        certificates: Certificates | None = None,
        max_memory_mb: int = _DEFAULT_MEMORY_MB,
        max_body_bytes: int | None = None,
        log_file: Path | None = None,
    ) -> None:
        self.port = port
        self.user = user
        self.password = password
        self.certificates = certificates
        self._directory = directory.absolute()
        command: list[str | Path] = [sys.executable, "-m", "local.engine", "--directory", self._directory]
        command += ["--port", str(port), "--max-memory-mb", str(max_memory_mb)]
        if max_body_bytes is not None:
            command += ["--max-body-bytes", str(max_body_bytes)]
        if user:
            command += ["--user", user, "--password-file", self._password_file]
        if certificates is not None:
            command += ["--tls-cert", certificates.certificate_file, "--tls-key", certificates.key_file]
        self._child = ChildProcess(
            "ClickHouse engine",
            command,
            log_file or self._directory / "engine.log",
            environment={**os.environ, "TZ": "UTC"},
            directory=Path(__file__).resolve().parent.parent,
        )

    @property
    def url(self) -> str:
        """As CLICKHOUSE_URL has it."""
        return f"http{'s' if self.certificates else ''}://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._child.is_running

    def start(self, timeout_secs: float = START_TIMEOUT_SECS) -> None:
        """Start and wait until it answers.

        Raises:
            LocalError: the port is taken, it ended, or it did not answer in time.
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
            LocalError: the port is taken.
        """
        require_free_port(self.port, "ClickHouse")  # or somebody else's server would seem to be ours
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
        self._child.wait_until(self._answers, timeout_secs)

    def require_running(self) -> None:
        """Raise LocalError, with its last words, if it has ended."""
        self._child.require_running()

    def stop(self, timeout_secs: float = 20.0) -> None:
        """Finish requests in flight and close the engine."""
        self._child.stop(timeout_secs)

    def kill(self) -> None:
        """SIGKILL; what was acknowledged is there after the next start."""
        self._child.kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        self._child.pause()

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._child.resume()

    @property
    def _password_file(self) -> Path:
        return self._directory / "password"

    def _answers(self) -> bool:
        trust = self.certificates.client_context() if self.certificates else None
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2, context=trust) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    options = _parser().parse_args(arguments)
    should_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: should_stop.set())
    # Opening the engine takes a second; wrong arguments and signals are dealt with before.
    from local.engine_database import Database
    from local.engine_login import Login
    from local.engine_server import EngineHttpServer, Limits

    password = options.password_file.read_text().strip() if options.password_file else ""
    tls = None
    if options.tls_cert is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
    database = Database(options.directory, options.max_memory_mb * 1_000_000)
    address = (LOOPBACK, options.port)
    limits = Limits(max_body_bytes=options.max_body_bytes)
    server = EngineHttpServer(address, database, Login(options.user, password), limits, tls)
    server.serve()
    print(f"ClickHouse engine {database.version} serves {options.directory} on port {options.port}", flush=True)
    should_stop.wait()
    if server.stop(_DRAIN_SECS):
        database.close()
    sys.stdout.flush()
    os._exit(0)  # threads of idle connections and of requests that did not end are not waited for


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.engine", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--directory", type=Path, required=True, help="where the data is")
    parser.add_argument("--port", type=int, required=True, help="on the loopback address")
    parser.add_argument("--user", default="", help="the one user that may come in; default: everybody")
    parser.add_argument("--password-file", type=Path, help="holds that user's password")
    parser.add_argument("--tls-cert", type=Path, help="certificate chain as PEM; makes it HTTPS")
    parser.add_argument("--tls-key", type=Path, help="its key as PEM")
    parser.add_argument("--max-memory-mb", type=int, default=_DEFAULT_MEMORY_MB, help="of the engine")
    parser.add_argument("--max-body-bytes", type=int, default=1 << 30, help="of one request, decompressed")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LocalError as error:
        sys.exit(str(error))
