"""The HTTP server on a real socket, with an application that does what it is told."""

from __future__ import annotations

import contextlib
import gc
import gzip
import http.client
import io
import json
import time
import zlib
from contextlib import closing

import pytest
import zstandard

from app.component import CannotStart
from app.http.connections import Connections
from app.http.refusal import SECURITY_HEADERS
from app.http.server import HttpServer
from app.settings import HttpSettings
from local.ports import LOOPBACK, free_port
from tests.http.running import LIMITS, THREADS, WAIT_SECS, Application, Running, read_response, rest_of

pytestmark = pytest.mark.stack  # real sockets


def decoded(encoding: str | None, body: bytes) -> bytes:
    """A body without its content encoding."""
    if encoding == "gzip":
        return gzip.decompress(body)
    return zstandard.ZstdDecompressor().decompressobj().decompress(body) if encoding == "zstd" else body


def test_a_request_reaches_the_application_as_it_was_sent(running: Running) -> None:
    response, body = running.get("/a%2Fb%FF/%E2%82%AC?q=%20+&x", "POST", body=b"12345", headers={"X-One": "1"})
    seen = json.loads(body)

    assert response.status == 200
    assert (seen["path"], seen["query"], seen["sent"]) == ("/a/b\xff/\xe2\x82\xac", "q=%20+&x", 5)
    assert seen["headers"]["HTTP_X_ONE"] == "1"
    assert response.getheader("Server") is None


def test_a_chunked_body_is_complete(running: Running) -> None:
    pieces = (b"x" * 1_000 for _ in range(50))

    _, body = running.get("/", "POST", body=pieces, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})

    assert json.loads(body)["sent"] == 50_000


def test_one_header_cannot_pass_for_another(running: Running) -> None:
    request = "GET / HTTP/1.1\nHost: x\nX_Forwarded_User: root\nX-Two: 1\nX-Two: 2\nConnection: close\n\n"

    seen = json.loads(rest_of(running.send(request)).partition(b"\r\n\r\n")[2])

    assert "HTTP_X_FORWARDED_USER" not in seen["headers"]
    assert seen["headers"]["HTTP_X_TWO"] == "1,2"


def test_head_has_the_headers_and_no_body(running: Running) -> None:
    response, body = running.get("/large", "HEAD")

    assert (response.getheader("Content-Length"), body) == ("5000000", b"")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("zstd;q=0, gzip;q=0", None),
        ("br", None),
        ("", None),
    ],
)
def test_a_response_is_compressed_as_the_client_wants_it(running: Running, accepted: str, encoding: str | None) -> None:
    response, body = running.get("/text", headers={"Accept-Encoding": accepted})

    assert response.getheader("Content-Encoding") == encoding
    assert response.getheader("Vary") == "Accept-Encoding"
    assert len(body) == int(response.getheader("Content-Length") or 0)
    assert (len(body) < 1_000) == (encoding is not None)
    assert response.getheader("ETag") == ('W/"1"' if encoding else '"1"')
    assert decoded(encoding, body) == b"text " * 1_000


def test_small_and_binary_responses_are_not_compressed(running: Running) -> None:
    small, _ = running.get("/", headers={"Accept-Encoding": "gzip"})
    binary, _ = running.get("/large", headers={"Accept-Encoding": "gzip"})

    assert small.getheader("Content-Encoding") is None
    assert binary.getheader("Content-Encoding") is None
    assert binary.getheader("Vary") is None


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_each_piece_of_a_compressed_stream_can_be_read_at_once(running: Running, encoding: str) -> None:
    connection = running.send(f"GET /stream HTTP/1.1\nHost: x\nAccept-Encoding: {encoding}\n\n")
    response = http.client.HTTPResponse(connection)
    response.begin()
    stream = zlib.decompressobj(31) if encoding == "gzip" else zstandard.ZstdDecompressor().decompressobj()

    seen = b""
    while seen.count(b"\n\n") < 3:
        seen += stream.decompress(response.read1())

    assert seen.startswith(b"data: event\n\ndata: event\n\n")
    connection.close()


def test_a_client_that_says_nothing_is_disconnected(running: Running) -> None:
    began_at = time.monotonic()

    assert rest_of(running.open()) == b""
    assert time.monotonic() - began_at >= LIMITS.head_secs


def test_headers_that_do_not_end_are_given_up(running: Running) -> None:
    connection = running.send("GET / HTTP/1.1\nHost: x\n")

    assert rest_of(connection) == b""


def test_headers_of_a_later_request_have_a_deadline_too(running: Running) -> None:
    connection = running.send("GET / HTTP/1.1\nHost: x\n\n")
    read_response(connection)
    time.sleep(2 * LIMITS.head_secs)  # between requests a client may be silent for longer
    connection.sendall(b"GET / HTTP/1.1\r\n")

    assert rest_of(connection) == b""


