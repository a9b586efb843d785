"""Restarts, kills and outages in the middle of a stream: every acknowledged line is stored exactly once."""

from __future__ import annotations

import re
import urllib.request
from typing import Protocol

import psutil
import pytest

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.service import ServiceProcess
from tests.e2e.pipeline import PARTITIONS, PATIENCE_SECS, Pipeline, Stream, wait_until

pytestmark = pytest.mark.stack

LINES_PER_SEC = 1_000
SOME = 1_000  # lines or rows: enough to be in the middle of something


class Restartable(Protocol):
    """A part of the pipeline that can be stopped and started again."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


def require_once_across(pipeline: Pipeline, service: ServiceProcess, part: Restartable, how: str) -> None:
    """Stream lines while a part stops and starts again; require that every line is stored exactly once.

    The part stops when the service has read lines that it has not stored yet.
    """
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        service.wait_until(lambda scrape: scrape.consumed - scrape.stored > SOME / 4, PATIENCE_SECS)
        part.kill() if how == "kill" else part.stop()
        stream.wait_for_more(SOME)
        part.start()
        pipeline.wait_for_rows(pipeline.row_count() + SOME)
    pipeline.require_once(stream.lines, service)


each_way_to_end = pytest.mark.parametrize("how", ["stop", "kill"])


@each_way_to_end
def test_every_line_is_stored_once_when_the_service_is_restarted(pipeline: Pipeline, how: str) -> None:
    service = pipeline.start_service()

    require_once_across(pipeline, service, service, how)


@each_way_to_end
def test_every_line_is_stored_once_when_kafka_is_restarted(
    pipeline: Pipeline, own_kafka: KafkaServer, how: str
) -> None:
    service = pipeline.start_service()

    require_once_across(pipeline, service, own_kafka, how)


@each_way_to_end
def test_every_line_is_stored_once_when_the_engine_is_restarted(
    pipeline: Pipeline, own_engine: EngineServer, how: str
) -> None:
    service = pipeline.start_service()

    require_once_across(pipeline, service, own_engine, how)


def test_a_service_stopped_under_load_stores_and_commits_what_it_has_read(pipeline: Pipeline) -> None:
    service = pipeline.start_service()
    with Stream(pipeline, lines_per_sec=10 * LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        service.stop()

    assert service.exit_code == 0, "it did not end by itself in time"
    assert "Stopped: everything read is stored and committed" in service.log
    stored = pipeline.row_count()
    assert SOME <= stored < len(stream.lines)
    service.start()
    pipeline.require_once(stream.lines, service)
    assert "Skipped" not in service.log, "rows had been stored and not committed"


def test_a_second_instance_takes_its_share_and_gives_it_back(pipeline: Pipeline) -> None:
    first = pipeline.start_service()
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        second = pipeline.new_service()
        second.start()
        for service in (first, second):
            service.wait_until(lambda scrape: scrape.assigned == PARTITIONS // 2, PATIENCE_SECS)
            service.wait_until_stored(service.scrape().stored + SOME, PATIENCE_SECS)
        first.stop()
        second.wait_until(lambda scrape: scrape.assigned == PARTITIONS, PATIENCE_SECS)

    pipeline.require_once(stream.lines, second)


def test_while_clickhouse_is_unavailable_reading_pauses_and_memory_stays_bounded(
    pipeline: Pipeline, own_engine: EngineServer
) -> None:
    service = pipeline.start_service(BATCH_MAX_ROWS="2000")
    with Stream(pipeline, lines_per_sec=4 * LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        retries = service.scrape().total("retries_total")
        own_engine.kill()
        # Rows stored right before the kill let it read once more; after a failed insert it reads nothing.
        paused = service.wait_until(
            lambda scrape: scrape.total("paused") == 1 and scrape.total("retries_total") > retries, PATIENCE_SECS
        )
        paused_bytes = psutil.Process(service.pid).memory_info().rss
        stream.wait_for_more(20 * SOME)
        later = service.wait_until(lambda scrape: scrape.total("consumer_lag") > SOME, PATIENCE_SECS)

        assert service.get("/live").status == 200
        assert service.get("/health").content["components"]["ingest"]["seconds_since_loop_turned"] < 5
        ready = service.get("/ready")
        assert ready.status == 503
        assert ready.content["problems"]["clickhouse"].endswith("Connection refused")
        assert (later.total("paused"), later.consumed) == (1, paused.consumed)
        assert psutil.Process(service.pid).memory_info().rss < paused_bytes + 20e6

        own_engine.start()
        service.wait_until_stored(paused.consumed + SOME, PATIENCE_SECS)
        wait_until(lambda: service.get("/ready").status == 200, "the service is ready again")
    pipeline.require_once(stream.lines, service)


def test_an_unavailable_kafka_at_the_start_is_waited_for_and_logged(pipeline: Pipeline, own_kafka: KafkaServer) -> None:
    own_kafka.stop()
    service = pipeline.new_service()
    service.start()

    wait_until(lambda: "attempt 1/10 failed" in service.log, "a word about the first attempt")
    assert service.get("/live").status == 200
    assert service.get("/ready").status == 503
    assert re.search(r"Listening on http(?s:.*)Kafka at .*: attempt 1/10 failed", service.log)
    own_kafka.start()
    service.wait_until(lambda scrape: scrape.assigned == PARTITIONS, PATIENCE_SECS)
    lines = [f"line {number}" for number in range(SOME)]
    pipeline.send(lines)

    # Whoever is first creates it: the ingestion or the receivers.
    assert re.search(rf"topic {pipeline.topic} (created|already exists)", service.log)
    assert service.get("/ready").status == 200
    pipeline.require_once(lines, service)


def test_where_the_topic_is_new_logs_over_http_are_taken_once_an_instance_reads(pipeline: Pipeline) -> None:
    service = pipeline.start_service()

    with urllib.request.urlopen(f"{service.url}/api/v1/logs", b'{"message": "over HTTP"}', timeout=30) as taken:
        assert taken.status == 200
    pipeline.wait_for_rows(1)
