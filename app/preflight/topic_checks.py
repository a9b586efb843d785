"""Checks of one topic: partitions, rights, and the configuration that decides how long a record is kept."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from app.preflight.findings import Finding, Level, ok, problem, warning
from app.preflight.kafka_command import admin_command
from app.preflight.probes import KafkaProbe, Topic, Unknown
from app.settings import KafkaSettings

_HOUR_MS = 3600 * 1000


def check_more_topics(probe: KafkaProbe, settings: KafkaSettings) -> Iterator[Finding]:
    """The topics that are read besides the main one: a line for each, and what is not ok with it."""
    for name, reason in sorted(probe.unread.items()):
        if name != settings.topic:
            advice = f"Create it, allow Read on topic {name}, or correct KAFKA_TOPICS"
            yield warning("topic", f"{name} {reason}; others are read", advice)
    for name, topic in sorted(probe.more.items()):
        if isinstance(topic, Unknown):
            yield problem("topic", f"{name}: {topic.reason}", f"The service needs Describe and Read on topic {name}")
            continue
        yield check_partitions(topic, name)
        for finding in check_configs(topic, settings.model_copy(update={"topic": name})):
            if finding.level is not Level.OK:
                yield replace(finding, found=f"{name}: {finding.found}")
    choice = settings.topic_choice
    if choice.patterns and probe.more.keys() | probe.unread.keys() <= set(choice.named):
        yield warning("topics", f"none matches a pattern of KAFKA_TOPICS={settings.topics} yet")


def check_rights(topic: Topic, name: str) -> Finding:
    """Whether the topic may be read."""
    if topic.operations is None:
        return warning("rights", f"Kafka does not report our rights on topic {name}", "Read and Describe are needed")
    if "READ" not in topic.operations:
        return problem("rights", f"topic {name} may not be read", f"Allow Read on topic {name}")
    return ok("rights", f"topic {name} may be read")


def check_partitions(topic: Topic, name: str) -> Finding:
    """Whether all partitions can be read, and are in sync."""
    count = count_of(topic.partition_count, "partition")
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
    return ok("topic", f"{name}: {count}, shared by up to {count_of(topic.partition_count, 'instance')}")


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
    return f"{admin_command(settings)} configs alter -r topic -n {settings.topic} -c {name}={value}"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
