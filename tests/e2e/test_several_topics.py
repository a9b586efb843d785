"""Three topics, one of them made while the service runs, and restarts: every record once, and an exact audit."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from app.domain.topics import NOT_THERE
from tests.e2e.app_command import run_app
from tests.e2e.pipeline import IDENTITY, Pipeline

pytestmark = pytest.mark.stack

EACH = 300


def create(pipeline: Pipeline, topic: str, partitions: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=pipeline.kafka.bootstrap_servers)
    topics = {topic: {"num_partitions": partitions, "replication_factor": 1}}
    admin.create_topics(topics, wait_for_metadata=True)
    admin.close()


def send(pipeline: Pipeline, topics: Iterable[str], numbers: range) -> None:
    """A record of each number for each topic, acknowledged when this returns."""
    with KafkaProducer(bootstrap_servers=pipeline.kafka.bootstrap_servers, acks="all", linger_ms=20) as producer:
        sent = [producer.send(topic, f"INFO {topic} {n}".encode()) for n in numbers for topic in topics]
        for future in sent:
            future.get(30)


def test_three_topics_are_stored_exactly_and_the_audit_says_so(shared_pipeline: Pipeline) -> None:
    pipeline = shared_pipeline
    main, web, late = pipeline.topic, f"{pipeline.topic}-web", f"{pipeline.topic}.late"
    settings = {"KAFKA_TOPICS": rf"{web},^{main}\."}
    create(pipeline, web, 2)
    first = pipeline.start_service(**settings)
    send(pipeline, [main, web], range(EACH))

    create(pipeline, late, 3)
    send(pipeline, [main, web, late], range(EACH, 2 * EACH))
    first.kill()
    second = pipeline.new_service(**settings)
    second.start()
    send(pipeline, [main, web, late], range(2 * EACH, 3 * EACH))
    pipeline.wait_for_rows(8 * EACH)
    second.stop()

    stored = pipeline.query(
        f"SELECT _topic, count() AS rows, uniqExact{IDENTITY} AS places, uniqExact(Body) AS bodies,"
        " uniqExact(_topic_id) AS ids FROM logs.logs GROUP BY _topic ORDER BY _topic"
    )
    assert stored == [
        {"_topic": topic, "rows": n * EACH, "places": n * EACH, "bodies": n * EACH, "ids": 1}
        for topic, n in ((main, 3), (web, 3), (late, 2))
    ]
    audited = run_app("audit", "--json", environment=pipeline.environment(**settings))
    verdict = json.loads(audited.stdout)
    assert (audited.returncode, set(verdict["topic_ids"])) == (0, {main, web, late})
    assert sum(partition["records"] for partition in verdict["partitions"]) == 8 * EACH
    assert verdict["summary"] == "2,400 offsets consumed, 2,400 records stored: nothing is missing or duplicated."
    assert verdict["rows_of_other_topic_ids"] == {}


def test_health_names_the_partitions_of_each_topic_and_the_topics_that_are_not_read(
    shared_pipeline: Pipeline,
) -> None:
    main = shared_pipeline.topic
    service = shared_pipeline.new_service(KAFKA_TOPICS=f"{main}-web,{main}-absent")
    service.start()
    service.wait_until(lambda scrape: scrape.assigned == 6, 60)

    health = service.get("/health").content
    ingest = health["components"]["ingest"]
    service.stop()

    assert f"{main}/0, {main}/1, {main}/2, {main}/3, {main}-web/0, {main}-web/1" in str(ingest)
    assert health["warnings"][f"topic {main}-absent"] == NOT_THERE
