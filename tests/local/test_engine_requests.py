"""Edge cases of HTTP: truncated bodies, ids, errors, clients that disconnect."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from local.engine.server import EngineServer
from tests.local.clients import MakeClient, one_row
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

_ROWS = b"".join(b'{"i":%d,"s":"%s"}\n' % (number, b"x" * 100) for number in range(2000))
_ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"


def _wait_until(is_so: Callable[[], bool], timeout_secs: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_secs
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def _request(
    engine: RunningEngine,
    method: str = "POST",
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    path: str = "/",
    **url: str,
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(urlsplit(engine.url).netloc, timeout=30)
    try:
        connection.request(method, f"{path}?{urlencode(url)}", body, dict(headers or {}))
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def _begin_insert(engine: RunningEngine, table: str, **url: str) -> socket.socket:
    """Send an insert up to the middle of its body."""
    address = urlsplit(engine.url)
    query = urlencode({"query": f"INSERT INTO {table} FORMAT JSONEachRow", **url})
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=30)
    head = f"POST /?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(_ROWS)}\r\n\r\n"
    connection.sendall(head.encode() + _ROWS[: len(_ROWS) // 2])
    return connection


@contextmanager
def _running_query(engine: RunningEngine, client: Client, query_id: str) -> Iterator[None]:
    """A query that runs until its client disconnects."""
    address = urlsplit(engine.url)
    query = urlencode({"query": _ENDLESS, "query_id": query_id})
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(f"GET /?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        _wait_until(lambda: _is_running(client, query_id))
        yield


def _is_running(client: Client, query_id: str) -> bool:
    return bool(one_row(client, f"SELECT count() FROM system.processes WHERE query_id = '{query_id}'")[0])


def _count(client: Client, table: str) -> int:
    return int(one_row(client, f"SELECT count() FROM {table}")[0])


def test_a_body_cut_short_stores_nothing(engine: RunningEngine, client: Client, table: str) -> None:
    with _begin_insert(engine, table) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b"", "the engine has hung up"

    assert _count(client, table) == 0


def test_a_body_that_comes_whole_in_the_end_is_stored(engine: RunningEngine, client: Client, table: str) -> None:
    with _begin_insert(engine, table) as connection:
        connection.sendall(_ROWS[len(_ROWS) // 2 :])
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")

    assert _count(client, table) == 2000


def test_an_id_that_is_running_is_refused(engine: RunningEngine, client: Client) -> None:
    with _running_query(engine, client, "twice"):
        answer, text = _request(engine, body=b"SELECT 1", query_id="twice")

    assert answer.getheader("X-ClickHouse-Exception-Code") == "216"
    assert b"Query with id = twice is already running" in text


def test_a_token_stores_its_rows_once(client: Client, table: str) -> None:
    settings = {"insert_deduplication_token": "batch-1", "async_insert": 0}

    for _ in range(3):
        client.raw_insert(table, ["i", "s"], _ROWS, fmt="JSONEachRow", settings=settings)
    client.raw_insert(table, ["i", "s"], _ROWS, fmt="JSONEachRow", settings={"insert_deduplication_token": "batch-2"})

    assert _count(client, table) == 4000


def test_one_bad_row_refuses_the_whole_body(client: Client, table: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.raw_insert(table, ["i", "s"], _ROWS + b'{"i":"no number"}\n', fmt="JSONEachRow")

    assert caught.value.code == 27
    assert _count(client, table) == 0


def test_rows_against_a_constraint_are_refused(client: Client, table: str) -> None:
    client.command(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK i < 1000")

    client.raw_insert(table, ["i"], b"999\n", fmt="TSV")
    with pytest.raises(DatabaseError, match="small") as caught:
        client.raw_insert(table, ["i"], b"1\n1000\n", fmt="TSV")

    assert caught.value.code == 469
    assert _count(client, table) == 1


def test_a_query_stops_when_its_client_disconnects(engine: RunningEngine, client: Client) -> None:
    with _running_query(engine, client, "abandoned"):
        pass

    _wait_until(lambda: not _is_running(client, "abandoned"))


def test_a_response_that_is_not_read_stops(engine: RunningEngine, client: Client) -> None:
    connection = HTTPConnection(urlsplit(engine.url).netloc, timeout=30)
    query = urlencode({"query": "SELECT number FROM numbers(100000000000) FORMAT Native", "query_id": "half-read"})
    connection.request("GET", f"/?{query}")
    assert len(connection.getresponse().read(1000)) == 1000
    assert _is_running(client, "half-read")

    connection.close()

    _wait_until(lambda: not _is_running(client, "half-read"))


def test_a_query_is_killed_by_its_id(engine: RunningEngine, client: Client) -> None:
    caught: list[tuple[HTTPResponse, bytes]] = []
    asking = threading.Thread(target=lambda: caught.append(_request(engine, query=_ENDLESS, query_id="killed")))
    asking.start()
    _wait_until(lambda: _is_running(client, "killed"))

    client.command("KILL QUERY WHERE query_id = 'killed' SYNC")
    asking.join(20)

    assert caught[0][0].getheader("X-ClickHouse-Exception-Code") == "394"


def test_clients_are_served_at_the_same_time(engine: RunningEngine, connect: MakeClient, table: str) -> None:
    clients = [connect(engine) for _ in range(8)]

    def insert_ten(client: Client, number: int) -> None:
        for row in range(10):
            client.insert(table, [[number * 10 + row, ""]], column_names=["i", "s"])

    threads = [threading.Thread(target=insert_ten, args=(each, number)) for number, each in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert one_row(clients[0], f"SELECT count(), uniq(i) FROM {table}") == (80, 80)


@pytest.mark.parametrize("path", ["/ping", "/replicas_status", "/"])
def test_health_is_answered(engine: RunningEngine, path: str) -> None:
    answer, text = _request(engine, "GET", path=path)

    assert (answer.status, text) == (200, b"Ok.\n")


def test_the_default_format_is_a_parameter_or_a_header(engine: RunningEngine) -> None:
    by_url, text = _request(engine, body=b"SELECT 1 AS x", default_format="JSONEachRow")
    by_header, same = _request(engine, body=b"SELECT 1 AS x", headers={"X-ClickHouse-Format": "JSONEachRow"})
    neither, plain = _request(engine, body=b"SELECT 1 AS x")

    assert (text, same, plain) == (b'{"x":1}\n', b'{"x":1}\n', b"1\n")
    assert by_url.getheader("X-ClickHouse-Format") == by_header.getheader("X-ClickHouse-Format") == "JSONEachRow"
    assert neither.getheader("X-ClickHouse-Format") == "TabSeparated"
    assert neither.getheader("X-ClickHouse-Timezone") == "UTC"
    assert json.loads(neither.getheader("X-ClickHouse-Summary") or "")["result_rows"] == "1"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELECT * FROM no_such_table", 404, "60"),
        ("SELECT 1 FROM no_such_database.t", 404, "81"),
        ("SELEC 1", 400, "62"),
        ("SELECT throwIf(1)", 500, "395"),
        ("SELECT sleep(3) SETTINGS max_execution_time = 1, timeout_overflow_mode = 'throw'", 408, "159"),
    ],
)
def test_an_error_has_a_servers_status_and_number(engine: RunningEngine, query: str, status: int, code: str) -> None:
    answer, text = _request(engine, body=query.encode())

    assert (answer.status, answer.getheader("X-ClickHouse-Exception-Code")) == (status, code)
    assert text.startswith(f"Code: {code}. DB::Exception: ".encode())


def test_an_id_cannot_smuggle_in_a_header(engine: RunningEngine) -> None:
    answer, _ = _request(engine, body=b"SELECT 1", query_id="a\r\nX-Evil: 1")

    assert answer.getheader("X-Evil") is None
    assert answer.getheader("X-ClickHouse-Query-Id") == "aX-Evil: 1"


def test_a_get_request_cannot_write(engine: RunningEngine, table: str) -> None:
    answer, _ = _request(engine, "GET", query=f"TRUNCATE TABLE {table}")

    assert answer.getheader("X-ClickHouse-Exception-Code") == "164"


def test_native_block_compression_is_refused_rather_than_ignored(engine: RunningEngine) -> None:
    if not isinstance(engine, EngineServer):
        pytest.skip("a server supports it")
    answer, _ = _request(engine, body=b"SELECT 1", compress="1")

    assert (answer.status, answer.getheader("X-ClickHouse-Exception-Code")) == (501, "48")


def test_a_read_leaves_nothing_for_the_next_one(engine: RunningEngine) -> None:
    """They may have the same connection of the engine, whose settings and parameters must not be those of another."""
    asked = "SELECT getSetting('max_threads'), getSetting('max_block_size'), getSetting('readonly'), currentDatabase()"

    def answered(sql: str = asked, **url: str) -> list[str]:
        return _request(engine, body=sql.encode(), headers=None, path="/", **url)[1].decode().strip().split("\t")

    def own(number: str) -> list[str]:
        url = {"max_threads": number, "readonly": "2", "param_x": number, "database": "system"}
        return answered(f"{asked}, {{x:UInt8}}", **url)

    first = answered()
    _, block, readonly, database = first
    for number in ("3", "4"):
        assert own(number) == [number, block, "2", "system", number]
        assert answered() == first
    assert answered(f"{asked} SETTINGS max_threads = 5, max_block_size = 10") == ["5", "10", readonly, database]
    assert answered("SELECT {x:UInt8}")[0].startswith("Code: 456")
    assert answered("SELECT throwIf(1)")[0].startswith("Code: 395")
    assert answered(max_block_size="77") == [first[0], "77", readonly, database]
    assert answered() == first
