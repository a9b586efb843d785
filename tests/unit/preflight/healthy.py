"""Probes of a healthy Kafka and ClickHouse, to be changed one at a time."""

from typing import Any

from app.preflight.findings import Finding, Level
from app.preflight.probes import ClickHouseProbe, Group, KafkaProbe, Table, Topic, UserSetting
from app.preflight.table_definition import TableDefinition, parse
from app.settings import ClickHouseSettings, KafkaSettings

KAFKA = KafkaSettings()
CLICKHOUSE = ClickHouseSettings()

CONFIGS = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "1048588",
    "min.insync.replicas": "2",
    "retention.bytes": "-1",
    "retention.ms": str(168 * 3600 * 1000),
    "unclean.leader.election.enable": "false",
}

TABLE_SQL = """CREATE TABLE logs.logs
(
    `Timestamp` DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    `ServiceName` LowCardinality(String),
    `_offset` UInt64,
    `_deadline` DateTime64(3, 'UTC') DEFAULT now64(3) + 60,
    INDEX words lower(Body) TYPE text(tokenizer = 'splitByNonAlpha') GRANULARITY 100000000,
    CONSTRAINT on_time CHECK nowInBlock64(3) < _deadline,
    PROJECTION ledger
    (
        SELECT max(_offset)
    )
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, Timestamp)
TTL toDateTime(Timestamp) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, index_granularity = 2048"""


def topic(**changes: Any) -> Topic:
    usual: dict[str, Any] = {
        "partition_count": 4,
        "replication_factor": 3,
        "leaderless_count": 0,
        "under_replicated_count": 0,
        "operations": frozenset({"READ", "WRITE", "DESCRIBE"}),
        "configs": CONFIGS,
    }
    return Topic(**(usual | changes))


def topic_with(**configs: str) -> Topic:
    """A topic with these configs; names with underscores for dots."""
    return topic(configs=CONFIGS | {name.replace("_", "."): value for name, value in configs.items()})


def group(**changes: Any) -> Group:
    usual: dict[str, Any] = {"may_join": True, "member_count": 2, "committed_count": 4}
    return Group(**(usual | changes))


def kafka(**changes: Any) -> KafkaProbe:
    usual: dict[str, Any] = {
        "version": (4, 3),
        "broker_count": 3,
        "topic": topic(),
        "creation_problem": None,
        "group": group(),
    }
    return KafkaProbe(**(usual | changes))


def definition(*replacements: tuple[str, str]) -> TableDefinition:
    """A small version of the table of schema.sql, with replaced pieces of its text."""
    sql = TABLE_SQL
    for old, new in replacements:
        assert old in sql
        sql = sql.replace(old, new)
    return parse(sql)


def table(*replacements: tuple[str, str], **changes: Any) -> Table:
    usual: dict[str, Any] = {"engine": "MergeTree", "definition": definition(*replacements), "views": []}
    return Table(**(usual | changes))


def clickhouse(**changes: Any) -> ClickHouseProbe:
    usual: dict[str, Any] = {
        "version": "26.2.1.5",
        "clock_ahead_secs": 0.1,
        "table": table(),
        "wanted": definition(),
        "privileges": {"SELECT ON logs.logs": True, "INSERT ON logs.logs": True},
        "insert_settings": {"async_insert": UserSetting("0", "1")},
        "table_defaults": {"non_replicated_deduplication_window": "0", "replicated_deduplication_window": "10000"},
    }
    return ClickHouseProbe(**(usual | changes))


def about(subject: str, findings: list[Finding]) -> Finding:
    """The only finding about a subject."""
    [found] = [finding for finding in findings if finding.about == subject]
    return found


def levels(findings: list[Finding]) -> set[Level]:
    return {finding.level for finding in findings}
