"""The HTTP listener as a component. The only importer of waitress."""

import logging
import socket
import threading
from typing import Any, Final
from wsgiref.types import WSGIApplication

import waitress

from app.component import CannotStart
from app.health import Health
from app.settings import HttpSettings

_log = logging.getLogger(__name__)

_CLIENT_IDLE_MS: Final = 60_000


class HttpServer:
    """Serves one application until all other components have ended, so that health checks work until then."""

    def __init__(self, settings: HttpSettings, application: WSGIApplication) -> None:
        self.name = "http"
        self.health = Health()
        self._settings = settings
        self.application = application
        self._server: Any = None

    def start(self) -> None:
        """See `Component`."""
        host, port = self._settings.host, self._settings.port
        try:
            self._server = waitress.create_server(
                self.application, host=host, port=port, threads=self._settings.threads
            )
        except OSError as error:
            raise CannotStart(
                f"Cannot listen on {host}:{port}: {error.strerror}. Set HTTP_PORT to a free one."
            ) from error
        self._server.adj.socket_options = _socket_options()
        threading.Thread(target=self._server.run, name="http", daemon=True).start()
        _log.info("Listening on http://%s:%d", host, port)

    def stop(self) -> None:
        """See `Component`. Does nothing: health checks and scrapes must work until the other components have ended."""

    def join(self, timeout_secs: float) -> None:
        """See `Component`. Closes the listener, which takes no time."""
        self._server.close()


def _socket_options() -> list[tuple[int, int, int]]:
    """Options to send at once, and to disconnect a client that reads nothing, which would hold a thread for ever."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _CLIENT_IDLE_MS))
    return options
