"""Start here: read settings, build, run until told to stop."""

import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

import pyarrow
import waitress

from app.build import Parts, build
from app.commands.arguments import parse
from app.errors import BadSettings
from app.logging_setup import set_up_logging
from app.service import STOP_SECS
from app.settings import Settings, misspelt
from app.version import VERSION

_log = logging.getLogger("app")

_CLIENT_SILENCE_MS = 60_000

# Parameters of mallopt, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def main(arguments: list[str]) -> int:
    """Run the service, or the one command that is named. Returns the exit code."""
    asked = parse(arguments)
    try:
        settings = Settings.from_env(os.environ)
    except BadSettings as error:
        print("The settings are wrong, nothing was started:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 2
    # What a command needs, the service does not.
    if asked.command == "check":
        from app.commands.check import check

        return check(settings, misspelt(os.environ))
    if asked.command == "audit":
        from app.commands.audit import audit_topic

        return audit_topic(settings, since_secs=asked.since, as_json=asked.json)
    if asked.command == "rejected":
        from app.commands.rejected import list_rejected

        return list_rejected(settings, since_secs=asked.since, limit=asked.limit)
    if asked.command == "migrate":
        from app.commands.migrate import migrate_table

        return migrate_table(settings.clickhouse, is_for_old_rows=asked.materialize)
    if asked.command == "schema":
        from app.commands.schema import print_schema

        return print_schema(settings.clickhouse, cluster=asked.cluster)
    if asked.command == "query":
        from app.commands.query import query_logs

        return query_logs(settings, asked)
    return serve(settings, build(settings))


def serve(settings: Settings, parts: Parts) -> int:
    """Run the pipeline and the HTTP side until SIGTERM or SIGINT."""
    as_json = settings.log.format == "json" or (settings.log.format == "auto" and settings.on_cloud_run)
    set_up_logging(settings.log.level, as_json=as_json)
    _log.info("Log analytics %s starts", VERSION)
    for sentence in misspelt(os.environ):
        _log.warning("%s", sentence)
    try:
        http = waitress.create_server(
            parts.http, host=settings.http.host, port=settings.http.port, threads=settings.http.threads
        )
        http.adj.socket_options = _socket_options()
    except OSError as error:
        _log.error(
            "Cannot listen on %s:%d: %s. Set HTTP_PORT to a free one.",
            settings.http.host,
            settings.http.port,
            error.strerror,
        )
        return 1
    threading.Thread(target=http.run, name="http", daemon=True).start()
    _log.info("Listening on http://%s:%d", settings.http.host, settings.http.port)
    pipeline = threading.Thread(target=parts.service.run, name="ingest", daemon=True)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _tame_memory()
    pipeline.start()
    if parts.watch is not None:
        threading.Thread(target=parts.watch.run, name="audit", daemon=True).start()
    stopping.wait()
    parts.service.stop()
    if parts.watch is not None:
        parts.watch.stop()
    pipeline.join(STOP_SECS)
    http.close()
    _log.info("Bye")
    return 0


def _socket_options() -> list[tuple[int, int, int]]:
    """Send at once; and give up a client that takes nothing for a while, or it would keep a thread for ever."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _CLIENT_SILENCE_MS))
    return options


def _tame_memory() -> None:
    """Suit the garbage collector and Arrow to what passes through: many objects at a time, none of them for long."""
    # A chunk of records is many objects and no cycle; looking for cycles as often as usual costs a fifth of the CPU.
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
    # Arrow's own allocators keep what was freed; the system's does so too where it can, so it is told not to.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if mallopt is not None:
        # Every thread that ever inserted would keep an arena of its own; large pieces go back to the system at once.
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 128 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 128 * 1024)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
