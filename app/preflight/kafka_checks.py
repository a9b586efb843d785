"""Checks of Kafka: the cluster, the topic and its configuration, the consumer group."""

from collections.abc import Iterator, Mapping

from app.preflight.findings import Finding, ok, problem, skipped, warning
from app.preflight.probes import Group, KafkaProbe, Topic, Unknown
from app.settings import KafkaSettings

# The first with topic ids, which distinguish the rows of a topic from those of an earlier one of the same name.
MIN_VERSION = (2, 8)

_HOUR_MS = 3600 * 1000


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
    return [*found, _check_group(probe, settings)] if reads else found


def _check_version(probe: KafkaProbe) -> Finding:
    version = ".".join(map(str, probe.version))
    if probe.version < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        return problem("connection", f"Kafka {version} has no topic ids", f"Kafka {needed} or newer is needed")
    return ok("connection", f"Kafka {version}, {_count(probe.broker_count, 'broker')}")


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
        yield _check_partitions(topic, name)
        if reads:
            yield _check_rights(topic, name)
        yield from check_configs(topic, settings)


def _check_creation(probe: KafkaProbe, settings: KafkaSettings) -> Finding:
    copies = settings.topic_replication_factor
    if probe.creation_problem is None:
        wanted = f"{_count(settings.topic_partitions, 'partition')}, {_count(copies, 'copy', 'copies')} of each"
        return ok("topic", f"{settings.topic} does not exist yet; the service will create it, and may ({wanted})")
    return problem(
        "topic",
        f"{settings.topic} does not exist, and creating it would fail: {probe.creation_problem}",
        "Create it yourself, allow Create on the topic, or correct KAFKA_TOPIC and KAFKA_TOPIC_*",
    )


def _check_rights(topic: Topic, name: str) -> Finding:
    if topic.operations is None:
        return warning("rights", f"Kafka does not report our rights on topic {name}", "Read and Describe are needed")
    if "READ" not in topic.operations:
        return problem("rights", f"topic {name} may not be read", f"Allow Read on topic {name}")
    return ok("rights", f"topic {name} may be read")


def _check_partitions(topic: Topic, name: str) -> Finding:
    count = _count(topic.partition_count, "partition")
    if topic.leaderless_count:
        return problem(
            "topic",
            f"{name}: {topic.leaderless_count} of {count} have no leader and can be neither written nor read",
            "Bring their brokers back",
        )
    if topic.under_replicated_count:
        return warning(
            "topic",
            f"{name}: {topic.under_replicated_count} of {count} have fewer copies in sync than they should",
            "A broker is unavailable or behind; see its log",
        )
    return ok("topic", f"{name}: {count}, shared by up to {_count(topic.partition_count, 'instance')}")


def check_configs(topic: Topic, settings: KafkaSettings) -> list[Finding]:
    """Findings about the configuration that decides whether an acknowledged record is kept until it is read."""
    configs = topic.configs
    if isinstance(configs, Unknown):
        return [
            warning(
                "configuration",
                f"could not be checked: {configs.reason}",
                f"Allow DescribeConfigs on topic {settings.topic}",
            )
        ]
    return [
        _check_copies(topic, configs, settings),
        _check_elections(configs, settings),
        _check_timestamps(configs, settings),
        _check_cleanup(configs, settings),
        _check_retention(configs, settings),
    ]


def _check_copies(topic: Topic, configs: Mapping[str, str], settings: KafkaSettings) -> Finding:
    copies, in_sync = topic.replication_factor, int(configs.get("min.insync.replicas", "1"))
    text = f"{copies} of each partition, {in_sync} in sync to acknowledge"
    if in_sync > copies:
        return problem("copies", f"{text}: nothing can be acknowledged", _set(settings, "min.insync.replicas", copies))
    if copies == 1:
        return warning(
            "copies",
            "1 of each partition: an acknowledged log is as safe as one disk",
            "Run three brokers, and create the topic with KAFKA_TOPIC_REPLICATION_FACTOR=3",
        )
    if in_sync == 1:
        return warning(
            "copies",
            f"{text}: a log that only one broker has acknowledged is lost with its disk",
            _set(settings, "min.insync.replicas", 2),
        )
    return ok("copies", text)


