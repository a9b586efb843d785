"""Requests of any bytes on a real socket: never a fault of the server, never a response without security headers."""

from __future__ import annotations

import http.client
import io
import random
import socket
from collections.abc import Iterator

import pytest

from app.domain.statement import Result, Statement
from app.http.limits import Limits
from app.http.refusal import SECURITY_HEADERS
from app.http.server import HttpServer
from app.settings import HttpSettings
from local.ports import LOOPBACK, free_port
from tests.fakes import ScriptedReader
from tests.support.query_application import query_application

pytestmark = pytest.mark.stack  # real sockets

_WAIT_SECS = 20.0
_REQUESTS_OF_A_SEED = 60
_TARGETS = ["/", "/live", "/api/v1/logs", "/api/v1/logs/search", "/api/v1/openapi.json", "*", "http://x"]
_ENCODED = [
    "",
    "%00",
    "%ff",
    "%2e%2e/",
    "//",
    "&",
    "=",
    "%0d%0a",
    "%C2%9B",
    "%5B",
    "%7B",
    "%22",
    "%28" * 50,
    "level:error",
]
_RAW = ["\0", "\r", "\t", "\x9b", "[", "{", '"', "#", " "]
_HEADERS = [
    *("Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Accept", "Accept-Encoding", "Cookie"),
    *(
        "Authorization",
        "Origin",
        "Host",
        "If-None-Match",
        "Range",
        "Last-Event-ID",
        "X-Forwarded-For",
        "Expect",
        "Upgrade",
    ),
]
_VALUES = ["gzip", "chunked", "-1", "5", "99999999999999999999", "*/*;q=x", "bytes=0-", "Basic \xff", "Bearer", "W/"]


def empty_table(statement: Statement) -> Result:
    """No log; a count is 0."""
    has_rows = "shown_" not in statement.sql and "GROUP BY ServiceName" not in statement.sql
    return Result(("count",), [(0,)]) if has_rows else Result((), ())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    free = free_port()
    limits = Limits(head_secs=0.3, body_secs=0.3)
    server = HttpServer(
        HttpSettings(port=free), query_application(ScriptedReader(empty_table)), probes=("/live",), limits=limits
    )
    server.start()
    yield free
    server.join(_WAIT_SECS)


def any_request(rng: random.Random) -> bytes:
    """A request that is nearly right; one in five has bytes that the parser refuses."""
    is_raw = rng.random() < 0.2
    texts, methods = _ENCODED, ["GET", "GET", "POST", "HEAD", "OPTIONS", "PUT"]
    hosts, values = ["localhost", "127.0.0.1:80", "localhost", "evil.example"], _VALUES
    if is_raw:
        texts, methods, hosts, values = texts + _RAW, ["get", "G\0T", *methods], ["[::1", *hosts], values + _RAW
    noise = "".join(rng.choices(texts, k=rng.randrange(3)))
    query = "&".join(f"{rng.choice(['query', 'limit', 'start', 'x', ''])}={rng.choice(texts)}" for _ in range(2))
    headers = [f"{rng.choice(_HEADERS)}: {rng.choice(values)}" for _ in range(rng.randrange(3))]
    target = f"{rng.choice(_TARGETS)}{noise}" + rng.choice(["", f"?{query}"])
    lines = [f"{rng.choice(methods)} {target} HTTP/1.1", f"Host: {rng.choice(hosts)}", "Connection: close", *headers]
    body = rng.randbytes(rng.randrange(40)) if is_raw else b""
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def response_to(port: int, request: bytes) -> bytes:
    """What comes until the server closes the connection; nothing if it does so at once."""
    pieces = []
    with socket.create_connection((LOOPBACK, port), _WAIT_SECS) as connection:
        try:
            connection.sendall(request)
            while piece := connection.recv(65_536):
                pieces.append(piece)
        except ConnectionError:
            pass
    return b"".join(pieces)


@pytest.mark.parametrize("seed", range(5))
def test_no_request_is_a_fault_of_the_server(port: int, seed: int) -> None:
    rng = random.Random(seed)

    for _ in range(_REQUESTS_OF_A_SEED):
        request = any_request(rng)
        head, _, body = response_to(port, request).partition(b"\r\n\r\n")
        if not head:
            continue
        status, _, fields = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
        assert 200 <= int(status.split()[1]) < 500, request
        assert b"Traceback" not in body, request
        assert headers["X-Content-Type-Options"] == SECURITY_HEADERS["X-Content-Type-Options"], request
        assert headers["X-Request-Id"], request
