"""One request of ClickHouse's HTTP protocol: from its URL, headers and body to the response."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import ssl
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from itertools import chain
from socket import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from local.engine.body import BodyCut, body_pieces, form_fields, has_body
from local.engine.codecs import compressed, compressor, decompressed
from local.engine.confinement import refuse_files
from local.engine.database import Progress
from local.engine.errors import UNSUPPORTED_METHOD, EngineError
from local.engine.origin import refuse_web_pages
from local.engine.statement import DEFAULT_FORMAT, Session, Statement, session, statement

if TYPE_CHECKING:
    from local.engine.listener import EngineHttpServer

# The part of a response that is awaited before the first byte is sent, so that status, length and summary are known.
_HELD_BACK_BYTES = 1 << 20
_NOT_OF_A_HEADER = re.compile(r"[^ -~]")
_HEALTH_PATHS = ("/ping", "/replicas_status")


class Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection, one after another."""

    server: EngineHttpServer
    connection: socket
    protocol_version = "HTTP/1.1"
    server_version = "local-engine"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def setup(self) -> None:
        """Prepare the streams; every read and write has a timeout."""
        self.request.settimeout(self.server.limits.idle_secs)
        super().setup()

    def handle(self) -> None:
        """Serve until the client closes the connection or is idle for too long."""
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()
        super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Log nothing per request."""

    def do_HEAD(self) -> None:
        """Respond with 200, to show that the server is up."""
        self._reply(HTTPStatus.OK, b"", {})

    def do_GET(self) -> None:
        """Run a query that changes nothing."""
        self._serve(is_readonly=True)

    def do_POST(self) -> None:
        """Run any statement."""
        self._serve(is_readonly=False)

    def _serve(self, *, is_readonly: bool) -> None:
        address = urlsplit(self.path)
        url = dict(parse_qsl(address.query, keep_blank_values=True))
        query_id = url.get("query_id") or str(uuid.uuid4())
        try:
            refuse_web_pages(self.headers)
            if address.path in _HEALTH_PATHS:
                self._reply(HTTPStatus.OK, b"Ok.\n", {})
            elif address.path != "/":
                self._reply(HTTPStatus.NOT_FOUND, f"There is no handle {address.path}\n".encode(), {})
            elif not url.get("query") and not has_body(self.headers):
                self._reply(HTTPStatus.OK, b"Ok.\n", {})
            else:
                self.server.login.require(self.headers, url)
                with self.server.requests.claim(query_id):
                    self._run(url, query_id, is_readonly=is_readonly)
        except EngineError as error:
            self._reply_error(error, query_id)
        except BodyCut:
            self.close_connection = True

    def _run(self, url: dict[str, str], query_id: str, *, is_readonly: bool) -> None:
        for name in ("compress", "decompress"):
            if _is_on(url, name):
                raise EngineError.refused(UNSUPPORTED_METHOD, f"{name}=1 (native blocks)", "NOT_IMPLEMENTED")
        body = self._body()
        if self.headers.get_content_type() == "multipart/form-data":  # clients send large parameters so
            url, body = url | form_fields(self.headers, b"".join(body)), []
        wanted_format = url.get("default_format") or self.headers.get("X-ClickHouse-Format") or DEFAULT_FORMAT
        database = self.headers.get("X-ClickHouse-Database", "")
        requested = statement(url.get("query", ""), body, wanted_format)
        refuse_files(requested.sql)
        query_session = session(url, query_id, database=database, is_readonly=is_readonly)
        with contextlib.ExitStack() as until_responded:
            if requested.is_read:
                watch = self.server.requests.stopped_on_hang_up(query_id, self.connection.fileno())
                until_responded.enter_context(watch)
            self._respond(requested, query_session, is_compressed=_is_on(url, "enable_http_compression"))

    def _body(self) -> list[bytes]:
        # The body is complete before the engine gets any of it, so a truncated body stores nothing.
        max_bytes = self.server.limits.max_body_bytes
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        pieces = body_pieces(self.headers, self.rfile, max_bytes)  # type: ignore[arg-type]  # a reader, as typed
        return [piece for piece in decompressed(pieces, encoding, max_bytes) if piece]

    def _respond(self, requested: Statement, query_session: Session, *, is_compressed: bool) -> None:
        started, progress = time.monotonic(), Progress()
        with contextlib.closing(self.server.database.run(requested, query_session, progress)) as pieces:
            first, is_whole = _take(pieces, _HELD_BACK_BYTES)
            headers = {
                "X-ClickHouse-Query-Id": query_session.query_id,
                "X-ClickHouse-Format": requested.format,
                "X-ClickHouse-Timezone": "UTC",
                "X-ClickHouse-Server-Display-Name": "local-engine",
                "X-ClickHouse-Summary": _summary(progress, time.monotonic() - started),
            }
            encoding, encoder = compressor(self.headers.get("Accept-Encoding", "") if is_compressed else "")
            if encoder is not None and first:
                headers["Content-Encoding"] = encoding
            if is_whole:
                self._reply(HTTPStatus.OK, b"".join(compressed(first, encoder)), headers)
                return
            rest = _Rest(pieces)
            headers["X-ClickHouse-Exception-Tag"] = rest.tag
            self._reply_in_chunks(compressed(chain(first, rest), encoder), headers)
            if rest.has_failed:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if self.server.is_stopping.is_set():
            self.close_connection = True
        if self.close_connection:
            headers = {**headers, "Connection": "close"}
        self._send_head(status, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)
        self.wfile.flush()

    def _reply_in_chunks(self, pieces: Iterator[bytes], headers: dict[str, str]) -> None:
        """Send all but the last, empty chunk."""
        self._send_head(HTTPStatus.OK, {**headers, "Transfer-Encoding": "chunked"})
        for piece in pieces:
            if piece:
                self.wfile.write(b"%x\r\n" % len(piece))
                self.wfile.write(piece)
                self.wfile.write(b"\r\n")

    def _reply_error(self, error: EngineError, query_id: str) -> None:
        # The rest of a body would be taken for the next request.
        self.close_connection = self.close_connection or has_body(self.headers)
        headers = {
            "X-ClickHouse-Exception-Code": str(error.code),
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": "UTC",
            "Content-Type": "text/plain; charset=UTF-8",
        }
        self._reply(error.status, f"{error} (version {self.server.database.version})\n".encode(), headers)

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            # Some values come from the client, and a line end in one would begin a header.
            self.send_header(name, _NOT_OF_A_HEADER.sub("", value))
        self.end_headers()


class _Rest:
    """The rest of a response whose status was sent. An error becomes its last piece, marked by a tag from the headers,
    and the final chunk is not sent, so that it cannot be taken for a complete response."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.tag = secrets.token_hex(8)
        self.has_failed = False
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except EngineError as error:
            self.has_failed = True
            text = f"{error}\n"
            yield (f"\r\n__exception__\r\n{self.tag}\r\n{text}{len(text)} {self.tag}\r\n__exception__\r\n".encode())


def _take(pieces: Iterator[bytes], max_bytes: int) -> tuple[list[bytes], bool]:
    """The first pieces, up to that size, and whether these were all."""
    taken: list[bytes] = []
    size_bytes = 0
    for piece in pieces:
        taken.append(piece)
        size_bytes += len(piece)
        if size_bytes > max_bytes:
            return taken, False
    return taken, True


def _is_on(url: dict[str, str], name: str) -> bool:
    return url.get(name, "0").lower() not in ("", "0", "false")


def _summary(progress: Progress, elapsed_secs: float) -> str:
    numbers = {
        "read_rows": progress.read_rows,
        "read_bytes": progress.read_bytes,
        "written_rows": progress.written_rows,
        "written_bytes": progress.written_bytes,
        "total_rows_to_read": progress.read_rows,
        "result_rows": progress.result_rows,
        "elapsed_ns": int(elapsed_secs * 1e9),
    }
    return json.dumps({name: str(value) for name, value in numbers.items()})
