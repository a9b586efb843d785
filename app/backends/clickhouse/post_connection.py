"""A connection that posts over HTTP/1.1, and reads heads with httptools, which the HTTP server uses too.

http.client reads each head as that of an e-mail: that takes a tenth of a small query.
"""

import socket
from collections.abc import Mapping
from http.client import BadStatusLine, HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpResponseParser

_READ_BYTES: Final = 256 * 1024
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 3}
_WITH_LENGTH: Final = (b"content-length", b"transfer-encoding")


class Response(NamedTuple):
    """What came back. `headers` are by their names in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class PostConnection:
    """One connection, kept open between posts as long as the other side keeps it; one thread at a time."""

    def __init__(self, connection: HTTPConnection, headers: Mapping[str, str]) -> None:
        """`connection` is not connected yet, which the first post does. `headers` are those of each post."""
        self._connection = connection
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._responses = _Responses()

    @property
    def is_open(self) -> bool:
        """Whether it is connected, as far as is known here."""
        return self._connection.sock is not None

    def post(self, target: str, body: bytes, *, read_secs: float) -> Response:
        """The response to one request; the other side may be silent for `read_secs`.

        Raises:
            OSError, http.client.HTTPException: there is none, or it is no HTTP.
        """
        try:
            return self._exchange(target, body, read_secs)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it; the next post opens it anew."""
        self._connection.close()

    def _exchange(self, target: str, body: bytes, read_secs: float) -> Response:
        if not self.is_open:
            self._connection.connect()
            _notice_if_gone(self._connection.sock)
            self._responses = _Responses()
        connected: socket.socket = self._connection.sock
        connected.settimeout(read_secs)
        head = f"POST {target} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        connected.sendall(head.encode("latin-1") + body)
        while not self._responses.has_one:
            self._responses.feed(connected.recv(_READ_BYTES))
        response, is_kept = self._responses.take()
        if not is_kept:
            self.close()
        return response


def _notice_if_gone(connected: socket.socket) -> None:
    """Have the system close a connection whose other side has gone without a word, within two minutes.

    Otherwise each that is kept would fail one query, after its whole time.
    """
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if option := getattr(socket, name, None):  # not every system has each of them
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


class _Responses:
    """The responses of one connection, one after another. The methods `on_...` are called by the parser."""

    def __init__(self) -> None:
        self.has_one = False
        """Whether a response is complete."""
        self._is_kept = False
        # It refers to this object too: one for each response would be garbage that only the collector finds.
        self._parser = HttpResponseParser(self)
        self._has_begun, self._has_head = False, False
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take what came in; nothing means that the other side has closed the connection.

        Raises:
            http.client.RemoteDisconnected, http.client.HTTPException: there will be no complete response.
        """
        if not data:
            self._end()
            return
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise BadStatusLine(str(error)) from error

    def take(self) -> tuple[Response, bool]:
        """The complete response, and whether the connection can be used for another request."""
        response = Response(self._parser.get_status_code(), self._headers, b"".join(self._pieces))
        is_kept = self._is_kept
        self._begin()
        return response, is_kept

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self._begin()  # an interim response: the one that counts follows
        else:
            self.has_one, self._is_kept = True, self._parser.should_keep_alive()

    def _begin(self) -> None:
        self.has_one, self._is_kept = False, False
        self._has_begun, self._has_head = False, False
        self._headers, self._pieces = {}, []

    def _end(self) -> None:
        if not self._has_begun:
            raise RemoteDisconnected("the connection was closed without a response")
        if not self._has_head or any(name in self._headers for name in _WITH_LENGTH):
            raise IncompleteRead(b"".join(self._pieces))
        self.has_one = True  # its end is that of the connection
