"""The statements for a cluster. tests/contract checks that ClickHouse parses them."""

from app.backends.clickhouse.cluster import cluster_statements
from app.backends.clickhouse.schema import create_table
from app.settings import ClickHouseSettings


def test_everything_is_made_on_the_whole_cluster() -> None:
    database, local, removed, whole = cluster_statements(ClickHouseSettings(), "two-nodes")

    assert database == "CREATE DATABASE IF NOT EXISTS `logs` ON CLUSTER `two-nodes`"
    assert local.startswith("CREATE TABLE IF NOT EXISTS `logs`.`logs_local` ON CLUSTER `two-nodes`\n(")
    assert removed.startswith("CREATE TABLE IF NOT EXISTS `logs`.`logs_local_removed` ON CLUSTER `two-nodes`\n(")
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/logs/logs_local_removed', '{replica}')" in removed
    assert whole.startswith("CREATE TABLE IF NOT EXISTS `logs`.`logs` ON CLUSTER `two-nodes`\nAS `logs`.`logs_local`\n")
    assert "ENGINE = Distributed('two-nodes', 'logs', 'logs_local')" in whole


def test_the_replicated_table_is_that_of_the_schema_but_for_its_names_and_its_engine() -> None:
    [_, local, _, _] = cluster_statements(ClickHouseSettings(retention_days=7), "c")

    undone = (
        local.replace("`logs_local` ON CLUSTER `c`", "`logs`")
        .replace("ReplicatedMergeTree('/clickhouse/tables/{shard}/logs/logs_local', '{replica}')", "MergeTree")
        .replace(" replicated_dedup", " non_replicated_dedup")
    )
    assert undone == create_table(ClickHouseSettings(retention_days=7))
    assert "MergeTree('/clickhouse" in local
    assert " replicated_deduplication_window = 10000" in local


def test_only_the_table_with_migrations_has_a_schema_number() -> None:
    [_, local, removed, whole] = cluster_statements(ClickHouseSettings(), "c")

    assert "COMMENT 'schema " in local
    assert "schema" not in removed + whole


def test_names_are_those_that_are_set() -> None:
    made = " ".join(cluster_statements(ClickHouseSettings(database="web", table="events"), "c"))

    assert "/clickhouse/tables/{shard}/web/events_local" in made
    assert "`web`.`events` ON CLUSTER" in made
    assert "logs" not in made


def test_it_is_the_same_before_and_after_the_service_was_configured_for_it() -> None:
    after = ClickHouseSettings(table="logs_local", reader_table="logs")

    assert cluster_statements(after, "c") == cluster_statements(ClickHouseSettings(), "c")
