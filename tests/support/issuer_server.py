"""An issuer over HTTP: its documents, a page at which a person signs in, and its token endpoint."""

from __future__ import annotations

import base64
import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from tests.support.issuer import EMAIL
from tests.support.sign_in_issuer import SignInIssuer


class IssuerServer:
    """`status` and `body` replace its responses. Under the name localhost it is another site than 127.0.0.1."""

    def __init__(self, name: str = "127.0.0.1") -> None:
        served = self
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = f"{served.issuer.url}{self.path}"
                if self.path.startswith("/authorize?"):
                    self._respond(served.status, _page(served.issuer.redirect_of(address)), "text/html")
                else:
                    self._respond(served.status, json.dumps(served.issuer.document(address)).encode())

            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                scheme, _, text = self.headers.get("Authorization", "").partition(" ")
                name, _, secret = base64.b64decode(text).decode().partition(":")
                url = f"{served.issuer.url}{self.path}"
                status, response = served.issuer.post(url, form, (name, secret) if scheme else None)
                self._respond(status if served.body is None else served.status, json.dumps(response).encode())

            def _respond(self, status: int, body: bytes, media_type: str = "application/json") -> None:
                body = body if served.body is None else served.body
                self.send_response(status)
                for name, value in served.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = SignInIssuer(f"http://{name}:{self._server.server_port}")
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _page(address: str) -> bytes:
    link = f'<a href="{html.escape(address)}">Continue as {EMAIL}</a>'
    return f'<!doctype html><html lang="en"><title>Example</title><link rel="icon" href="data:,">{link}'.encode()
