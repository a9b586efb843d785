"""docs/credentials.md under load: users and passwords of Kafka and ClickHouse, and the key of receivers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.kafka_security import KafkaSecurity
from local.paths import ROOT
from local.ports import free_port
from local.service import ServiceProcess
from tests.day_after.outcomes import Outcome, Outcomes, outcome_of
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, Stream, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.day_after]

PAGE = (ROOT / "docs/credentials.md").read_text()
[UPSERT, DELETE] = re.findall(r"^ *\.venv/bin/python -m (kafka\.admin .*alter-scram-credentials .*)$", PAGE, re.M)
KEY_STEPS = re.findall(r"^\d\. .*?`RECEIVE_KEY=([A-Z,]+)`", PAGE, re.MULTILINE)
OLD_KEY, NEW_KEY = "o" * 40, "n" * 40
FIRST, SECOND = ("log-analytics", "open-sesame"), ("log-analytics-2", "open-barley")
LINES_PER_SEC = 100
SOME = 200


@pytest.fixture(scope="module")
def guarded_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker with a user of SCRAM beside its plain listener."""
    folder = tmp_path_factory.mktemp("guarded-kafka")
    server = KafkaServer(folder, free_port(), security=KafkaSecurity.create(folder, dict([FIRST])))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def guarded_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """An engine with a password."""
    server = EngineServer(tmp_path_factory.mktemp("guarded-clickhouse"), free_port(), user="ingest", password="first")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def guarded(guarded_kafka: KafkaServer, guarded_engine: EngineServer, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(guarded_kafka, guarded_engine, tmp_path)
    yield made
    made.end_services()


def as_user(kafka: KafkaServer, user: tuple[str, str], password_file: Path) -> dict[str, str]:
    """Settings of an instance that logs in to Kafka."""
    name, password = user
    password_file.write_text(f"{password}\n")
    assert kafka.security.certificates is not None
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.security.sasl_ssl_bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": name,
        "KAFKA_SASL_PASSWORD_FILE": str(password_file),
        "KAFKA_SSL_CA_FILE": str(kafka.security.certificates.ca_file),
    }


def run_admin(kafka: KafkaServer, command: str) -> None:
    """Run a command of the page."""
    mine = command.replace("localhost:9092", kafka.bootstrap_servers).replace("$NEW_PASSWORD", SECOND[1])
    done = subprocess.run(
        [sys.executable, "-m", *mine.split()], capture_output=True, text=True, timeout=PATIENCE_SECS, check=True
    )
    assert not re.search(r"error_code=[^0]|'error': '(?!NoError)", done.stdout), done.stdout


def problems_of(service: ServiceProcess) -> str:
    return str(service.get("/ready").content)


def test_users_of_kafka_in_turn(
    guarded: Pipeline, guarded_kafka: KafkaServer, outcomes: Outcomes, tmp_path: Path
) -> None:
    first = guarded.start_service(**as_user(guarded_kafka, FIRST, tmp_path / "first"))
    began = time.monotonic()
    with Stream(guarded, lines_per_sec=LINES_PER_SEC) as stream:
        guarded.wait_for_rows(SOME)
        run_admin(guarded_kafka, UPSERT)
        second = guarded.new_service(**as_user(guarded_kafka, SECOND, tmp_path / "second"))
        second.start()
        second.wait_until(lambda scrape: scrape.stored > 0, PATIENCE_SECS)
        first.stop()
        run_admin(guarded_kafka, DELETE)
        stream.wait_for_more(SOME)
        guarded_kafka.stop()  # closes what the first user has open
        guarded_kafka.start()
        guarded.wait_for_rows(guarded.row_count() + SOME)
    guarded.wait_until_committed(second)
    try:
        outcomes.note(
            "Kafka's user replaced by a second one, the first deleted", outcome_of(guarded, stream.lines, began)
        )
    finally:  # the other tests use the first one
        run_admin(guarded_kafka, UPSERT.replace("log-analytics-2", FIRST[0]).replace("$NEW_PASSWORD", FIRST[1]))


