"""A proxy between the service and ClickHouse over HTTPS: passes bytes, or has the handshake fail."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from local.certificates import Certificates
from tests.faults.proxy import Door, reach

Handshake = Callable[[socket.socket], None]
"""What a client gets whose first bytes are those of a handshake."""

_PIECE_BYTES = 1 << 16


class TlsProxy:
    """Relays, but for connections while `handshake` is set."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self.handshake: Handshake | None = None
        self.door = Door(self._serve)

    def fail(self, handshake: Handshake) -> None:
        """From now on each connection begins so, also those that there were: they end, and must begin anew."""
        self.handshake = handshake
        self.door.shut()
        self.door.open()

    def _serve(self, client: socket.socket) -> None:
        if self.handshake is not None:
            self.handshake(client)
            return
        with closing(reach(self._upstream_port)) as upstream:
            backward = threading.Thread(target=_pass_on, args=(upstream, client), name="proxy", daemon=True)
            backward.start()
            _pass_on(client, upstream)
            backward.join()


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    """Until one of them has had enough, which the other then hears of."""
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            to.sendall(piece)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)


# How a handshake can fail.


def present(certificates: Certificates) -> Handshake:
    """Somebody else answers, with a certificate of his own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate_file, certificates.key_file)

    def shake_hands(client: socket.socket) -> None:
        context.wrap_socket(client, server_side=True).close()

    return shake_hands


def answer_without_tls(client: socket.socket) -> None:
    """As a server answers that speaks plain HTTP on this port."""
    client.recv(_PIECE_BYTES)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
