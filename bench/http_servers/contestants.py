"""How each server is started beside the consumer thread; also the script of the child process that does it.

Every server has 24 threads, as the service has; keeps idle connections for 15 s where that can be set; and has no limit
of connections below 4,000. The rest is as its authors ship it. The candidates are no dependencies of this repository:
they are imported where they are used, by the child's interpreter.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from app.stop_signals import StopSignals
from bench.http_servers.application import create_application, start_companions

THREADS: Final = 24
_KEEP_ALIVE_SECS: Final = 15
_GRACE_SECS: Final = 3
_BACKLOG: Final = 1024
_MOST_CONNECTIONS: Final = 4000
_MOST_BODY_BYTES: Final = 32 * 1024 * 1024
_HOST: Final = "127.0.0.1"

REQUIREMENTS: Final = (
    "flask==3.1.3",
    "waitress==3.0.2",
    "uvicorn==0.54.0",
    "httptools==0.9.0",
    "uvloop==0.23.0",
    "websockets==17.4",
    "a2wsgi==1.10.10",
    "hypercorn==0.18.0",
    "cheroot==11.1.2",
    "gunicorn==27.0.1",
    "granian==2.8.9",
)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server, and what is known of it without measuring."""

    name: str
    label: str
    beside_consumer: str
    """Whether it can be run in a thread of the consumer's process."""
    websocket: str | None
    """With what it speaks WebSocket, to be tried for real; None if it does not."""
    has_tls: bool = True


CONTESTANTS: Final = (
    Contestant("waitress", "waitress", "yes, a thread", None, has_tls=False),
    Contestant("uvicorn", "uvicorn + a2wsgi", "yes, a thread", "beside WSGI, on the same port"),
    Contestant("bridge", "uvicorn + own bridge (app/http)", "yes, a thread", "beside WSGI, on the same port"),
    Contestant("hypercorn", "hypercorn", "yes, a thread", "as an ASGI application; WSGI then through a middleware"),
    Contestant("cheroot", "cheroot", "yes, a thread", None),
    Contestant("gunicorn", "gunicorn gthread", "no: master and forked workers", "with its asgi worker only"),
    Contestant(
        "granian",
        "granian WSGI",
        "no: master and forked workers; embedded it is experimental and without WSGI",
        "with its ASGI interface only",
    ),
)


@dataclass(frozen=True, slots=True)
class Task:
    """What one child process is to serve."""

    port: int
    control: str
    is_websocket: bool
    with_consumer: bool
    certificate: str | None
    key: str | None


class Server(Protocol):
    """A server in a thread of this process."""

    def start(self) -> None:
        """Serve from now on."""

    def stop(self) -> None:
        """End, with grace for requests at work; returns when it has."""


class Waitress:
    """Today's server: the service only closes its listener and leaves the rest to the end of the process."""

    def __init__(self, task: Task) -> None:
        self._server = importlib.import_module("waitress").create_server(
            create_application(),
            host=_HOST,
            port=task.port,
            threads=THREADS,
            backlog=_BACKLOG,
            connection_limit=_MOST_CONNECTIONS,
            asyncore_use_poll=True,
            channel_request_lookahead=1,
        )

    def start(self) -> None:
        """See `Server`."""
        threading.Thread(target=self._server.run, daemon=True).start()

    def stop(self) -> None:
        """See `Server`."""
        self._server.close()


class Uvicorn:
    """With httptools and uvloop; a2wsgi, or that of app/http, is its bridge to WSGI."""

    def __init__(self, task: Task, *, with_own_bridge: bool) -> None:
        uvicorn = importlib.import_module("uvicorn")
        self._end_tails: Callable[[], object] = lambda: None
        http: Any = importlib.import_module("uvicorn.protocols.http.httptools_impl").HttpToolsProtocol
        application: Any = echo
        if with_own_bridge:
            from app.http.bridge import Bridge
            from app.http.connection import Connection
            from app.http.connections import Connections
            from app.http.limits import Limits
            from app.http.pause import Pause
            from app.http.proxies import TrustedProxies

            limits, stopping = Limits(body_bytes=_MOST_BODY_BYTES), threading.Event()
            flask = create_application(lambda secs: (Pause(secs),), stopping.is_set)
            proxies = TrustedProxies("")
            bridge = Bridge(flask, THREADS, ["/live"], limits, proxies)
            bridge.start()
            http = partial(Connection, limits, Connections(0, 0, proxies.trust))

            def end_tails() -> None:
                stopping.set()
                bridge.stop()

            self._end_tails = end_tails
            application = echo if task.is_websocket else bridge
        elif not task.is_websocket:
            middleware = importlib.import_module("a2wsgi").WSGIMiddleware
            application = middleware(create_application(), workers=THREADS)
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                host=_HOST,
                port=task.port,
                http=http,
                lifespan="off",
                access_log=False,
                log_level="error",
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE_SECS,
                timeout_graceful_shutdown=_GRACE_SECS,
                ssl_certfile=task.certificate,
                ssl_keyfile=task.key,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        """See `Server`."""
        self._thread.start()

    def stop(self) -> None:
        """See `Server`."""
        self._end_tails()
        self._server.should_exit = True
        self._thread.join()


