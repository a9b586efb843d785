"""Web pages cannot use the engine, and queries cannot use files, addresses or programs of this machine."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from local.engine.confinement import refuse_files
from local.engine.errors import EngineError
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack


def status(engine: RunningEngine, headers: dict[str, str], method: str = "POST") -> int:
    connection = HTTPConnection(urlsplit(engine.url).netloc, timeout=30)
    try:
        connection.request(method, f"/?{urlencode({'query': 'SELECT 1'})}", b"", headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Content-Type": "text/plain"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8123"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "10.0.0.1"},
        {"Host": "["},
    ],
    ids=str,
)
def test_a_web_page_is_refused(engine: RunningEngine, headers: dict[str, str], method: str) -> None:
    assert status(engine, headers, method) == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Host": "localhost"}, {"Host": "LOCALHOST:8123"}, {"Host": "[::1]:8123"}, {"Sec-Fetch-Site": "none"}],
    ids=str,
)
def test_a_program_and_the_address_bar_are_not(engine: RunningEngine, headers: dict[str, str]) -> None:
    assert status(engine, headers) == 200


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM file /* a gap */ ('/etc/passwd', 'LineAsString')",
        "SELECT * FROM `file`('/etc/passwd', 'LineAsString')",
        "SELECT * FROM `f\\x69le`('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/hostname')",
        "SELECT File -- a gap\n ('/etc/hostname')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM default.`/etc/passwd`",
        "DESCRIBE TABLE file('/etc/passwd')",
        "SELECT 1 INTO OUTFILE '{target}'",
        "SELECT 1 into/**/outfile '{target}'",
        "SELECT $a$ ' $a$ INTO OUTFILE '{target}'",
        "INSERT INTO FUNCTION file('{target}', 'CSV', 'a UInt8') SELECT 1",
        "INSERT INTO {table} (s) FROM INFILE '/etc/passwd' FORMAT LineAsString",
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
        "INSERT INTO FUNCTION url('http://127.0.0.1:9/', 'CSV', 'a UInt8') SELECT 1",
        "SELECT * FROM remote('127.0.0.1:9', system.one)",
        "SELECT * FROM s3('http://127.0.0.1:9/bucket/a')",
        "SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')",
        "SELECT * FROM sqlite('/tmp/a.db', 'a')",
        "SELECT * FROM executable('true', 'CSV', 'a String')",
        "SELECT * FROM python('sys')",
        "CREATE TABLE unsafe (a String) ENGINE = File('CSV', '/etc/passwd')",
        "CREATE TABLE unsafe (a String) ENGINE = URL('http://127.0.0.1:9/', 'CSV')",
        "CREATE TABLE unsafe (a String) ENGINE = Executable('true', 'CSV')",
        "CREATE DATABASE unsafe ENGINE = Filesystem('/etc')",
        "CREATE DICTIONARY unsafe (a UInt64) PRIMARY KEY a SOURCE(HTTP(url 'http://127.0.0.1:9' format 'CSV'))"
        " LIFETIME(0) LAYOUT(FLAT())",
        "BACKUP DATABASE home TO File('{target}')",
        "BACKUP TABLE {table} TO Disk('default', 'unsafe')",
        "BACKUP TABLE {table} TO Disk('backups', '../../unsafe')",
        "BACKUP TABLE {table} TO S3('http://127.0.0.1:9/bucket/a', 'b', 'c')",
        "CREATE TABLE unsafe (a String) ENGINE = MergeTree ORDER BY a"
        " SETTINGS disk = disk(type = local, path = '{target}/')",
        "CREATE FUNCTION unsafe AS a -> a",
    ],
)
def test_a_query_that_leaves_the_tables_is_refused(client: Client, table: str, tmp_path: Path, statement: str) -> None:
    target = tmp_path / "target"

    with pytest.raises(DatabaseError, match=r"code: (497|60|36|318),"):
        client.command(statement.replace("{target}", str(target)).replace("{table}", table))

    assert not target.exists()
    assert client.command(f"SELECT count() FROM {table}") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT profile(a), outfiles FROM t WHERE file = 'x' AND (a)",
        "SELECT count() FROM t WHERE Body = {body:String}",
        "SELECT 'a file', (1)",
    ],
)
def test_similar_words_are_allowed(statement: str) -> None:
    refuse_files(statement)


def test_the_reason_is_given() -> None:
    with pytest.raises(EngineError, match="'OUTFILE' is refused here, even within a string"):
        refuse_files("SELECT 1 INTO OUTFILE 'x'")
