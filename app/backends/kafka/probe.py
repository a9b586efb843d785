"""Probes Kafka for the preflight check. Changes nothing."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from kafka.admin import KafkaAdminClient, MemberToRemove
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    GroupIdNotFoundError,
    KafkaError,
    NotCoordinatorError,
    UnknownMemberIdError,
)

from app.backends.kafka.errors import translated, try_again
from app.backends.kafka.topic import configs_of, metadata_of, new_topic, open_admin
from app.backends.kafka.topics import found_topics
from app.preflight.probes import Group, KafkaProbe, Topic, Unknown
from app.settings import KafkaSettings

_Value = TypeVar("_Value")

# The first request about any group makes a fresh cluster create the topic of offsets, which takes a moment.
_COORDINATOR_SECS = 10.0
_COMING_COORDINATOR = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
_PAUSE_SECS = 0.2


def probe_kafka(settings: KafkaSettings) -> KafkaProbe:
    """The probe of Kafka; values that cannot be read are `Unknown`.

    Raises:
        TryAgainLater: Kafka does not answer at all.
    """
    with closing(open_admin(settings)) as admin:
        try:
            brokers = admin.describe_cluster()["brokers"]
            version = admin.get_broker_version_data(brokers[0]["broker_id"]).broker_version
        except (KafkaError, OSError) as error:
            # Kafka may be reachable at the configured address, but not at the one that it advertises to its clients.
            raise try_again(error, "describe the cluster") from error
        topic = _read(f"describe topic {settings.topic}", lambda: _topic(admin, settings.topic))
        more, unread = _more(admin, settings)
        return KafkaProbe(
            version=version,
            broker_count=len(brokers),
            topic=topic,
            creation_problem=_creation_problem(admin, settings) if topic is None else None,
            group=_read(f"describe group {settings.group_id}", lambda: _group(admin, settings)),
            more=more,
            unread=unread,
        )


def _read(doing: str, read: Callable[[], _Value]) -> _Value | Unknown:
    """The result of `read`, or why there is none."""
    try:
        return read()
    except (KafkaError, OSError) as error:
        return Unknown(str(translated(error, doing)))


def _more(admin: KafkaAdminClient, settings: KafkaSettings) -> tuple[dict[str, Topic | Unknown], Mapping[str, str]]:
    """The topics that are read besides the main one, and those that cannot be read, with the reason."""
    choice = settings.topic_choice
    if choice.is_only_main:
        return {}, {}
    chosen = _read("list topics", lambda: choice.among(found_topics(admin, choice)))
    if isinstance(chosen, Unknown):
        return {settings.topics: chosen}, {}
    more: dict[str, Topic | Unknown] = {}
    for name in chosen.topics.keys() - {settings.topic}:
        topic = _read(f"describe topic {name}", partial(_topic, admin, name))
        if topic is not None:  # otherwise it was deleted meanwhile
            more[name] = topic
    return more, chosen.unread


def _topic(admin: KafkaAdminClient, name: str) -> Topic | None:
    metadata = metadata_of(admin, name)
    if metadata is None:
        return None
    partitions = metadata["partitions"]
    configs = _read("read its configuration", lambda: configs_of(admin, name))
    return Topic(
        partition_count=len(partitions),
        replication_factor=min(len(partition["replica_nodes"]) for partition in partitions),
        leaderless_count=sum(partition["leader_id"] < 0 for partition in partitions),
        under_replicated_count=sum(len(part["isr_nodes"]) < len(part["replica_nodes"]) for part in partitions),
        operations=_operations(metadata),
        configs=configs or Unknown("Kafka does not return the configuration"),
    )


def _creation_problem(admin: KafkaAdminClient, settings: KafkaSettings) -> str | None:
    """Why the topic could not be created, None if it could; Kafka only validates the request."""
    response = _read(
        f"validate creating topic {settings.topic}",
        lambda: admin.create_topics(new_topic(settings), validate_only=True, raise_errors=False),
    )
    if isinstance(response, Unknown):
        return response.reason
    [topic] = response["topics"]
    return (topic["error_message"] or f"error {topic['error_code']}") if topic["error_code"] else None


def _group(admin: KafkaAdminClient, settings: KafkaSettings) -> Group:
    committed = with_coordinator(lambda: admin.list_group_offsets([settings.group_id]))[settings.group_id]
    described = admin.describe_groups([settings.group_id])[settings.group_id]
    choice = settings.topic_choice
    return Group(
        may_join=_may_join(admin, settings.group_id, _operations(described)),
        member_count=len(described["members"]),
        committed_count=sum(choice.takes(partition.topic) for partition in committed),
    )


def _may_join(admin: KafkaAdminClient, group_id: str, operations: frozenset[str] | None) -> bool:
    """Whether we have the Read permission on the group.

    Kafka does not report it for a group that does not exist yet. Removing a member needs the same permission, and
    removing one that never existed does no harm.
    """
    if operations is not None:
        return "READ" in operations
    try:
        admin.remove_group_members(group_id, [MemberToRemove(member_id=str(uuid.uuid4()))])
    except GroupAuthorizationFailedError:
        return False
    except (GroupIdNotFoundError, UnknownMemberIdError):
        pass
    return True


def with_coordinator(request: Callable[[], _Value]) -> _Value:
    """Run a request about a group; retry it for some seconds while its coordinator is not available yet.

    Raises:
        KafkaError: the coordinator stayed unavailable, or the request failed otherwise.
    """
    deadline = time.monotonic() + _COORDINATOR_SECS
    while True:
        try:
            return request()
        except _COMING_COORDINATOR:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_SECS)


def _operations(described: dict[str, Any]) -> frozenset[str] | None:
    """Our permissions on a topic or group; None from Kafka before 2.3, and for a group that does not exist."""
    operations = described.get("authorized_operations")
    return None if operations is None else frozenset(operations)
