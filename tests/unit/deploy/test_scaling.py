"""The shipped configuration of KEDA and CREMA; the controllers themselves cannot run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from app.environment import setting_names
from app.metrics import Metrics
from app.scaling.demand import Target, whole_instances
from local.paths import ROOT
from tests.support.programs import find_program, run_program
from tests.support.promql import exposed_series, series_in

KEDA = yaml.safe_load((ROOT / "deploy/scaling/keda.yaml").read_text())["spec"]
CREMA = yaml.safe_load((ROOT / "deploy/scaling/crema.yaml").read_text())["spec"]
[OF_CREMA] = [scaled["spec"] for scaled in CREMA["scaledObjects"]]
[PROMETHEUS], [KAFKA] = KEDA["triggers"], OF_CREMA["triggers"]
QUERY = PROMETHEUS["metadata"]["query"]
PAGE = (ROOT / "docs/scaling.md").read_text()

# Wanted and partitions of each instance.
GROUPS = [
    [(0.0, 8)],
    [(0.4, 8)],
    [(1.1, 8)],
    [(1.0, 4), (1.1, 4)],
    [(2.05, 4), (2.05, 4)],
    [(0.7, 3), (0.9, 3), (0.2, 2)],
    [(1.0, 1)] * 8,
    [(4.0, 12), (0.1, 12)],
    [(1.3, 4), (0.0, 0)],
]


def test_both_change_the_number_of_instances_by_the_same_rule() -> None:
    assert KEDA["advanced"] == OF_CREMA["advanced"]
    assert (KEDA["minReplicaCount"], KEDA["maxReplicaCount"]) == (
        OF_CREMA["minReplicaCount"],
        OF_CREMA["maxReplicaCount"],
    )
    assert KEDA["pollingInterval"] == CREMA["pollingInterval"]


def test_what_is_shipped_fits_the_settings_as_they_are_shipped() -> None:
    fields = setting_names()

    assert KEDA["maxReplicaCount"] == fields["KAFKA_TOPIC_PARTITIONS"].default
    assert KAFKA["metadata"]["consumerGroup"] == fields["KAFKA_GROUP_ID"].default
    assert float(KAFKA["metadata"]["lagThreshold"]) == Target().capacity_per_sec
    assert fields["BATCH_MAX_AGE_SECS"].default == 1, "the threshold is what arrives in this time"


def test_the_query_uses_series_of_ours() -> None:
    assert series_in(QUERY) == {"log_ingest_assigned_partitions", "log_ingest_wanted_instances"}
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


def _test(group: list[tuple[float, int]]) -> dict[str, Any]:
    """What promtool compares: series of the instances of a group, and the result of the query."""
    series = []
    for number, (wanted, partitions) in enumerate(group):
        for name, value in (("wanted_instances", wanted), ("assigned_partitions", partitions)):
            series.append({"series": f'log_ingest_{name}{{instance="{number}"}}', "values": f"{value}x5"})
    expected = whole_instances(sum(wanted for wanted, _ in group), sum(count for _, count in group))
    sample = {"labels": "wanted", "value": expected}
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": "wanted", "eval_time": "3m", "exp_samples": [sample]}],
    }
