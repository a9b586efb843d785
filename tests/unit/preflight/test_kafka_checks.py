"""Findings about Kafka, probe by probe."""

from typing import Any

import pytest

from app.domain.topics import NOT_THERE
from app.preflight.findings import Level
from app.preflight.kafka_checks import check_kafka, unreachable
from app.preflight.probes import KafkaProbe, Unknown
from app.settings import KafkaSettings
from tests.unit.preflight.healthy import KAFKA, about, group, kafka, levels, topic, topic_with

HOUR_MS = 3600 * 1000


def test_a_healthy_kafka_has_no_findings() -> None:
    assert levels(check_kafka(kafka(), KAFKA)) == {Level.OK}


@pytest.mark.parametrize(
    ("probe", "subject", "level", "words"),
    [
        (kafka(version=(2, 7)), "connection", Level.PROBLEM, "Kafka 2.8 or newer is needed"),
        (kafka(version=(2, 8)), "connection", Level.OK, "Kafka 2.8, 3 brokers"),
        (kafka(topic=topic(leaderless_count=1)), "topic", Level.PROBLEM, "1 of 4 partitions have no leader"),
        (kafka(topic=topic(under_replicated_count=2)), "topic", Level.WARNING, "2 of 4 partitions have fewer copies"),
        (kafka(topic=Unknown("not allowed")), "topic", Level.PROBLEM, "not allowed -> The service needs"),
        (kafka(topic=topic(operations=None)), "rights", Level.WARNING, "does not report"),
        (kafka(topic=topic(operations=frozenset({"DESCRIBE"}))), "rights", Level.PROBLEM, "Allow Read on topic logs"),
        (kafka(topic=topic(configs=Unknown("no"))), "configuration", Level.WARNING, "could not be checked: no"),
        (kafka(group=Unknown("not allowed")), "consumer group", Level.PROBLEM, "right Read on group log-ingest"),
        (kafka(group=group(may_join=False)), "consumer group", Level.PROBLEM, "Allow Read on group"),
        (kafka(group=group(member_count=4)), "consumer group", Level.OK, "4 instances in it now"),
        (kafka(group=group(member_count=6)), "consumer group", Level.WARNING, "2 of them idle, for 4 partitions"),
        (kafka(group=group(member_count=0)), "consumer group", Level.OK, "no instance in it now, resumes from"),
        (kafka(group=group(committed_count=0)), "consumer group", Level.OK, "begins at the earliest record"),
    ],
)
def test_findings_are_reported(probe: KafkaProbe, subject: str, level: Level, words: str) -> None:
    finding = about(subject, check_kafka(probe, KAFKA))

    assert finding.level is level
    assert words in str(finding)


@pytest.mark.parametrize(
    ("configs", "subject", "level", "words"),
    [
        ({"min_insync_replicas": "1"}, "copies", Level.WARNING, "-c min.insync.replicas=2"),
        ({"min_insync_replicas": "3"}, "copies", Level.OK, "3 in sync"),
        ({"min_insync_replicas": "4"}, "copies", Level.PROBLEM, "nothing can be acknowledged"),
        ({"unclean_leader_election_enable": "true"}, "leader elections", Level.PROBLEM, "may lose logs"),
        ({"message_timestamp_type": "CreateTime"}, "record times", Level.WARNING, "=LogAppendTime"),
        ({"cleanup_policy": "compact"}, "cleanup", Level.PROBLEM, "cleanup.policy=delete"),
        ({"cleanup_policy": "compact,delete"}, "cleanup", Level.PROBLEM, "cleanup.policy=delete"),
        ({"cleanup_policy": ""}, "cleanup", Level.OK, "everything is kept"),
        ({"retention_ms": str(167 * HOUR_MS)}, "retention", Level.WARNING, f"retention.ms={168 * HOUR_MS}"),
        ({"retention_ms": str(169 * HOUR_MS)}, "retention", Level.OK, "169 h"),
        ({"retention_ms": "-1"}, "retention", Level.OK, "for ever"),
        ({"retention_bytes": "1000000"}, "retention", Level.WARNING, "1,000,000 bytes of each partition"),
    ],
)
def test_the_configuration_of_the_topic_is_checked(
    configs: dict[str, str], subject: str, level: Level, words: str
) -> None:
    finding = about(subject, check_kafka(kafka(topic=topic_with(**configs)), KAFKA))

    assert finding.level is level
    assert words in str(finding)


