"""Findings about the servers behind ClickHouse's address."""

import pytest

from app.preflight.clickhouse_checks import check_clickhouse
from app.preflight.findings import Level
from app.preflight.guarantee import guarantee
from app.preflight.probes import ClickHouseProbe, Servers, Unknown
from tests.unit.preflight.healthy import CLICKHOUSE, about, clickhouse, table

TOGETHER = CLICKHOUSE.model_copy(update={"cluster": "default", "user": "writer"})


def test_one_server_has_no_finding_of_its_own() -> None:
    assert not [finding for finding in check_clickhouse(clickhouse(), CLICKHOUSE) if finding.about == "servers"]


@pytest.mark.parametrize(
    ("probe", "level", "words"),
    [
        (clickhouse(servers=Servers(3, 0.02)), Level.OK, "3 of cluster default answer"),
        (clickhouse(servers=Servers(3, 1.5)), Level.WARNING, "their clocks are 1.5 s apart"),
        (clickhouse(servers=Servers(3, 10.0)), Level.PROBLEM, "those ahead refuse every insert"),
        (clickhouse(servers=Unknown("error 701 (clusters: both)")), Level.PROBLEM, "701 (clusters: both)"),
        (clickhouse(servers=Unknown("refused")), Level.PROBLEM, "GRANT READ ON REMOTE TO writer"),
    ],
)
def test_the_servers_of_a_cluster(probe: ClickHouseProbe, level: Level, words: str) -> None:
    finding = about("servers", check_clickhouse(probe, TOGETHER))

    assert finding.level is level
    assert words in str(finding)


@pytest.mark.parametrize(
    ("engine", "level", "words"),
    [
        ("SharedMergeTree", Level.PROBLEM, "CLICKHOUSE_CLUSTER=default"),
        ("ReplicatedMergeTree", Level.WARNING, "the address of one replica"),
    ],
)
def test_tables_that_several_servers_may_serve(engine: str, level: Level, words: str) -> None:
    finding = about("servers", check_clickhouse(clickhouse(table=table(engine=engine)), CLICKHOUSE))

    assert finding.level is level
    assert words in str(finding)


def test_several_servers_of_which_one_is_asked_void_the_guarantee() -> None:
    found = guarantee(check_clickhouse(clickhouse(table=table(engine="SharedMergeTree")), CLICKHOUSE))

    assert str(found).startswith("not exactly once")
    assert "could be stored twice" in found.doubts[0]
