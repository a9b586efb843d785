"""What is known of Kafka and ClickHouse. Plain data: gathered in `backends/`, made up in tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.preflight.table_definition import TableDefinition


@dataclass(frozen=True, slots=True)
class Unknown:
    """In place of a value: it was requested and is not known."""

    reason: str


# Kafka.


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic as it is. `operations` are those that Kafka lets us do, None where it does not say."""

    partition_count: int
    replication_factor: int
    leaderless_count: int
    under_replicated_count: int
    operations: frozenset[str] | None
    configs: Mapping[str, str] | Unknown


@dataclass(frozen=True, slots=True)
class Group:
    """The consumer group now. `committed_count` counts partitions of our topic with a committed offset."""

    may_join: bool
    member_count: int
    committed_count: int


@dataclass(frozen=True, slots=True)
class KafkaProbe:
    """Kafka as far as it answered. `creation_problem` says why a missing topic could not be made, if so."""

    version: tuple[int, ...]
    broker_count: int
    topic: Topic | Unknown | None
    creation_problem: str | None
    group: Group | Unknown

    @property
    def is_dated_by_broker(self) -> bool:
        """Whether the broker dates the records of the topic, as far as it is known; else their producers do."""
        configs = self.topic.configs if isinstance(self.topic, Topic) else None
        return isinstance(configs, Mapping) and configs.get("message.timestamp.type") == "LogAppendTime"


# ClickHouse.


@dataclass(frozen=True, slots=True)
class Table:
    """The table as it is. `views` are materialized views that read from it, by name.

    `migration_count` is how many of the migrations it has had, by its comment.
    """

    engine: str
    definition: TableDefinition | Unknown
    views: Sequence[str]
    migration_count: int = 0


@dataclass(frozen=True, slots=True)
class UserSetting:
    """A setting as our user has it: what an insert needs, what holds without asking, and what may be asked for."""

    wanted: str
    value: str
    is_readonly: bool = False
    least: str | None = None
    most: str | None = None


@dataclass(frozen=True, slots=True)
class ClickHouseProbe:
    """ClickHouse as far as it answered.

    `privileges` tells of each privilege that the service needs whether our user has it; `insert_settings` is None for
    settings that the server does not know. `table_defaults` are the server's for settings that a table does not have.
    `migrations` are the names of those that this version of the service has, in order.
    """

    version: str
    clock_ahead_secs: float | Unknown
    table: Table | Unknown | None
    wanted: TableDefinition | Unknown
    privileges: Mapping[str, bool] | Unknown
    insert_settings: Mapping[str, UserSetting | None] | Unknown
    table_defaults: Mapping[str, str] = field(default_factory=dict)
    migrations: Sequence[str] = ()