def test_headers_without_end_are_not_kept(running: Running) -> None:
    connection = running.send("GET / HTTP/1.1\n" + "".join(f"X-{n}: {'x' * 1_000}\n" for n in range(50)))

    assert rest_of(connection) == b""


def test_a_slow_body_is_refused_and_holds_no_thread(running: Running) -> None:
    slow = [running.send("POST / HTTP/1.1\nHost: x\nContent-Length: 1000\n\nx") for _ in range(3 * THREADS)]

    response, _ = running.get("/")
    answers = [rest_of(connection) for connection in slow]

    assert response.status == 200
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers)


@pytest.mark.parametrize(
    "head", ["Content-Length: 100001", "Content-Length: 300000000", "Transfer-Encoding: chunked"], ids=str
)
def test_a_large_body_is_refused_before_it_is_all_read(running: Running, head: str) -> None:
    chunk = "186A1\n" + "x" * 100_001 + "\n" if "chunked" in head else ""

    answer = rest_of(running.send(f"POST / HTTP/1.1\nHost: x\n{head}\n\n{chunk}"))

    assert answer.startswith(b"HTTP/1.1 413")
    assert (
        json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"] == "The body may have at most 100,000 bytes."
    )


def test_bodies_together_have_a_limit(running: Running) -> None:
    begun = f"POST / HTTP/1.1\nHost: x\nContent-Length: 100000\n\n{'x' * 90_000}"

    answers = [rest_of(connection) for connection in [running.send(begun) for _ in range(4)]]

    assert sorted(answer[9:12] for answer in answers) == [b"408", b"408", b"503", b"503"]


def test_a_body_takes_memory_until_the_application_has_responded(running: Running) -> None:
    begun = f"POST /wait HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 90000\n\n{'x' * 90_000}"
    waiting = [running.send(begun) for _ in range(2)]
    refused = rest_of(running.send(begun))
    running.application.may_end.set()

    assert refused.startswith(b"HTTP/1.1 503")
    assert b"\r\nretry-after: 5\r\n" in refused
    assert [rest_of(connection)[9:12] for connection in waiting] == [b"200", b"200"]
    assert rest_of(running.send(begun)).startswith(b"HTTP/1.1 200")


def test_who_sends_a_large_body_gets_the_refusal(running: Running) -> None:
    for _ in range(5):  # a reset connection would lose it now and then
        response, _ = running.get("/", "POST", body=b"x" * 5_000_000)

        assert response.status == 413


def test_requests_of_a_lane_hold_up_no_others(running: Running) -> None:
    request_text = "POST /wait HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 0\n\n"
    waiting = [running.send(request_text) for _ in range(THREADS + 4)]

    assert running.get("/")[0].status == 200
    running.application.may_end.set()
    assert [rest_of(connection)[9:12] for connection in waiting] == [b"200"] * (THREADS + 4)


@pytest.mark.parametrize("request_text", ["no HTTP at all\n\n", "POST / HTTP/1.1\nContent-Length: 100001\n\n"])
def test_what_the_server_refuses_itself_looks_like_an_error_of_the_api(running: Running, request_text: str) -> None:
    head, _, body = rest_of(running.send(request_text)).partition(b"\r\n\r\n")
    headers = http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2] + b"\r\n\r\n"))
    error = json.loads(body)["error"]

    assert head.startswith(b"HTTP/1.1 %d" % error["status"])
    assert error["request_id"] == headers["X-Request-Id"]
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_one_address_cannot_hold_all_connections() -> None:
    running = Running(max_connections_per_address=3)
    idle = [running.open() for _ in range(3)]
    for connection in idle:  # each is known to the server
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        read_response(connection)

    refused = running.open()
    with contextlib.suppress(ConnectionResetError):
        assert refused.recv(1) == b""
    idle[0].close()

    assert running.has_room(), "a connection that ended makes room"
    for connection in (*idle[1:], refused):
        connection.close()
    running.server.join(WAIT_SECS)


def test_connections_of_a_trusted_proxy_count_only_in_total() -> None:
    connections = Connections(3, 1, lambda address: address == "proxy")

    assert [connections.admit(address) for address in ("proxy", "proxy", "a", "proxy")] == [True, True, True, False]


def test_a_trusted_proxy_says_who_the_client_is() -> None:
    running = Running(trusted_proxies=LOOPBACK)
    headers = {"X-Forwarded-For": "1.2.3.4, 198.51.100.7", "X-Forwarded-Proto": "https"}

    _, body = running.get("/", headers=headers)

    assert (json.loads(body)["client"], json.loads(body)["scheme"]) == ("198.51.100.7", "https")
    running.server.join(WAIT_SECS)


