"""Which bytes are a response, whoever sends them: ClickHouse, or a proxy in front of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException

import pytest

from app.backends.clickhouse.post_connection import PostConnection

READ_SECS = 5


class Server:
    """Reads a request on each connection, sends `pieces`, and closes it if told to."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closes = False
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := connection.recv(65536):
                self.requests.append(request)
                for piece in self.pieces:
                    connection.sendall(piece)
                if self.closes:
                    return


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


Post = Callable[[], tuple[int, bytes]]


@pytest.fixture
def post(server: Server) -> Post:
    connection = PostConnection(HTTPConnection("127.0.0.1", server.port), {"Host": "here:8123", "X-Name": "value"})

    def posted() -> tuple[int, bytes]:
        response = connection.post("/?a=b%20c", b"SELECT 1", read_secs=READ_SECS)
        return response.status, response.body

    return posted


def test_a_request_is_one_of_http(server: Server, post: Post) -> None:
    server.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
    post()

    assert server.requests == [
        b"POST /?a=b%20c HTTP/1.1\r\nHost: here:8123\r\nX-Name: value\r\nContent-Length: 8\r\n\r\nSELECT 1"
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nresult"],
        [b"HTTP/1.1 200 OK\r\nContent-", b"Length: 6\r\n\r\nres", b"ult"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nres\r\n", b"3\r\nult\r\n0\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nresult"],
    ],
)
def test_a_connection_is_kept_for_the_next_request(server: Server, post: Post, pieces: list[bytes]) -> None:
    server.pieces = pieces

    assert [post(), post()] == [(200, b"result")] * 2
    assert server.connections == 1


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nresult"],
        [b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nres", b"ult"],
    ],
)
def test_one_that_the_other_side_closes_is_opened_anew(server: Server, post: Post, pieces: list[bytes]) -> None:
    server.pieces, server.closes = pieces, True

    assert [post(), post()] == [(200, b"result")] * 2
    assert server.connections == 2


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nServer: one\r\nContent-Len"],
        [b"HTTP/1.1 100 Continue\r\nServer: one\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nres"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nres\r\n"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
    ],
)
def test_what_is_no_complete_response_is_an_error(server: Server, post: Post, pieces: list[bytes]) -> None:
    server.pieces, server.closes = pieces, True

    with pytest.raises((OSError, HTTPException)):
        post()


def test_after_an_error_the_next_request_has_a_connection_of_its_own(server: Server, post: Post) -> None:
    server.pieces, server.closes = [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nres"], True
    with pytest.raises(HTTPException):
        post()
    server.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]

    assert post() == (200, b"ok")
