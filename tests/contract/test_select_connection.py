"""What statements that read return, and what becomes of connections that end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from app.backends.clickhouse.client import translated_errors
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.select_connection import SelectConnection
from app.domain.statement import Cost, Result, Statement
from app.errors import QueryTooExpensive, TableMissing, TryAgainLater
from app.settings import ClickHouseSettings, QuerySettings
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

READ_SECS = 10
ONE = b'{"meta":[{"name":"1","type":"UInt8"}],"data":[[1]],"rows":1,"statistics":{"rows_read":1,"bytes_read":2}}'


class Server(ThreadingHTTPServer):
    """Answers every request with `body`, and closes connections without saying so if told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = 200, ONE
        self.closes_when_idle = False
        self.requests: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)
        self.close_connection = self.server.closes_when_idle

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.shutdown()
    made.server_close()


Run = Callable[..., Result]


@pytest.fixture
def run(engine: RunningEngine) -> Run:
    connection = SelectConnection(clickhouse_settings(engine, "default"))

    def on_the_engine(sql: str, parameters: dict[str, object] | None = None) -> Result:
        return connection.run(sql, parameters or {}, {}, read_secs=READ_SECS)

    return on_the_engine


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("toUInt64(18446744073709551615)", 18446744073709551615),
        ("toInt64(-9223372036854775808)", -9223372036854775808),
        ("toFloat64(0.1)", 0.1),
        ("toFloat32(87.3)", 87.3),
        ("CAST(NULL AS Nullable(Float32))", None),
        ("'a \"b\" \\\\ \\t \\n / é 😀 \\0'", 'a "b" \\ \t \n / é 😀 \0'),
        ("'caf\\xe9'", "caf\ufffd"),
        ("map('http.route', '/pay', '', '')", {"http.route": "/pay", "": ""}),
        ("[toUInt64(3), 4]", [3, 4]),
        ("CAST('INFO' AS LowCardinality(String))", "INFO"),
    ],
)
def test_values_are_what_they_are_in_the_table(run: Run, sql: str, value: object) -> None:
    result = run(f"SELECT {sql} AS value")

    assert (result.columns, result.rows) == (["value"], [(value,)])


@pytest.mark.parametrize(
    "text", ["", "a'b", 'a"b', "\\", "\\N", "tab\there", "line\nend", "é😀", "{x:String}", "a&b=c+d%20"]
)
def test_parameters_arrive_as_they_are(run: Run, text: str) -> None:
    result = run(
        "SELECT {one:String}, {many:Array(String)}, {number:UInt64}, {part:Float64}",
        {"one": text, "many": [text, "x"], "number": 2**64 - 1, "part": 0.25},
    )

    assert result.rows == [(text, [text, "x"], 2**64 - 1, 0.25)]


def test_the_cost_is_what_was_read(run: Run) -> None:
    assert run("SELECT sum(number) FROM numbers(1000)").cost == Cost(1000, 8000)


def test_an_error_has_its_number(run: Run) -> None:
    with pytest.raises(TableMissing), translated_errors("read"):
        run("SELECT 1 FROM nowhere.at_all")

    assert run("SELECT 1").rows == [(1,)]


def test_a_query_that_takes_too_long_is_too_expensive(engine: RunningEngine) -> None:
    reader = ClickHouseReader(clickhouse_settings(engine, "default"), QuerySettings())

    with pytest.raises(QueryTooExpensive) as error:
        reader.run(
            Statement("SELECT sum(sleepEachRow(0.1)) FROM numbers(100) SETTINGS max_block_size = 1"), timeout_secs=1
        )

    assert error.value.resource == "time"


def test_a_connection_that_was_closed_while_it_was_idle_is_opened_anew(server: Server) -> None:
    server.closes_when_idle = True
    connection = SelectConnection(ClickHouseSettings(url=server.url))

    results = [connection.run("SELECT 1", {}, {}, read_secs=READ_SECS) for _ in range(3)]

    assert [result.rows for result in results] == [[(1,)]] * 3
    assert len(server.requests) == 3


@pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", b"[]", b'{"meta":[],"data":[', b'{"data":[]}'])
def test_what_is_no_result_is_an_error_to_try_again(server: Server, body: bytes) -> None:
    server.body = body
    connection = SelectConnection(ClickHouseSettings(url=server.url))

    with pytest.raises(TryAgainLater), translated_errors("read"):
        connection.run("SELECT 1", {}, {}, read_secs=READ_SECS)


def test_of_a_statement_without_a_result_nothing_is_expected(server: Server) -> None:
    server.body = b""

    SelectConnection(ClickHouseSettings(url=server.url)).tell("KILL QUERY WHERE false", read_secs=READ_SECS)

    assert len(server.requests) == 1


def test_results_are_held_in_memory_until_they_are_complete(server: Server) -> None:
    SelectConnection(ClickHouseSettings(url=server.url)).run("SELECT 1", {}, {}, read_secs=READ_SECS)

    assert "wait_end_of_query=1&buffer_size=8388608" in server.requests[0]


def test_an_authority_that_cannot_be_read_is_an_error_to_try_again(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("no certificate")
    settings = ClickHouseSettings(url="https://clickhouse.example", ca_file=authority)

    with pytest.raises(TryAgainLater):
        ClickHouseReader(settings, QuerySettings()).run(Statement("SELECT 1"), timeout_secs=1)


def test_a_status_of_somebody_in_between_is_an_error_to_try_again(server: Server) -> None:
    server.status, server.body = 502, b"Bad gateway"
    connection = SelectConnection(ClickHouseSettings(url=server.url))

    with pytest.raises(DatabaseError) as error:
        connection.run("SELECT 1", {}, {}, read_secs=READ_SECS)

    assert (error.value.code, str(error.value)) == (None, "Bad gateway")


def test_nobody_there_is_an_error_to_try_again() -> None:
    connection = SelectConnection(ClickHouseSettings(url="http://127.0.0.1:1"))

    with pytest.raises(TryAgainLater) as error, translated_errors("read"):
        connection.run("SELECT 1", {}, {}, read_secs=READ_SECS)

    assert "Connection refused" in str(error.value)


def test_the_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    connection = SelectConnection(ClickHouseSettings(url="http://clickhouse.example:8123"))

    assert connection.run("SELECT 1", {}, {}, read_secs=READ_SECS).rows == [(1,)]
    assert server.requests[0].startswith("http://clickhouse.example:8123/?")


def test_a_proxy_is_asked_for_the_port_of_clickhouse_and_not_for_that_of_the_scheme(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)

    SelectConnection(ClickHouseSettings(url="http://clickhouse.example")).tell("SELECT 1", read_secs=READ_SECS)

    assert server.requests[0].startswith("http://clickhouse.example:8123/?")


@pytest.mark.parametrize("without", ["127.0.0.1", "other.example, 127.0.0.1:{port}", "*"])
def test_what_needs_no_proxy_is_asked_directly(server: Server, monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", without.format(port=server.server_address[1]))

    SelectConnection(ClickHouseSettings(url=server.url)).tell("SELECT 1", read_secs=READ_SECS)

    assert server.requests[0].startswith("/?")
