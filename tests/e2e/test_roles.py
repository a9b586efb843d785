"""Instances with one role: each reports only its role, and together they are the service."""

from __future__ import annotations

import socket

import pytest

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.ports import LOOPBACK
from local.service import ServiceProcess
from tests.e2e.app_command import run_app
from tests.e2e.pipeline import Pipeline, wait_until

pytestmark = pytest.mark.stack

SOME = 100


def wait_until_ready(service: ServiceProcess) -> None:
    wait_until(lambda: service.get("/ready").status == 200, f"ready, and not {service.get('/ready')}")


def test_one_ingests_and_another_answers_queries(pipeline: Pipeline, own_kafka: KafkaServer) -> None:
    ingest = pipeline.start_service(ROLES="ingest")
    query = pipeline.new_service(ROLES="query", KAFKA_BOOTSTRAP_SERVERS="nowhere.invalid:9092")
    query.start()
    pipeline.send([f"line {number}" for number in range(SOME)])
    pipeline.wait_for_rows(SOME)
    wait_until_ready(ingest)
    wait_until_ready(query)

    assert query.get("/api/v1/logs?start=now-1h&limit=1").content["rows"][0]["message"].startswith("line ")
    assert ingest.get("/api/v1/logs").status == 404
    assert set(query.get("/health").content["components"]) == {"clocks", "query"}
    assert "log_ingest_consumer_lag" not in query.metrics()
    assert "log_query_running" not in ingest.metrics()
    own_kafka.stop()
    wait_until(lambda: ingest.get("/ready").status == 503, "the one that ingests is not ready without Kafka")
    assert query.get("/ready").status == 200
    assert "Kafka" not in query.log
    query.stop()
    assert query.exit_code == 0


def test_a_query_instance_is_ready_when_and_only_when_clickhouse_would_answer(
    pipeline: Pipeline, own_engine: EngineServer
) -> None:
    query = pipeline.new_service(ROLES="query")
    query.start()
    wait_until(lambda: "clickhouse reader" in query.get("/ready").content["problems"], "there is no table yet")
    pipeline.start_service(ROLES="ingest")
    wait_until_ready(query)

    own_engine.kill()
    wait_until(lambda: query.get("/ready").status == 503, "not ready without ClickHouse")
    assert query.get("/live").status == 200
    own_engine.start()
    wait_until_ready(query)


def test_the_check_of_a_query_instance_does_not_check_kafka(pipeline: Pipeline) -> None:
    pipeline.start_service(ROLES="ingest")

    checked = run_app(
        "check", environment=pipeline.environment(ROLES="query", KAFKA_BOOTSTRAP_SERVERS="nowhere.invalid:9092")
    )

    assert (checked.returncode, "Kafka" in checked.stdout) == (0, False), checked.stdout


def test_an_instance_for_which_there_is_no_partition_is_ready_as_a_standby(pipeline: Pipeline) -> None:
    few = {"KAFKA_TOPIC_PARTITIONS": "1"}
    services = [pipeline.start_service(**few), pipeline.new_service(**few)]
    services[1].start()

    def assignments() -> list[str]:
        health = [service.get("/health").content for service in services]
        return sorted(str(one["components"]["ingest"].get("assignment")) for one in health)

    wanted = [f"{pipeline.topic}/0", "standby: the group has 2 members and 1 partition"]
    wait_until(lambda: assignments() == wanted, f"one reads, one stands by, and not {assignments()}")
    for service in services:
        wait_until_ready(service)


def test_a_table_that_is_dropped_is_made_again_without_a_restart(pipeline: Pipeline) -> None:
    service = pipeline.start_service()
    pipeline.send([f"line {number}" for number in range(SOME)])
    pipeline.wait_for_rows(SOME)

    pipeline.query("DROP TABLE logs.logs")
    pipeline.send([f"later line {number}" for number in range(SOME)])

    wait_until(lambda: "to create the table again" in service.log, "a word about the table")
    wait_until(lambda: pipeline.query("EXISTS TABLE logs.logs")[0]["result"] == 1, "the table again")
    pipeline.wait_for_rows(SOME)
    pipeline.wait_until_committed(service)
    assert pipeline.row_count() == SOME
    wait_until_ready(service)


def test_a_port_that_is_taken_stops_the_start_with_a_word_about_it(pipeline: Pipeline) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = str(taken.getsockname()[1])

        ended = run_app(environment=pipeline.environment(HTTP_HOST=LOOPBACK, HTTP_PORT=port))

    assert ended.returncode == 1
    assert f"Cannot listen on {LOOPBACK}:{port}" in ended.stdout + ended.stderr
    assert "Set HTTP_PORT to a free one" in ended.stdout + ended.stderr


def test_an_address_that_others_reach_stops_the_start_until_it_is_said_who_may_read() -> None:
    ended = run_app(environment={"HTTP_HOST": "0.0.0.0"})  # noqa: S104

    assert ended.returncode == 2
    assert "HTTP_HOST is '0.0.0.0'" in ended.stderr
    assert "AUTH_MODE=none" in ended.stderr


def test_a_role_that_is_not_there_stops_the_start_with_a_word_about_it(pipeline: Pipeline) -> None:
    ended = run_app(environment=pipeline.environment(ROLES="send"))

    assert ended.returncode == 2
    assert "ROLES is 'send'" in ended.stderr