def _check_elections(configs: Mapping[str, str], settings: KafkaSettings) -> Finding:
    if configs.get("unclean.leader.election.enable") == "true":
        return problem(
            "leader elections",
            "unclean ones are allowed: Kafka may lose logs that it has acknowledged",
            _set(settings, "unclean.leader.election.enable", "false"),
        )
    return ok("leader elections", "clean ones only")


def _check_timestamps(configs: Mapping[str, str], settings: KafkaSettings) -> Finding:
    kind = configs.get("message.timestamp.type", "CreateTime")
    if kind != "LogAppendTime":
        return warning(
            "record times",
            f"{kind}, set by producers: one log dated far back can make Kafka delete records that are not read yet",
            _set(settings, "message.timestamp.type", "LogAppendTime"),
        )
    return ok("record times", kind)


def _check_cleanup(configs: Mapping[str, str], settings: KafkaSettings) -> Finding:
    policy = configs.get("cleanup.policy", "delete")
    if "compact" in policy:
        return problem(
            "cleanup",
            f"{policy}: of logs with the same key Kafka keeps only the last, read or not",
            _set(settings, "cleanup.policy", "delete"),
        )
    return ok("cleanup", policy or "none, everything is kept")


def _check_retention(configs: Mapping[str, str], settings: KafkaSettings) -> Finding:
    kept_ms, kept_bytes = int(configs.get("retention.ms", "-1")), int(configs.get("retention.bytes", "-1"))
    wanted_ms = settings.topic_retention_hours * _HOUR_MS
    period = "for ever" if kept_ms < 0 else f"{kept_ms / _HOUR_MS:g} h"
    if 0 <= kept_ms < wanted_ms:
        return warning(
            "retention",
            f"{period}, less than KAFKA_TOPIC_RETENTION_HOURS={settings.topic_retention_hours}: if ClickHouse is"
            " unavailable for longer, logs are lost",
            _set(settings, "retention.ms", wanted_ms),
        )
    if kept_bytes >= 0:
        return warning(
            "retention",
            f"{period}, but no more than {kept_bytes:,} bytes of each partition: older records are deleted, read or"
            " not",
            _set(settings, "retention.bytes", -1),
        )
    return ok("retention", f"{period}: ClickHouse may be unavailable that long without loss")


def _set(settings: KafkaSettings, name: str, value: object) -> str:
    return f"{_admin(settings)} configs alter -r topic -n {settings.topic} -c {name}={value}"


def _admin(settings: KafkaSettings) -> str:
    """The command line of the Kafka client, which is installed with the service."""
    return f"python -m kafka.admin -b {settings.bootstrap_servers}"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


# The group.


def _check_group(probe: KafkaProbe, settings: KafkaSettings) -> Finding:
    name, group = settings.group_id, probe.group
    if isinstance(group, Unknown):
        return problem("consumer group", group.reason, f"The service needs the right Read on group {name}")
    if not group.may_join:
        return problem("consumer group", f"{name} may not be joined", f"Allow Read on group {name}")
    partition_count = probe.topic.partition_count if isinstance(probe.topic, Topic) else settings.topic_partitions
    text = f"{name}: {_members(group)}, {_progress(group, partition_count, settings)}"
    if group.member_count > partition_count:
        return warning(
            "consumer group",
            f"{text}: {group.member_count - partition_count} of them idle, for {partition_count} partitions",
            f"Run fewer, or {_admin(settings)} partitions create -p {settings.topic}:{group.member_count}",
        )
    return ok("consumer group", text)


def _members(group: Group) -> str:
    return f"{_count(group.member_count, 'instance')} in it now" if group.member_count else "no instance in it now"


def _progress(group: Group, partition_count: int, settings: KafkaSettings) -> str:
    if group.committed_count:
        return f"resumes from committed offsets on {group.committed_count} of {partition_count} partitions"
    return f"new to this topic, begins at the {settings.start_from} record"