def test_a_password_of_kafka_that_stops_working_is_waited_for(
    guarded: Pipeline, guarded_kafka: KafkaServer, outcomes: Outcomes, tmp_path: Path
) -> None:
    settings = as_user(guarded_kafka, FIRST, tmp_path / "password")
    service = guarded.start_service(**settings)
    began = time.monotonic()
    with Stream(guarded, lines_per_sec=LINES_PER_SEC) as stream:
        guarded.wait_for_rows(SOME)
        change = UPSERT.replace("log-analytics-2", FIRST[0])
        run_admin(guarded_kafka, change)
        guarded_kafka.stop()
        guarded_kafka.start()
        wait_until(lambda: "kafka" in problems_of(service).lower(), "it says that it cannot log in")
        stream.wait_for_more(SOME)
        assert service.exit_code is None, "it waits"
        (tmp_path / "password").write_text(SECOND[1])
        service.stop()
        service.start()
        guarded.wait_for_rows(guarded.row_count() + SOME)
    guarded.wait_until_committed(service)
    run_admin(guarded_kafka, change.replace("$NEW_PASSWORD", FIRST[1]))

    outcomes.note("Kafka's password changed before the service knew it", outcome_of(guarded, stream.lines, began))


def test_a_password_of_clickhouse_that_stops_working_is_waited_for(
    guarded: Pipeline, guarded_engine: EngineServer, outcomes: Outcomes, tmp_path: Path
) -> None:
    """As with a user of users.xml, which has one password."""
    file = tmp_path / "password"
    file.write_text(guarded_engine.password)
    service = guarded.start_service(CLICKHOUSE_PASSWORD="", CLICKHOUSE_PASSWORD_FILE=str(file))
    began = time.monotonic()
    with Stream(guarded, lines_per_sec=LINES_PER_SEC) as stream:
        guarded.wait_for_rows(SOME)
        guarded_engine.stop()
        guarded_engine.password = "second"
        guarded_engine.start()
        guarded.disconnect()
        wait_until(lambda: "Authentication failed" in service.log, "it says that it cannot log in")
        stream.wait_for_more(SOME)
        assert service.exit_code is None, "it waits"
        file.write_text(guarded_engine.password)
        service.stop()
        service.start()
        guarded.wait_for_rows(guarded.row_count() + SOME)
    guarded.wait_until_committed(service)

    outcomes.note("ClickHouse's password changed before the service knew it", outcome_of(guarded, stream.lines, began))


def test_receipts_are_believed_while_their_key_is_changed(guarded: Pipeline, outcomes: Outcomes) -> None:
    """Instances are restarted one after another at each step; receivers sign and others check meanwhile."""
    assert KEY_STEPS == ["OLD,NEW", "NEW,OLD", "NEW"]
    keys = [OLD_KEY, *(step.replace("OLD", OLD_KEY).replace("NEW", NEW_KEY) for step in KEY_STEPS)]
    instances = [guarded.start_service(RECEIVE_KEY=keys[0])]
    began, posted = time.monotonic(), 0
    for key in keys[1:]:
        posted += post_some(instances[0])
        guarded.wait_for_rows(posted)  # by the last step nothing is left that only the old key can vouch for
        coming = guarded.new_service(RECEIVE_KEY=key)
        coming.start()
        coming.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
        posted += post_some(instances[0]) + post_some(coming)
        guarded.wait_for_rows(posted)
        instances[0].stop()
        instances = [coming]
    posted += post_some(instances[0])
    guarded.wait_for_rows(posted)
    guarded.wait_until_committed(*instances)

    [found] = guarded.query(
        "SELECT count() AS rows, uniqExact(Body) AS bodies,"
        " countIf(LogAttributes['log.receiver.name'] != '') AS believed"
        " FROM logs.logs"
    )
    assert found["believed"] == found["rows"]
    outcome = Outcome(
        posted, posted - found["bodies"], found["rows"] - found["bodies"], round(time.monotonic() - began, 1), 0.0
    )
    outcomes.note("RECEIVE_KEY replaced in three steps, every receipt believed", outcome)


def post_some(service: ServiceProcess, count: int = 50) -> int:
    """Post logs, each in a request of its own that is answered with 2xx; returns how many."""
    for number in range(count):
        body = json.dumps({"message": f"{service.url} {time.time_ns()} {number}"}).encode()
        request = urllib.request.Request(f"{service.url}/api/v1/logs", body)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status // 100 == 2
    return count
