"""The HTTP listener as a component. Only this package imports uvicorn."""

import logging
import resource
import socket
import threading
from collections.abc import Iterable
from functools import partial
from typing import Final
from wsgiref.types import WSGIApplication

import uvicorn

from app.component import CannotStart
from app.health import Health
from app.http.bridge import Bridge
from app.http.connection import Connection
from app.http.connections import Connections
from app.http.lane import Lane
from app.http.limits import Limits
from app.http.proxies import TrustedProxies
from app.settings import HttpSettings

_log = logging.getLogger(__name__)

_CLIENT_IDLE_MS: Final = 60_000
_KEEP_ALIVE_SECS: Final = 75
_BACKLOG: Final = 2048
_MAX_FILES: Final = 65_536
_LIMITS: Final = Limits()


class HttpServer:
    """Serves one application until everything else has ended, so that probes get responses meanwhile.

    Requests for `probes`, which are paths, do not wait for others, nor do those of a lane.
    """

    def __init__(
        self,
        settings: HttpSettings,
        application: WSGIApplication,
        probes: Iterable[str] = (),
        limits: Limits = _LIMITS,
        port_setting: str = "HTTP_PORT",
        lane: Lane | None = None,
    ) -> None:
        self.name = "http"
        self._port_setting = port_setting
        self.health = Health()
        self.application = application
        self._settings = settings
        proxies = TrustedProxies(settings.trusted_proxies)
        self._bridge = Bridge(application, settings.threads, probes, limits, proxies, lane)
        connections = Connections(settings.max_connections, settings.max_connections_per_address, proxies.trust)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._bridge,
                http=partial(Connection, limits, connections),  # type: ignore[arg-type]  # called like the class
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECS,
                timeout_graceful_shutdown=limits.drain_secs,
            )
        )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """See `Component`."""
        host, port = self._settings.host, self._settings.port
        try:
            self._listener = _listen(host, port)
        except OSError as error:
            raise CannotStart(
                f"Cannot listen on {host}:{port}: {error.strerror}. Set {self._port_setting} to a free one."
            ) from error
        _allow_many_connections()
        self._bridge.start()
        self._thread.start()
        _log.info("Listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def stop(self) -> None:
        """See `Component`. Does nothing yet: probes and scrapers request it until the others have ended."""

    def join(self, timeout_secs: float) -> None:
        """See `Component`. Ends streams, and takes no more requests."""
        self._bridge.stop()
        self._server.should_exit = True
        self._thread.join(timeout_secs)

    def _run(self) -> None:
        assert self._listener is not None
        with self._listener:
            self._server.run(sockets=[self._listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Connections inherit both. asyncio sets this one only for sockets that name their protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A client that takes nothing for a while is given up, or its response would stay in memory.
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _CLIENT_IDLE_MS)
    return listener


def _allow_many_connections() -> None:
    """Raise the soft limit of open files: idle connections must not keep the service from reaching Kafka."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(_MAX_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
