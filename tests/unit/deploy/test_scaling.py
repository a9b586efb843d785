"""The shipped configuration of KEDA and CREMA; the controllers themselves cannot run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from app.environment import setting_names
from app.metrics import Metrics
from app.scaling.demand import Target, instances_of_group
from local.paths import ROOT
from tests.support.programs import find_program, run_program
from tests.support.promql import exposed_series, series_in

KEDA = yaml.safe_load((ROOT / "deploy/scaling/keda.yaml").read_text())["spec"]
CREMA = yaml.safe_load((ROOT / "deploy/scaling/crema.yaml").read_text())["spec"]
[OF_CREMA] = [scaled["spec"] for scaled in CREMA["scaledObjects"]]
[PROMETHEUS], [KAFKA] = KEDA["triggers"], OF_CREMA["triggers"]
QUERY = PROMETHEUS["metadata"]["query"]
PAGE = (ROOT / "docs/scaling.md").read_text()

# What each instance reports of its partitions.
GROUPS: list[list[dict[int, float]]] = [
    [{0: 0.0, 1: 0.0}],
    [dict.fromkeys(range(8), 0.05)],
    [dict.fromkeys(range(8), 0.14)],
    [dict.fromkeys(range(4), 0.25), dict.fromkeys(range(4, 8), 0.3)],
    [{0: 1.0, 1: 0.1, 2: 0.1, 3: 0.1}],
    [{number: 1.0} for number in range(8)],
    [dict.fromkeys(range(24), 0.17)],
    [{0: 0.7, 1: 0.2}, {}],
    [{0: 0.7, 1: 0.6}, {1: 0.5, 2: 0.7}],  # a rebalance: the first one was scraped before it
]


def test_both_follow_a_growing_load_by_the_same_rule() -> None:
    assert behaviour(KEDA)["scaleUp"] == behaviour(OF_CREMA)["scaleUp"]
    assert behaviour(KEDA)["scaleDown"]["policies"] == behaviour(OF_CREMA)["scaleDown"]["policies"]
    for name in ("minReplicaCount", "maxReplicaCount"):
        assert KEDA[name] == OF_CREMA[name]
    assert KEDA["pollingInterval"] == CREMA["pollingInterval"]


def behaviour(spec: dict[str, Any]) -> Any:
    return spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]


def test_crema_would_take_another_policy_where_none_is_selected() -> None:
    for direction in ("scaleUp", "scaleDown"):
        assert behaviour(OF_CREMA)[direction]["selectPolicy"] == "Max"


def test_what_is_shipped_fits_the_settings_as_they_are_shipped() -> None:
    fields = setting_names()

    assert KEDA["maxReplicaCount"] == fields["KAFKA_TOPIC_PARTITIONS"].default
    assert KAFKA["metadata"]["consumerGroup"] == fields["KAFKA_GROUP_ID"].default
    assert float(KAFKA["metadata"]["lagThreshold"]) == 5 * Target().capacity_per_sec


def test_the_query_uses_series_of_ours() -> None:
    assert series_in(QUERY) == {"log_ingest_wanted_instances"}
    assert series_in(QUERY) <= exposed_series()


def test_values_of_triggers_are_texts_as_keda_needs_them() -> None:
    for trigger in (PROMETHEUS, KAFKA):
        assert [name for name, value in trigger["metadata"].items() if not isinstance(value, str)] == []


def test_every_name_of_authentication_in_crema_has_one() -> None:
    names = [authentication["metadata"]["name"] for authentication in CREMA["triggerAuthentications"]]
    assert [KAFKA["authenticationRef"]["name"]] == names


def test_crema_has_its_polling_interval_at_the_top_where_it_reads_it() -> None:
    assert "pollingInterval" not in OF_CREMA
    assert not {"cooldownPeriod", "fallback"} & OF_CREMA.keys(), "CREMA ignores them"


def test_the_page_shows_the_query_and_every_series_of_scaling() -> None:
    assert " ".join(QUERY.split()) in " ".join(PAGE.split())
    described = {series.name for series in Metrics(CollectorRegistry(), version="").described}
    for name in ("wanted_instances", "arrivals_per_second", "lag_seconds", "measured_capacity_per_second"):
        assert f"log_ingest_{name}" in described
        assert f"`log_ingest_{name}`" in PAGE


@pytest.mark.skipif(find_program("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_computes_what_the_formula_says(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "n", "rules": [_RULE]}]}))
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [_test(group) for group in GROUPS]})
    )

    run_program("promtool", "test", "rules", tmp_path / "test.yml")


_RULE = {"record": "wanted", "expr": QUERY}


def _test(group: list[dict[int, float]]) -> dict[str, Any]:
    """What promtool compares: series of the instances of a group, and the result of the query."""
    series = [
        {"series": f'log_ingest_wanted_instances{{instance="{instance}",topic="t",partition="{partition}"}}'}
        | {"values": f"{wanted}x5"}
        for instance, partitions in enumerate(group)
        for partition, wanted in partitions.items()
    ]
    by_partition: dict[int, float] = {}
    for partitions in group:
        by_partition |= {p: max(wanted, by_partition.get(p, 0)) for p, wanted in partitions.items()}
    sample = {"labels": "wanted", "value": instances_of_group(list(by_partition.values()))}
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": "wanted", "eval_time": "3m", "exp_samples": [sample]}],
    }
