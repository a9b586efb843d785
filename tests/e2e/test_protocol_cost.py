"""The bench compares the service with and without the delivery protocol, as it claims."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer, TopicPartition

from app.pipeline.commit_metadata import Remembered, read_metadata
from bench.protocol_cost import REPORT, create_table_without_deadline, measure_pair
from bench.report import Measurements, summarise
from bench.stack import DATABASE, BenchStack, running_stack
from bench.workload import load
from tests.e2e.pipeline import wait_until

pytestmark = pytest.mark.stack

TOPIC = "compared"
EVENTS = 20_000
OFFSETS_TOPIC = "__consumer_offsets"
METADATA = re.compile(r'\{"v":.*', re.DOTALL)


@pytest.fixture(scope="module")
def stack() -> Iterator[BenchStack]:
    """The bench's own broker and engine, with a small backlog."""
    with running_stack() as running:
        running.create_topic(TOPIC)
        load(running.kafka.bootstrap_servers, TOPIC, EVENTS)
        yield running


@pytest.fixture(scope="module")
def pair(stack: BenchStack) -> Measurements:
    """The measurements of one drain of each kind."""
    return measure_pair(stack, sys.executable, TOPIC, EVENTS, number=1)


def is_commit_of(group: str, key: bytes) -> bool:
    """Whether a record of the offsets topic is a commit of the group; Kafka stores group members there too."""
    version = int.from_bytes(key[:2])
    return version <= 1 and group.encode() in key


def metadata_in(value: bytes) -> str:
    """The metadata of a commit, in a record of the offsets topic, whose form depends on Kafka's version."""
    match = METADATA.search(value.decode("latin-1"))
    if match is None:
        return ""
    _, end = json.JSONDecoder().raw_decode(match.group())
    return match.group()[:end]


def commits_of(stack: BenchStack, group: str) -> list[Remembered]:
    """The metadata of all commits of a group."""
    texts: list[str] = []
    with KafkaConsumer(bootstrap_servers=stack.kafka.bootstrap_servers, auto_offset_reset="earliest") as consumer:
        partitions = [TopicPartition(OFFSETS_TOPIC, number) for number in consumer.partitions_for_topic(OFFSETS_TOPIC)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)

        def has_read_all() -> bool:
            for records in consumer.poll(timeout_ms=100).values():
                mine = [record.value or b"" for record in records if is_commit_of(group, record.key)]
                texts.extend(metadata for value in mine if (metadata := metadata_in(value)))
            return all(consumer.position(partition) >= end for partition, end in ends.items())

        wait_until(has_read_all, "everything in the topic of offsets read")
    return [remembered for text in texts if (remembered := read_metadata(text)) is not None]


def definition(stack: BenchStack, table: str) -> set[str]:
    """The lines of a table's definition."""
    answer = stack.query(f"SHOW CREATE TABLE `{DATABASE}`.`{table}` FORMAT TSVRaw")
    return {line.strip().rstrip(",").replace(f".{table}", "") for line in answer.splitlines()}


def test_both_store_every_event_once_and_everything_that_is_compared_is_measured(pair: Measurements) -> None:
    medians = {line.measure.name: line.median for line in summarise(REPORT.measures, [pair])}

    assert all(medians[name] > 0 for name in medians if name.endswith(("per_sec", "per_million")))
    assert all(medians[name] == 0 for name in medians if name.endswith(("missing", "twice")))


def test_the_service_announces_its_inserts_to_kafka_and_the_other_only_commits(
    stack: BenchStack, pair: Measurements
) -> None:
    with_protocol, without = commits_of(stack, "bench-with_1"), commits_of(stack, "bench-without_1")

    assert any(commit.lease is not None for commit in with_protocol)
    assert without
    assert all(commit.lease is None for commit in without)


def test_the_table_without_deadline_is_the_services_own_but_for_the_deadline(stack: BenchStack) -> None:
    stack.create_table("own")
    create_table_without_deadline(stack, "other")
    own, other = definition(stack, "own"), definition(stack, "other")

    assert sorted(line.split()[0] for line in own - other) == ["CONSTRAINT", "`_deadline`"]
    assert other - own == set()
