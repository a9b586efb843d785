"""Grafana's alerts about logs: when they fire, with their own queries and thresholds, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import yaml

from local.paths import ROOT
from tests.e2e.dashboard_table import DashboardTable
from tests.support.compose import KRAFT, services
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

FILE: Final = ROOT / "grafana/provisioning/alerting/alerts.yaml"
RULES: Final = {rule["uid"]: rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]}


_STORE: Final = """
INSERT INTO logs.logs (Timestamp, ServiceName, SeverityText, SeverityNumber, Body)
SELECT fromUnixTimestamp64Milli({time_ms:Int64}), {service:String}, if(number < {errors:UInt64}, 'ERROR', 'INFO'),
    if(number < {errors:UInt64}, 17, 9), 'a log'
FROM numbers({count:UInt64})
"""


@pytest.fixture
def table(engine: RunningEngine) -> Iterator[DashboardTable]:
    table = DashboardTable(engine)
    yield table
    table.drop()


def store(table: DashboardTable, service: str, ago: timedelta, *, count: int = 1, errors: int = 0) -> None:
    """Store logs that a service wrote `ago`, the first of them errors."""
    time_ms = int((datetime.now(UTC) - ago).timestamp() * 1000)
    table.command(_STORE, time_ms=time_ms, service=service, count=count, errors=errors)


def firing(table: DashboardTable, uid: str) -> set[str]:
    """The services for which a rule fires now: query, last value, threshold, as the rule says."""
    query, reduced, threshold = (part["model"] for part in RULES[uid]["data"])
    assert (query["format"], reduced["type"], reduced["expression"]) == (1, "reduce", query["refId"])
    assert (threshold["type"], threshold["expression"]) == ("threshold", reduced["refId"])
    [condition] = threshold["conditions"]
    assert condition["evaluator"]["type"] == "gt"
    [limit] = condition["evaluator"]["params"]
    return {service for service, value in map(dict.values, table.query(query["rawSql"])) if value > limit}


@pytest.mark.parametrize("uid", RULES)
def test_nothing_fires_without_logs(table: DashboardTable, uid: str) -> None:
    assert firing(table, uid) == set()


def test_a_service_that_stopped_logging_is_reported(table: DashboardTable) -> None:
    store(table, "silent", timedelta(minutes=13))
    store(table, "silent", timedelta(hours=3), count=50)
    store(table, "talking", timedelta(minutes=8))
    store(table, "talking", timedelta(hours=3))
    store(table, "gone for good", timedelta(hours=25))
    store(table, "", timedelta(hours=2))

    assert firing(table, "no-logs") == {"silent"}


def test_a_service_with_many_errors_is_reported(table: DashboardTable) -> None:
    store(table, "failing", timedelta(minutes=2), count=100, errors=20)
    store(table, "fine", timedelta(minutes=2), count=100, errors=5)
    store(table, "hardly there", timedelta(minutes=2), count=10, errors=10)
    store(table, "recovered", timedelta(minutes=20), count=100, errors=100)
    store(table, "recovered", timedelta(minutes=2), count=100)

    assert firing(table, "error-rate") == {"failing"}


@pytest.mark.parametrize("uid", RULES)
def test_alert_queries_read_only_counts(table: DashboardTable, uid: str) -> None:
    store(table, "busy", timedelta(minutes=2), count=100_000)

    assert "ReadFromMergeTree (per_minute)" in table.command(f"EXPLAIN {RULES[uid]['data'][0]['model']['rawSql']}")


def test_rules_name_a_data_source_and_a_dashboard_that_are_there() -> None:
    sources = yaml.safe_load((ROOT / "grafana/provisioning/datasources/datasources.yaml").read_text())
    known = {source["uid"] for source in sources["datasources"]} | {"__expr__"}
    for rule in RULES.values():
        assert {part["datasourceUid"] for part in rule["data"]} <= known
        assert (ROOT / f"grafana/dashboards/{rule['annotations']['__dashboardUid__']}.json").exists()


def test_grafana_finds_the_rules_and_takes_no_dollar_for_a_variable() -> None:
    mounts: list[dict[str, Any]] = services(KRAFT)["grafana"]["volumes"]
    assert "/etc/grafana/provisioning" in {mount["target"] for mount in mounts if FILE.is_relative_to(mount["source"])}
    assert "$" not in "".join(line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("#"))
