"""The engine as a process: durability after a kill, authentication, shutdown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from local.certificates import Certificates
from local.engine.server import EngineServer
from local.errors import LocalError
from local.ports import free_port
from tests.local.clients import MakeClient, one_row

pytestmark = pytest.mark.stack


def test_acknowledged_rows_survive_kill_9(own_engine: EngineServer, connect: MakeClient) -> None:
    own_engine.start()
    client = connect(own_engine)
    client.command(
        "CREATE TABLE t (i UInt64) ENGINE = MergeTree ORDER BY i "
        "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
    )
    for number in range(20):
        client.insert("t", [[number]], column_names=["i"])

    own_engine.kill()
    own_engine.start()

    assert one_row(connect(own_engine), "SELECT count(), uniq(i) FROM t") == (20, 20)


def test_merges_go_on(own_engine: EngineServer, connect: MakeClient) -> None:
    own_engine.start()
    client = connect(own_engine)
    client.command("CREATE TABLE t (i UInt64) ENGINE = MergeTree ORDER BY i")
    parts = "SELECT count() FROM system.parts WHERE table = 't' AND active"

    for number in range(100):
        client.insert("t", [[number]], column_names=["i"])

    assert one_row(client, parts)[0] < 50


def test_a_paused_engine_answers_when_it_is_resumed(own_engine: EngineServer, connect: MakeClient) -> None:
    own_engine.start()
    client = connect(own_engine)
    answers: list[object] = []
    own_engine.pause()

    asking = threading.Thread(target=lambda: answers.append(client.command("SELECT 1")))
    asking.start()
    asking.join(0.5)
    assert answers == []
    own_engine.resume()
    asking.join(20)

    assert answers == [1]


def test_requests_in_flight_are_finished_when_it_is_stopped(own_engine: EngineServer) -> None:
    own_engine.start()
    connection = HTTPConnection("127.0.0.1", own_engine.port, timeout=30)
    other = HTTPConnection("127.0.0.1", own_engine.port, timeout=30)
    query = urlencode({"query": "SELECT sleepEachRow(0.5) FROM numbers(4)", "query_id": "slow", "max_block_size": "1"})
    connection.request("GET", f"/?{query}")
    running = urlencode({"query": "SELECT count() FROM system.processes WHERE query_id = 'slow'"})
    count = b""
    while count != b"1\n":
        other.request("GET", f"/?{running}")
        count = other.getresponse().read()

    own_engine.stop()

    assert connection.getresponse().read() == b"0\n" * 4
    assert not own_engine.is_running
    connection.close()
    other.close()


def test_a_taken_port_and_a_directory_in_use_are_reported_in_one_sentence(
    own_engine: EngineServer, tmp_path: Path
) -> None:
    own_engine.start()

    with pytest.raises(LocalError, match=r"Port \d+ for ClickHouse cannot be used"):
        EngineServer(tmp_path / "second", own_engine.port).start()
    with pytest.raises(LocalError, match=r"Cannot lock file|is already running|Code: 76"):
        EngineServer(tmp_path / "clickhouse", free_port(), log_file=tmp_path / "second.log").start()


@pytest.fixture
def guarded_engine(tmp_path: Path) -> Iterator[EngineServer]:
    """An engine over TLS with a user."""
    certificates = Certificates.create(tmp_path / "tls")
    server = EngineServer(
        tmp_path / "clickhouse", free_port(), user="writer", password="s3cret!ä", certificates=certificates
    )
    server.start()
    yield server
    server.kill()


def test_only_the_user_is_authenticated_over_tls(guarded_engine: EngineServer, connect: MakeClient) -> None:
    assert guarded_engine.certificates is not None
    trust = {"ca_cert": str(guarded_engine.certificates.ca_file)}

    client = connect(guarded_engine, **trust)
    with pytest.raises(DatabaseError, match="Authentication failed") as wrong_password:
        connect(guarded_engine, password="wrong", **trust)
    with pytest.raises(DatabaseError, match="Authentication failed") as no_user:
        connect(guarded_engine, username="default", password="", **trust)

    assert client.command("SELECT 1") == 1
    assert wrong_password.value.code == no_user.value.code == 516


def test_the_password_is_in_no_command_line(guarded_engine: EngineServer) -> None:
    command = Path(f"/proc/{guarded_engine.pid}/cmdline")
    if not command.exists():
        pytest.skip("no /proc here")

    assert b"writer" in command.read_bytes()
    assert guarded_engine.password.encode() not in command.read_bytes()


def test_a_body_over_the_limit_is_refused(tmp_path: Path, connect: MakeClient) -> None:
    server = EngineServer(tmp_path / "clickhouse", free_port(), max_body_bytes=10_000)
    server.start()
    try:
        client = connect(server)
        client.command("CREATE TABLE t (i UInt64) ENGINE = MergeTree ORDER BY i")
        with pytest.raises(DatabaseError) as caught:
            client.raw_insert("t", ["i"], b'{"i":1}\n' * 5000, fmt="JSONEachRow")
        assert caught.value.code == 55
        assert one_row(client, "SELECT count() FROM t")[0] == 0
    finally:
        server.kill()
