"""Probes of Kafka and ClickHouse. Plain data: taken in `backends/`, made up in tests."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from app.preflight.table_definition import TableDefinition


class Unknown(Struct, frozen=True):
    """In place of a value that could not be read, with the reason."""

    reason: str


# Kafka.


class Topic(Struct, frozen=True):
    """The topic. `operations` are those that Kafka allows us, None if it does not report them."""

    partition_count: int
    replication_factor: int
    leaderless_count: int
    under_replicated_count: int
    operations: frozenset[str] | None
    configs: Mapping[str, str] | Unknown


class Group(Struct, frozen=True):
    """The consumer group. `committed_count` is the number of partitions of our topics with a committed offset."""

    may_join: bool
    member_count: int
    committed_count: int


class KafkaProbe(Struct, frozen=True):
    """What could be read from Kafka. `creation_problem` is why a missing topic cannot be created, None if it can.

    `topic` is the main one; `more` are the others that are read, by name, and `unread` those that cannot be, with the
    reason.
    """

    version: tuple[int, ...]
    broker_count: int
    topic: Topic | Unknown | None
    creation_problem: str | None
    group: Group | Unknown
    more: Mapping[str, Topic | Unknown] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_dated_by_broker(self) -> bool:
        """Whether the broker dates the records of the main topic; false if producers do, or if it is unknown."""
        configs = self.topic.configs if isinstance(self.topic, Topic) else None
        return isinstance(configs, Mapping) and configs.get("message.timestamp.type") == "LogAppendTime"


# ClickHouse.


class Table(Struct, frozen=True):
    """The table. `views` are the names of the materialized views that read from it.

    `migration_count` is the number of migrations that it has had, according to its comment.
    """

    engine: str
    definition: TableDefinition | Unknown
    views: Sequence[str]
    migration_count: int = 0


class UserSetting(Struct, frozen=True):
    """A setting of our user: `wanted` by inserts, its default `value`, and the bounds within which it may be set."""

    wanted: str
    value: str
    is_readonly: bool = False
    least: str | None = None
    most: str | None = None


class Servers(Struct, frozen=True):
    """The servers of the cluster that all answered, and how far their clocks are apart."""

    count: int
    clocks_apart_secs: float


class ClickHouseProbe(Struct, frozen=True):
    """What could be read from ClickHouse.

    `privileges` maps each privilege that the service needs to whether our user has it. `insert_settings` is None for
    settings that the server does not know. `table_defaults` are the server's defaults for settings that a table does
    not set. `migrations` are the names of those of this version of the service, in order. `servers` is None without
    CLICKHOUSE_CLUSTER. `removed` is whether the positions of rows that were removed on purpose can be read, None if no
    row ever was. `privileges_to_remove` are those that removing rows needs, such as retention per service.
    """

    version: str
    clock_ahead_secs: float | Unknown
    table: Table | Unknown | None
    wanted: TableDefinition | Unknown
    privileges: Mapping[str, bool] | Unknown
    insert_settings: Mapping[str, UserSetting | None] | Unknown
    table_defaults: Mapping[str, str] = field(default_factory=dict)
    migrations: Sequence[str] = ()
    servers: Servers | Unknown | None = None
    removed: bool | Unknown | None = None
    privileges_to_remove: Mapping[str, bool] | Unknown = field(default_factory=dict)
