"""`python -m local.engine`: serves the engine until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import os
import ssl
import sys
from pathlib import Path

import local.engine
from app.stop_signals import StopSignals
from local.engine.server import DEFAULT_MEMORY_MB
from local.errors import LocalError
from local.ports import LOOPBACK

_DRAIN_SECS = 10.0


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    options = _parser().parse_args(arguments)
    signals = StopSignals()
    # Opening the engine takes a second; wrong arguments and signals are handled before.
    from local.engine.database import Database
    from local.engine.listener import EngineHttpServer, Limits
    from local.engine.login import Login

    password = options.password_file.read_text().strip() if options.password_file else ""
    tls = None
    if options.tls_cert is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
    database = Database(options.directory, options.max_memory_mb * 1_000_000, cluster=options.cluster)
    address = (LOOPBACK, options.port)
    limits = Limits(max_body_bytes=options.max_body_bytes)
    server = EngineHttpServer(address, database, Login(options.user, password), limits, tls)
    server.serve()
    print(f"ClickHouse engine {database.version} serves {options.directory} on port {options.port}", flush=True)
    signals.wait()
    if server.stop(_DRAIN_SECS):
        database.close()
    sys.stdout.flush()
    os._exit(0)  # does not wait for threads of idle connections and unfinished requests


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.engine.server", description=(local.engine.__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--directory", type=Path, required=True, help="where the data is")
    parser.add_argument("--port", type=int, required=True, help="on the loopback address")
    parser.add_argument("--user", default="", help="the only user that may log in; default: everybody")
    parser.add_argument("--password-file", type=Path, help="holds that user's password")
    parser.add_argument("--tls-cert", type=Path, help="certificate chain as PEM; makes it HTTPS")
    parser.add_argument("--tls-key", type=Path, help="its key as PEM")
    parser.add_argument("--cluster", help="a cluster of this name, in which this server stands for two replicas")
    parser.add_argument("--max-memory-mb", type=int, default=DEFAULT_MEMORY_MB, help="of the engine")
    parser.add_argument("--max-body-bytes", type=int, default=1 << 30, help="of one request, decompressed")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LocalError as error:
        sys.exit(str(error))
