"""The connections of the engine: threads, TLS, limits, shutdown."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from local.engine.database import Database
from local.engine.handler import Handler
from local.engine.login import Login
from local.engine.requests import Requests


@dataclass(frozen=True)
class Limits:
    """The limits of one server."""

    max_body_bytes: int = 1 << 30
    max_running: int = 64
    max_connections: int = 256
    idle_secs: float = 60.0


class EngineHttpServer(ThreadingHTTPServer):
    """Serves one database; a thread per connection, at most `limits.max_connections` of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        database: Database,
        login: Login,
        limits: Limits,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.database = database
        self.login = login
        self.limits = limits
        self.requests = Requests(limits.max_running)
        self.is_stopping = threading.Event()
        self._tls = tls
        self._connections = threading.BoundedSemaphore(limits.max_connections)
        super().__init__(address, Handler)

    def serve(self) -> None:
        """Serve until `stop`, in threads of its own. Returns at once."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        watch = (self.database.stop_query, self.is_stopping)
        threading.Thread(target=self.requests.watch, args=watch, daemon=True).start()

    def stop(self, timeout_secs: float) -> bool:
        """Accept no more requests and wait for those in flight; returns whether all of them ended."""
        self.is_stopping.set()
        self.shutdown()
        self.server_close()
        return self.requests.wait_until_idle(timeout_secs)

    def server_bind(self) -> None:
        """Bind without resolving the name of this machine, unlike the base class."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def get_request(self) -> tuple[Any, Any]:
        """The next connection; its own thread makes the TLS handshake."""
        connection, address = self.socket.accept()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, or close it when there are too many."""
        if self._connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection until it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about broken connections; the base class prints all other errors."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
