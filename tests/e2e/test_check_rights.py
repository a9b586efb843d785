"""Findings of the preflight check about permissions, on a broker that grants none by default."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from app.backends.kafka.factory import open_source
from app.backends.kafka.probe import probe_kafka
from app.domain.topics import NOT_ALLOWED
from app.errors import TryAgainLater
from app.preflight.findings import Finding, Level
from app.preflight.kafka_checks import check_kafka
from app.preflight.probes import KafkaProbe
from app.service import submit_to_thread
from app.settings import KafkaSettings
from local.kafka import KafkaServer
from local.kafka_security import KafkaSecurity
from local.ports import free_port

pytestmark = pytest.mark.stack

USER = "ingest"
SPREAD_SECS = 30.0  # permissions reach the broker with a delay


@pytest.fixture(scope="module")
def strict_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    folder = tmp_path_factory.mktemp("strict-kafka")
    security = KafkaSecurity.create(folder / "certificates", {USER: "secret"})
    authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    server = KafkaServer(
        folder / "broker",
        free_port(),
        security=security,
        properties={"authorizer.class.name": authorizer, "super.users": "User:ANONYMOUS"},
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def admin(strict_kafka: KafkaServer) -> Iterator[Any]:
    client = KafkaAdminClient(bootstrap_servers=strict_kafka.bootstrap_servers)
    yield client
    client.close()


def settings_for(server: KafkaServer, name: str) -> KafkaSettings:
    """Settings of the test user; topic and group have the same name."""
    security = server.security
    assert security.certificates is not None
    return KafkaSettings.model_validate(
        {
            "bootstrap_servers": security.sasl_ssl_bootstrap_servers,
            "topic": name,
            "group_id": name,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_username": USER,
            "sasl_password": "secret",
            "ssl_ca_file": security.certificates.ca_file,
        }
    )


def allow(admin: Any, kind: ResourceType, name: str, operation: ACLOperation) -> None:
    pattern = ResourcePattern(kind, name)
    admin.create_acls([ACL(f"User:{USER}", "*", operation, ACLPermissionType.ALLOW, pattern)])


def problems_once(settings: KafkaSettings, is_spread: Callable[[KafkaProbe], bool]) -> list[Finding]:
    """The problems found once the broker knows the permissions."""
    deadline = time.monotonic() + SPREAD_SECS
    while not is_spread(facts := probe_kafka(settings)):
        assert time.monotonic() < deadline, facts
    return [finding for finding in check_kafka(facts, settings) if finding.level is Level.PROBLEM]


def test_without_any_right_topic_and_group_are_problems(strict_kafka: KafkaServer) -> None:
    settings = settings_for(strict_kafka, "nothing")

    topic, group = problems_once(settings, lambda _: True)

    assert "TopicAuthorizationFailedError" in topic.found
    assert "the rights Describe and Read on topic nothing" in topic.advice
    assert "GroupAuthorizationFailedError" in group.found


def test_a_topic_and_a_new_group_that_may_be_seen_and_not_read_are_problems(
    strict_kafka: KafkaServer, admin: Any
) -> None:
    admin.create_topics({"seen": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    allow(admin, ResourceType.TOPIC, "seen", ACLOperation.DESCRIBE)
    allow(admin, ResourceType.GROUP, "seen", ACLOperation.DESCRIBE)

    topic, group = problems_once(settings_for(strict_kafka, "seen"), lambda facts: "Unknown" not in str(facts.group))

    assert topic.found == "topic seen may not be read"
    assert group.found == "seen may not be joined"


def test_a_topic_that_we_may_not_create_is_a_problem(strict_kafka: KafkaServer, admin: Any) -> None:
    allow(admin, ResourceType.GROUP, "absent", ACLOperation.READ)
    allow(admin, ResourceType.TOPIC, "absent", ACLOperation.DESCRIBE)

    [topic] = problems_once(settings_for(strict_kafka, "absent"), lambda facts: facts.topic is None)

    assert "absent does not exist, and creating it would fail" in topic.found


def test_with_the_required_rights_nothing_is_a_problem(strict_kafka: KafkaServer, admin: Any) -> None:
    admin.create_topics({"read": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    for operation in (ACLOperation.DESCRIBE, ACLOperation.READ):
        allow(admin, ResourceType.TOPIC, "read", operation)
    allow(admin, ResourceType.GROUP, "read", ACLOperation.READ)

    assert problems_once(settings_for(strict_kafka, "read"), lambda facts: "Unknown" not in str(facts.group)) == []


def test_a_topic_that_matches_and_may_not_be_read_is_told_and_the_others_are_read(
    strict_kafka: KafkaServer, admin: Any
) -> None:
    names = ("several", "several-seen", "several-unseen")
    one = {"num_partitions": 1, "replication_factor": 1}
    admin.create_topics(dict.fromkeys(names, one), wait_for_metadata=True)
    for name, operation in (("several", "DESCRIBE"), ("several", "READ"), ("several-seen", "DESCRIBE")):
        allow(admin, ResourceType.TOPIC, name, ACLOperation[operation])
    allow(admin, ResourceType.GROUP, "several", ACLOperation.READ)
    settings = settings_for(strict_kafka, "several").model_copy(update={"topics": "several-*"})
    wait_for(lambda: probe_kafka(settings).unread == {"several-seen": NOT_ALLOWED})
    [told] = [finding for finding in check_kafka(probe_kafka(settings), settings) if "several-seen" in finding.found]
    unread: list[Mapping[str, str]] = []
    source = open_source(
        settings, on_lost=print, on_halted=print, on_unread=unread.append, submit=submit_to_thread, metadata_secs=0.5
    )

    def topics() -> set[str]:
        try:
            assigned = source.poll(0.1).assigned
        except TryAgainLater:
            return set()
        return {partition.topic for partition in assigned or ()}

    wait_for(lambda: topics() == {"several"})
    allow(admin, ResourceType.TOPIC, "several-seen", ACLOperation.READ)
    wait_for(lambda: topics() == {"several", "several-seen"})
    source.close(timeout_secs=5)

    assert (told.level, told.about) == (Level.WARNING, "topic")
    assert unread == [{"several-seen": NOT_ALLOWED}, {}]


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SPREAD_SECS
    while not is_so():
        assert time.monotonic() < deadline
