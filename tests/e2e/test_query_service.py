"""Logs from Kafka, queried over HTTP and on the command line, from a service that runs as in production."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from app.access.principal import Right
from app.access.token_lines import line_of
from app.access.tokens import Token, digest_of, new_secret
from local.paths import ROOT
from local.service import ServiceProcess
from tests.e2e.app_command import run_app
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, wait_until

pytestmark = pytest.mark.stack

LINES = [f"ERROR payment {number} declined" for number in range(200)]


@pytest.fixture(scope="module")
def service(shared_pipeline: Pipeline) -> ServiceProcess:
    """An instance that has stored some lines."""
    started = shared_pipeline.start_service(QUERY_MAX_STREAMS="1")
    shared_pipeline.send(LINES)
    shared_pipeline.wait_for_rows(len(LINES))
    return started


class Reader:
    """Follows a stream over its own connection until it disconnects."""

    def __init__(self, service: ServiceProcess) -> None:
        self._connection = HTTPConnection(urlsplit(service.url).netloc, timeout=PATIENCE_SECS)
        self._connection.request("GET", f"/api/v1/logs/tail?{urlencode({'query': 'payment'})}")
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        assert self.status != 200 or self._answer.readline().startswith(b"retry: ")

    def next_message(self) -> str:
        """The message of the next log."""
        for line in self._answer:
            if line.startswith(b"data: ") and b"message" in line:
                return str(json.loads(line[6:])["message"])
        raise AssertionError("the stream has ended")

    def hang_up(self) -> None:
        """Leave without a word."""
        self._answer.close()
        self._connection.close()


def streams(service: ServiceProcess) -> float:
    found = re.search(r"^log_query_streams (\S+)$", service.metrics(), re.MULTILINE)
    assert found
    return float(found[1])


def test_sent_logs_are_found(service: ServiceProcess) -> None:
    answer = service.get(f"/api/v1/logs?{urlencode({'query': 'level:error payment', 'limit': 1000})}")

    assert answer.status == 200
    assert sorted(row["message"] for row in answer.content["rows"]) == sorted(LINES)


OF_MANY_SCRIPTS = [
    "ERROR 支付服务连接数据库超时，正在重试（第3次）",
    "ERROR データベースに接続できません",
    "ERROR ไม่สามารถเชื่อมต่อฐานข้อมูลได้",
    "ERROR فشل الاتصال بقاعدة البيانات",
    "ERROR upstream “orders”—\x1b[31mwithdrawn\x1b[0m… 🎉",
    "ERROR Größe\u00a0überschritten, up\u200bload",
]


@pytest.fixture(scope="module")
def with_many_scripts(service: ServiceProcess, shared_pipeline: Pipeline) -> ServiceProcess:
    """The instance, when it has stored logs of many scripts too."""
    before = shared_pipeline.row_count()
    shared_pipeline.send(OF_MANY_SCRIPTS)
    shared_pipeline.wait_for_rows(before + len(OF_MANY_SCRIPTS))
    return service


@pytest.mark.parametrize(
    ("query", "number"),
    [
        *(("数据库", 0), ("第3次", 0), ("接続", 1), ("ฐานข้อมูล", 2), ("الاتصال", 3), ("withdrawn", 4), ("orders", 4)),
        *(("🎉", 4), ('"upstream “orders”—withdrawn…"', 4), ("GRÖßE", 5), ('"größe überschritten"', 5), ("load", 5)),
    ],
)
def test_sent_logs_of_any_script_are_found(with_many_scripts: ServiceProcess, query: str, number: int) -> None:
    answer = with_many_scripts.get(f"/api/v1/logs?{urlencode({'query': query})}")

    assert [row["message"] for row in answer.content["rows"]] == [OF_MANY_SCRIPTS[number]]


def test_a_reader_follows_until_it_disconnects_and_then_its_slot_is_free(
    service: ServiceProcess, shared_pipeline: Pipeline
) -> None:
    reader = Reader(service)
    assert streams(service) == 1
    assert Reader(service).status == 429
    shared_pipeline.send(["ERROR payment followed"])
    assert reader.next_message() == "ERROR payment followed"

    reader.hang_up()

    def is_over() -> bool:
        # The service notices it when it sends something: without logs, the second heartbeat.
        shared_pipeline.send(["ERROR payment nobody reads"])
        return streams(service) == 0

    wait_until(is_over, "the service notices that the reader has gone")
    other = Reader(service)
    assert other.status == 200
    other.hang_up()


def run_command(service: ServiceProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_app(*arguments, environment={"LOG_ANALYTICS_URL": service.url})


def test_a_command_sends_the_token_of_the_environment_and_without_one_says_how(
    service: ServiceProcess, shared_pipeline: Pipeline
) -> None:
    secret = new_secret()
    line = line_of(Token("reader", (Right.READ,), digest_of(secret)))
    closed = shared_pipeline.new_service(ROLES="query", AUTH_TOKENS=line)
    closed.start()
    wait_until(lambda: closed.get("/ready").status == 200, "it is ready")

    without = run_command(closed, "query", "declined")
    done = run_app("query", "declined", environment={"LOG_ANALYTICS_URL": closed.url, "LOG_ANALYTICS_TOKEN": secret})

    assert without.returncode == 2
    assert "LOG_ANALYTICS_TOKEN_FILE" in without.stderr
    assert done.returncode == 0, done.stderr
    assert secret not in closed.log


def test_a_terminal_shows_the_newest_logs_last(service: ServiceProcess) -> None:
    done = run_command(service, "query", "declined", "--limit", "5", "--fields", "message")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(r"ERROR payment \d+ declined", line) for line in lines)


def test_programs_get_an_object_a_line(service: ServiceProcess) -> None:
    done = run_command(service, "query", '"payment 7 declined"', "--json")

    [found] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (found["message"], found["level"]) == ("ERROR payment 7 declined", "ERROR")


def test_an_error_is_marked_at_its_position(service: ServiceProcess) -> None:
    done = run_command(service, "query", "level:error (payment")

    assert done.returncode == 2
    assert done.stderr.splitlines()[:2] == ["level:error (payment", "            ^"]
    assert "not closed" in done.stderr


def test_commands_for_aggregates_fields_and_values_use_the_same_query(service: ServiceProcess) -> None:
    stats = run_command(service, "stats", "level:error", "payment", "--since", "30m", "-o", "csv")
    histogram = run_command(service, "histogram", "declined", "--by", "service", "-o", "json")
    fields = run_command(service, "fields", "--limit", "100")
    values = run_command(service, "values", "level", "declined", "-o", "csv")

    assert stats.stdout.splitlines()[0] == "count"
    assert int(stats.stdout.splitlines()[1]) >= len(LINES)
    assert sum(json.loads(line)["count"] for line in histogram.stdout.splitlines()) == len(LINES)
    assert "message" in fields.stdout
    assert values.stdout.splitlines() == ["value,count", f"ERROR,{len(LINES)}"]


def test_what_was_logged_around_a_log_is_shown_by_its_id(service: ServiceProcess) -> None:
    [found] = run_command(service, "query", '"payment 7 declined"', "-o", "json").stdout.splitlines()

    done = run_command(service, "context", json.loads(found)["id"], "--same", "", "--before", "2", "--after", "2")

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5
    assert "payment 7 declined" in done.stdout


def test_a_query_may_begin_with_a_minus_and_have_several_words(service: ServiceProcess) -> None:
    done = run_command(service, "query", "-level:info", "payment", "--limit", "3", "-o", "raw")

    assert len(done.stdout.splitlines()) == 3
    assert done.stderr.startswith("3 newest logs; more: --limit 30")


def test_a_service_that_is_not_there_is_named() -> None:
    done = run_app("query", "--url", "http://127.0.0.1:1", environment={})

    assert done.returncode == 2
    assert "cannot be reached at http://127.0.0.1:1: Connection refused" in done.stderr


def test_new_logs_are_followed_over_a_restart_and_until_ctrl_c(
    service: ServiceProcess, shared_pipeline: Pipeline, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "app", "query", "-f", "cancelled", "-o", "raw", "--url", service.url]
    printed = tmp_path / "printed"
    with printed.open("w") as out:
        follower = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: streams(service) == 1, "the stream is open")
        shared_pipeline.send(["ERROR payment a cancelled"])
        wait_until(lambda: printed.read_text() == "ERROR payment a cancelled\n", "the first log is printed")
        service.stop()
        shared_pipeline.send(["ERROR payment b cancelled"])
        service.start()
        both = "ERROR payment a cancelled\nERROR payment b cancelled\n"
        wait_until(lambda: printed.read_text() == both, "the second log is printed")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(PATIENCE_SECS) == 128 + signal.SIGINT
    finally:
        follower.kill()
        follower.wait()
