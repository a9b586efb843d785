"""A server on a free port, with an application that does what the test says."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any
from wsgiref.types import StartResponse

from werkzeug.wsgi import ClosingIterator

from app.http.bridge import ON_CLIENT_GONE
from app.http.broken_off import BrokenOff
from app.http.lane import Lane
from app.http.limits import Limits
from app.http.pause import Pause
from app.http.server import HttpServer
from app.settings import HttpSettings
from local.ports import LOOPBACK, free_port

WAIT_SECS = 10.0
THREADS = 4
LIMITS = Limits(
    head_secs=0.5,
    linger_secs=0.5,
    head_bytes=20_000,
    body_secs=0.5,
    body_bytes=100_000,
    buffered_bytes=200_000,
    buffered_bytes_of_one=180_000,
)

LANE = Lane(lambda method, path: method == "POST" and path == "/wait", threads=2)

Environ = dict[str, Any]


class Application:
    """Responds by path; the test decides when."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.ended: list[str] = []
        self.changed = threading.Condition()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.may_end.wait(WAIT_SECS)
        if path == "/until-gone":
            gone = threading.Event()
            environ[ON_CLIENT_GONE](gone.set)
            gone.wait(WAIT_SECS)
            self._end(path)
        if path == "/already-gone":
            self.may_end.wait(WAIT_SECS)
            environ[ON_CLIENT_GONE](lambda: self._end(path))
        if path == "/answered":
            environ[ON_CLIENT_GONE](lambda: self._end(path))
        if path == "/stream":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return ClosingIterator(self._stream(path), lambda: self._end(path))
        if path == "/broken-off":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return self._broken(BrokenOff("its credentials are no longer accepted"))
        if path == "/broken":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return self._broken(RuntimeError("the second half is not to be had"))
        if path == "/text":
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5000"), ("ETag", '"1"')])
            return [b"text " * 1_000]
        body = self._body(environ)
        kind = "application/octet-stream" if path == "/large" else "application/json"
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def wait_for_end(self, path: str) -> bool:
        """Whether a request ended in time."""
        with self.changed:
            return self.changed.wait_for(lambda: path in self.ended, WAIT_SECS)

    def _body(self, environ: Environ) -> bytes:
        if environ["PATH_INFO"] == "/large":
            return b"x" * 5_000_000
        sent = environ["wsgi.input"].read()
        headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        shown = {
            "path": environ["PATH_INFO"],
            "query": environ["QUERY_STRING"],
            "sent": len(sent),
            "headers": headers,
            "client": environ["REMOTE_ADDR"],
            "scheme": environ["wsgi.url_scheme"],
        }
        return json.dumps(shown).encode()

    def _stream(self, path: str) -> Iterator[bytes]:
        while not self.may_end.is_set():
            yield b"data: event\n\n"
            yield Pause(0.05)

    def _broken(self, error: Exception) -> Iterator[bytes]:
        yield b"the first half"
        raise error

    def _end(self, path: str) -> None:
        with self.changed:
            self.ended.append(path)
            self.changed.notify_all()


class Running:
    """A server on a free port."""

    def __init__(self, **more: Any) -> None:
        self.application = Application()
        self.port = free_port()
        settings = HttpSettings(port=self.port, threads=THREADS, **more)
        self.server = HttpServer(settings, self.application, probes=("/live",), limits=LIMITS, lane=LANE)
        self.server.start()

    def has_room(self) -> bool:
        """Whether another connection is served within a while."""
        for _ in range(1_000):
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.get("/")[0].status == 200
            time.sleep(0.01)
        return False

    def open(self) -> socket.socket:
        """A connection on which nothing was sent yet."""
        return socket.create_connection((LOOPBACK, self.port), timeout=WAIT_SECS)

    def send(self, request: str) -> socket.socket:
        """A connection on which this was sent."""
        connection = self.open()
        connection.sendall(request.replace("\n", "\r\n").encode("latin-1"))
        return connection

    def get(self, path: str, method: str = "GET", **options: Any) -> tuple[http.client.HTTPResponse, bytes]:
        """The response to a request on a connection of its own."""
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=WAIT_SECS)) as connection:
            connection.request(method, path, **options)
            response = connection.getresponse()
            return response, response.read()


def rest_of(connection: socket.socket) -> bytes:
    """What still comes until the server closes the connection."""
    pieces = []
    with connection:
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def read_response(connection: socket.socket) -> None:
    """Read one response, and leave the connection open."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
