"""A proxy between the service and ClickHouse over HTTPS: passes bytes, or makes the handshake fail."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from local.certificates import Certificates
from tests.faults.proxy import Listener, reach

Handshake = Callable[[socket.socket], None]
"""Handles a client that begins a TLS handshake."""

_PIECE_BYTES = 1 << 16


class TlsProxy:
    """Relays connections, unless `handshake` is set."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self.handshake: Handshake | None = None
        self.listener = Listener(self._serve)

    def fail(self, handshake: Handshake) -> None:
        """From now on apply this handshake to each connection; existing ones are closed and must reconnect."""
        self.handshake = handshake
        self.listener.shut()
        self.listener.open()

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
    """Relay until one side closes, then close the other."""
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            to.sendall(piece)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)


# Failing handshakes.


def present(certificates: Certificates) -> Handshake:
    """Present another certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate_file, certificates.key_file)

    def shake_hands(client: socket.socket) -> None:
        context.wrap_socket(client, server_side=True).close()

    return shake_hands


def answer_without_tls(client: socket.socket) -> None:
    """Respond like a plain HTTP server."""
    client.recv(_PIECE_BYTES)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
