"""The table on several ClickHouse nodes: converts the statements of schema.sql into those for a cluster."""

from typing import Final

from app.backends.clickhouse.removed import create_removed, removed_table
from app.backends.clickhouse.schema import statements
from app.settings import ClickHouseSettings

_SUFFIX: Final = "_local"


def cluster_statements(settings: ClickHouseSettings, cluster: str) -> list[str]:
    """Database, replicated table, that of removed positions, and a Distributed table over the former for reading.

    Each is for all nodes of the cluster.

    The replicated table is called `<table>_local` and the other `<table>`. If CLICKHOUSE_READER_TABLE is set, the
    replicated table is called `<table>` and the other has that name.

    Raises:
        ValueError: schema.sql no longer has the form that this module expects.
    """
    local, whole = _names(settings)
    own = settings.model_copy(update={"table": local})
    [database, table] = statements(own)
    database_name, on_cluster = f"`{settings.database}`", f"ON CLUSTER `{cluster}`"
    path = f"/clickhouse/tables/{{shard}}/{settings.database}/{local}"
    removed = create_removed(own, f"ReplicatedReplacingMergeTree('{path}_removed', '{{replica}}')")
    for old, new in (
        (f"{database_name}.`{local}`", f"{database_name}.`{local}` {on_cluster}"),
        ("ENGINE = MergeTree\n", f"ENGINE = ReplicatedMergeTree('{path}', '{{replica}}')\n"),
        ("non_replicated_deduplication_window", "replicated_deduplication_window"),
    ):
        table = _replaced(table, old, new)
    return [
        f"{database} {on_cluster}",
        table,
        _replaced(removed, f"{removed_table(own)}\n", f"{removed_table(own)} {on_cluster}\n"),
        f"CREATE TABLE IF NOT EXISTS {database_name}.`{whole}` {on_cluster}\n"
        f"AS {database_name}.`{local}`\n"
        f"ENGINE = Distributed('{cluster}', '{settings.database}', '{local}')\n"
        # Without a comment it would get the other table's, with the number of a migration in it.
        f"COMMENT 'for reading: {local} on all shards'",
    ]


def _names(settings: ClickHouseSettings) -> tuple[str, str]:
    if settings.reader_table not in (None, settings.table):
        return settings.table, str(settings.reader_table)
    return settings.table + _SUFFIX, settings.table


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"{old!r} should stand once in the statement of schema.sql")
    return text.replace(old, new)