def test_a_single_copy_is_no_safer_than_a_disk() -> None:
    findings = check_kafka(kafka(topic=topic(replication_factor=1, configs={"min.insync.replicas": "1"})), KAFKA)

    assert about("copies", findings).level is Level.WARNING


def test_a_missing_topic_that_can_be_made_is_no_problem() -> None:
    findings = check_kafka(kafka(topic=None), KAFKA)

    assert levels(findings) == {Level.OK, Level.SKIPPED}
    assert "logs does not exist yet; the service will create it, and may (4 partitions, 1 copy of each)" in str(
        findings
    )


def test_a_missing_topic_that_cannot_be_made_is_one() -> None:
    finding = about("topic", check_kafka(kafka(topic=None, creation_problem="only 1 broker"), KAFKA))

    assert finding.level is Level.PROBLEM
    assert "only 1 broker" in finding.found


def test_instances_are_compared_with_the_partitions_of_the_missing_topic() -> None:
    probe = kafka(topic=None, group=group(member_count=3, committed_count=0))

    finding = about("consumer group", check_kafka(probe, KafkaSettings(topic_partitions=2)))

    assert "1 of them idle, for 2 partitions" in finding.found


@pytest.mark.parametrize(
    ("changes", "is_named"),
    [
        ({}, False),
        (
            {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_username": "u", "sasl_password": "p"},
            True,
        ),
    ],
)
def test_an_unreachable_kafka_is_one_problem_and_the_rest_is_skipped(changes: dict[str, Any], is_named: bool) -> None:
    [reached, rest] = unreachable(KafkaSettings(**changes), "Kafka does not answer at h:1 (refused)")

    assert (reached.level, rest.level) == (Level.PROBLEM, Level.SKIPPED)
    assert "Kafka does not answer at h:1 (refused) -> Start it, or correct KAFKA_BOOTSTRAP_SERVERS" in str(reached)
    assert ("KAFKA_SASL_*" in reached.advice) is is_named


MORE = KafkaSettings(topics="billing,app-*")


def test_other_topics_that_are_as_they_should_be_are_a_line_each() -> None:
    found = check_kafka(kafka(more={"billing": topic(partition_count=2), "app-1": topic()}), MORE)

    assert levels(found) == {Level.OK}
    named = [str(finding).split() for finding in found if finding.about == "topic"]
    assert [words[2] for words in named] == ["logs:", "app-1:", "billing:"]
    assert "on 4 of 10 partitions" in str(about("consumer group", found))


def test_what_is_not_ok_with_another_topic_names_it_and_the_command_too() -> None:
    compacted = topic_with(cleanup_policy="compact")

    found = check_kafka(kafka(more={"billing": compacted, "app-1": topic()}), MORE)

    [problem] = [finding for finding in found if finding.level is not Level.OK]
    assert (problem.level, problem.found[:17]) == (Level.PROBLEM, "billing: compact:")
    assert "-n billing -c cleanup.policy=delete" in problem.advice


def test_topics_that_cannot_be_read_are_warnings_and_so_is_a_pattern_without_topics() -> None:
    found = check_kafka(kafka(unread={"billing": NOT_THERE}), MORE)

    assert [(finding.level, finding.found) for finding in found if finding.level is not Level.OK] == [
        (Level.WARNING, "billing does not exist, or may not be seen; others are read"),
        (Level.WARNING, "none matches a pattern of KAFKA_TOPICS=billing,app-* yet"),
    ]


def test_topics_that_cannot_be_listed_are_a_problem() -> None:
    found = check_kafka(kafka(more={"billing,app-*": Unknown("no answer")}), MORE)

    assert "billing,app-*: no answer" in str(about("topic", [f for f in found if f.level is Level.PROBLEM]))