def test_connections_in_total_have_a_limit() -> None:
    connections = Connections(3, 2, lambda _: False)

    assert [connections.admit(address) for address in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    connections.leave("a")
    assert connections.admit("c")


def test_a_response_that_nobody_reads_holds_no_thread(running: Running) -> None:
    unread = [running.send("GET /large HTTP/1.1\nHost: x\n\n") for _ in range(3 * THREADS)]

    response, body = running.get("/large")

    assert (response.status, len(body)) == (200, 5_000_000)
    for connection in unread:
        connection.close()


def test_streams_hold_no_thread_while_they_pause(running: Running) -> None:
    streams = [running.send("GET /stream HTTP/1.1\nHost: x\n\n") for _ in range(3 * THREADS)]

    for connection in streams:
        assert b"200 OK" in connection.recv(65_536)
    assert running.get("/")[0].status == 200
    for connection in streams:
        connection.close()


def test_a_stream_ends_when_its_client_disconnects(running: Running) -> None:
    connection = running.send("GET /stream HTTP/1.1\nHost: x\n\n")
    assert connection.recv(65_536)

    connection.close()

    assert running.application.wait_for_end("/stream")
    time.sleep(0.2)  # whatever else closes it does so soon
    gc.collect()
    assert running.application.ended == ["/stream"], "closed once"


def test_a_request_at_work_learns_that_its_client_is_gone(running: Running) -> None:
    connection = running.send("GET /until-gone HTTP/1.1\nHost: x\n\n")
    time.sleep(0.1)
    assert running.application.ended == []

    connection.close()

    assert running.application.wait_for_end("/until-gone")


def test_a_request_that_asks_late_learns_at_once_that_its_client_is_gone(running: Running) -> None:
    connection = running.send("GET /already-gone HTTP/1.1\nHost: x\n\n")
    time.sleep(0.1)
    connection.close()
    time.sleep(0.1)

    running.application.may_end.set()

    assert running.application.wait_for_end("/already-gone")


def test_a_client_that_has_its_response_may_go(running: Running) -> None:
    connection = running.send("GET /answered HTTP/1.1\nHost: x\n\n")
    read_response(connection)

    connection.close()

    time.sleep(0.2)
    assert running.application.ended == []


@pytest.mark.parametrize(("path", "level"), [("/broken", "ERROR"), ("/broken-off", "INFO")])
def test_a_stream_that_fails_is_cut_off_and_does_not_seem_complete(
    running: Running, caplog: pytest.LogCaptureFixture, path: str, level: str
) -> None:
    caplog.set_level("INFO", "app.http.bridge")

    with pytest.raises(http.client.IncompleteRead):
        running.get(path)

    assert [record.levelname for record in caplog.records if "The response to request" in record.message] == [level]


def test_probes_get_responses_while_all_threads_are_busy(running: Running) -> None:
    busy = [running.send("GET /wait HTTP/1.1\nHost: x\nConnection: close\n\n") for _ in range(2 * THREADS)]

    response, _ = running.get("/live")
    running.application.may_end.set()

    assert response.status == 200
    assert all(rest_of(connection).startswith(b"HTTP/1.1 200") for connection in busy)


def test_a_server_with_streams_and_silent_clients_stops_at_once(running: Running) -> None:
    silent = running.open()
    stream = running.send("GET /stream HTTP/1.1\nHost: x\n\n")
    assert stream.recv(65_536)
    began_at = time.monotonic()

    running.application.may_end.set()  # as the component that serves streams does when it stops
    running.server.join(WAIT_SECS)

    assert time.monotonic() - began_at < 2
    assert rest_of(stream).endswith(b"0\r\n\r\n")
    assert rest_of(silent) == b""


def test_a_request_that_does_not_end_does_not_keep_the_server_from_stopping(running: Running) -> None:
    busy = running.send("GET /wait HTTP/1.1\nHost: x\n\n")
    time.sleep(0.1)
    began_at = time.monotonic()

    running.server.join(WAIT_SECS)

    assert time.monotonic() - began_at < LIMITS.drain_secs + 2
    assert rest_of(busy).startswith(b"HTTP/1.1 503")


def test_a_taken_port_is_reported(running: Running) -> None:
    second = HttpServer(HttpSettings(port=running.port), running.application)

    with pytest.raises(CannotStart, match=f"Cannot listen on 127.0.0.1:{running.port}: .*HTTP_PORT"):
        second.start()


def test_ipv6_is_served() -> None:
    application, port = Application(), free_port()
    server = HttpServer(HttpSettings(host="::1", port=port), application)
    server.start()

    with closing(http.client.HTTPConnection("::1", port, timeout=WAIT_SECS)) as connection:
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
    server.join(WAIT_SECS)
