"""Checks of Kafka: the cluster, the topics, the consumer group."""

from collections.abc import Iterator

from app.preflight.findings import Finding, ok, problem, skipped, warning
from app.preflight.kafka_command import admin_command
from app.preflight.probes import Group, KafkaProbe, Topic, Unknown
from app.preflight.topic_checks import (
    check_configs,
    check_more_topics,
    check_partitions,
    check_rights,
    count_of,
)
from app.settings import KafkaSettings

# The first with topic ids, which distinguish the rows of a topic from those of an earlier one of the same name.
MIN_VERSION = (2, 8)


def unreachable(settings: KafkaSettings, reason: str) -> list[Finding]:
    """The findings if Kafka did not answer."""
    login = ", KAFKA_SASL_*" if settings.sasl_mechanism else ""
    advice = f"Start it, or correct KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL{login}"
    return [
        problem("connection", reason, advice),
        skipped("everything else", "topic, its configuration, consumer group"),
    ]


def check_kafka(probe: KafkaProbe, settings: KafkaSettings, *, reads: bool = True) -> list[Finding]:
    """All findings about Kafka; without those about reading, for an instance that does not."""
    found = [_check_version(probe), *_check_topic(probe, settings, reads)]
    return [*found, *check_more_topics(probe, settings), _check_group(probe, settings)] if reads else found


def _check_version(probe: KafkaProbe) -> Finding:
    version = ".".join(map(str, probe.version))
    if probe.version < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        return problem("connection", f"Kafka {version} has no topic ids", f"Kafka {needed} or newer is needed")
    return ok("connection", f"Kafka {version}, {count_of(probe.broker_count, 'broker')}")


# The topic.


def _check_topic(probe: KafkaProbe, settings: KafkaSettings, reads: bool) -> Iterator[Finding]:
    name, topic = settings.topic, probe.topic
    if isinstance(topic, Unknown):
        yield problem("topic", topic.reason, f"The service needs the rights Describe and Read on topic {name}")
        yield skipped("configuration", f"of topic {name}")
    elif topic is None:
        yield _check_creation(probe, settings)
        yield skipped("configuration", f"of topic {name}, which does not exist yet")
    else:
        yield check_partitions(topic, name)
        if reads:
            yield check_rights(topic, name)
        yield from check_configs(topic, settings)


def _check_creation(probe: KafkaProbe, settings: KafkaSettings) -> Finding:
    copies = settings.topic_replication_factor
    if probe.creation_problem is None:
        wanted = f"{count_of(settings.topic_partitions, 'partition')}, {count_of(copies, 'copy', 'copies')} of each"
        return ok("topic", f"{settings.topic} does not exist yet; the service will create it, and may ({wanted})")
    return problem(
        "topic",
        f"{settings.topic} does not exist, and creating it would fail: {probe.creation_problem}",
        "Create it yourself, allow Create on the topic, or correct KAFKA_TOPIC and KAFKA_TOPIC_*",
    )


# The group.


def _check_group(probe: KafkaProbe, settings: KafkaSettings) -> Finding:
    name, group = settings.group_id, probe.group
    if isinstance(group, Unknown):
        return problem("consumer group", group.reason, f"The service needs the right Read on group {name}")
    if not group.may_join:
        return problem("consumer group", f"{name} may not be joined", f"Allow Read on group {name}")
    main_count = probe.topic.partition_count if isinstance(probe.topic, Topic) else settings.topic_partitions
    partition_count = main_count + sum(t.partition_count for t in probe.more.values() if isinstance(t, Topic))
    text = f"{name}: {_members(group)}, {_progress(group, partition_count, settings)}"
    if group.member_count > partition_count:
        return warning(
            "consumer group",
            f"{text}: {group.member_count - partition_count} of them idle, for {partition_count} partitions",
            f"Run fewer, or {admin_command(settings)} partitions create -p {settings.topic}:{group.member_count}",
        )
    return ok("consumer group", text)


def _members(group: Group) -> str:
    return f"{count_of(group.member_count, 'instance')} in it now" if group.member_count else "no instance in it now"


def _progress(group: Group, partition_count: int, settings: KafkaSettings) -> str:
    if group.committed_count:
        return f"resumes from committed offsets on {group.committed_count} of {partition_count} partitions"
    return f"new to this topic, begins at the {settings.start_from} record"