class Hypercorn:
    """With its own wrapper for WSGI."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS))
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """See `Server`."""
        self._thread.start()

    def stop(self) -> None:
        """See `Server`."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        config = importlib.import_module("hypercorn.config").Config()
        config.bind = [f"{_HOST}:{self._task.port}"]
        config.backlog = _BACKLOG
        config.keep_alive_timeout = _KEEP_ALIVE_SECS
        config.keep_alive_max_requests = 1_000_000_000
        config.graceful_timeout = _GRACE_SECS
        config.wsgi_max_body_size = 64 * 1024 * 1024
        config.loglevel = "CRITICAL"
        config.certfile, config.keyfile = self._task.certificate, self._task.key
        serve = importlib.import_module("hypercorn.asyncio").serve
        application: Any = echo if self._task.is_websocket else create_application()
        mode = "asgi" if self._task.is_websocket else "wsgi"
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve(application, config, shutdown_trigger=self._stopping.wait, mode=mode))


class Cheroot:
    """The server of CherryPy."""

    def __init__(self, task: Task) -> None:
        self._server = importlib.import_module("cheroot.wsgi").Server(
            (_HOST, task.port),
            create_application(),
            numthreads=THREADS,
            max=THREADS,
            request_queue_size=_BACKLOG,
            shutdown_timeout=_GRACE_SECS,
        )
        self._server.keep_alive_conn_limit = _MOST_CONNECTIONS
        if task.certificate:
            adapter = importlib.import_module("cheroot.ssl.builtin").BuiltinSSLAdapter
            self._server.ssl_adapter = adapter(task.certificate, task.key)

    def start(self) -> None:
        """See `Server`."""
        threading.Thread(target=self._server.safe_start, daemon=True).start()

    def stop(self) -> None:
        """See `Server`."""
        self._server.stop()


def run_gunicorn(task: Task) -> None:
    """Serve with a gunicorn of one worker, in which the consumer is too, until SIGTERM."""
    base: Any = importlib.import_module("gunicorn.app.base").BaseApplication

    def load_config(self: Any) -> None:
        settings = {
            "bind": f"{_HOST}:{task.port}",
            "workers": 1,
            "threads": THREADS,
            "worker_class": "asgi" if task.is_websocket else "gthread",
            "worker_connections": _MOST_CONNECTIONS,
            "backlog": _BACKLOG,
            "keepalive": _KEEP_ALIVE_SECS,
            "graceful_timeout": _GRACE_SECS,
            "control_socket_disable": True,
            "loglevel": "critical",
            "certfile": task.certificate,
            "keyfile": task.key,
        }
        for name, value in settings.items():
            if value is not None:
                self.cfg.set(name, value)

    def load(_: Any) -> Any:
        return echo if task.is_websocket else _in_worker(task)

    type("Gunicorn", (base,), {"load_config": load_config, "load": load})().run()


def run_granian(task: Task) -> None:
    """Serve with a granian of one worker, in which the consumer is too, until SIGTERM."""
    granian = importlib.import_module("granian")
    interfaces = importlib.import_module("granian.constants").Interfaces
    server = granian.Granian(
        __name__,
        address=_HOST,
        port=task.port,
        interface=interfaces.ASGINL if task.is_websocket else interfaces.WSGI,
        blocking_threads=1 if task.is_websocket else THREADS,
        backlog=_MOST_CONNECTIONS,
        workers_kill_timeout=_GRACE_SECS,
        log_enabled=False,
        ssl_cert=Path(task.certificate) if task.certificate else None,
        ssl_key=Path(task.key) if task.key else None,
    )
    server.serve(target_loader=lambda *_: echo if task.is_websocket else _in_worker(task))


def _in_worker(task: Task) -> Any:
    """The application, in a worker that has the companions too."""
    start_companions(task.control, threading.Event(), with_consumer=task.with_consumer)
    return create_application()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """A WebSocket application that says what it hears."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text")})


_IN_THREAD: Final[dict[str, Callable[[Task], Server]]] = {
    "waitress": Waitress,
    "uvicorn": lambda task: Uvicorn(task, with_own_bridge=False),
    "bridge": lambda task: Uvicorn(task, with_own_bridge=True),
    "hypercorn": Hypercorn,
    "cheroot": Cheroot,
}
_AS_MASTER: Final[dict[str, Callable[[Task], None]]] = {"gunicorn": run_gunicorn, "granian": run_granian}


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("port", type=int)
    parser.add_argument("control")
    parser.add_argument("--websocket", action="store_true")
    parser.add_argument("--no-consumer", action="store_true")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    asked = parser.parse_args(arguments)
    task = Task(
        asked.port, asked.control, asked.websocket, not asked.no_consumer, asked.certificate or None, asked.key or None
    )
    if asked.name in _AS_MASTER:
        _AS_MASTER[asked.name](task)
        return 0
    signals, stopping = StopSignals(), threading.Event()
    start_companions(task.control, stopping, with_consumer=task.with_consumer)
    server = _IN_THREAD[asked.name](task)
    server.start()
    signals.wait()
    stopping.set()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
