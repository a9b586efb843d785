"""The Helm chart: the number of instances, and what watches them."""

from __future__ import annotations

import re

import yaml

from local.paths import ROOT
from tests.support.chart import PARTS, render
from tests.support.chart_values import ROLES


def test_what_scales_a_deployment_sets_its_instances() -> None:
    chart = render(ROLES)
    replicas = {part: chart.one("Deployment", f"-{part}")["spec"].get("replicas") for part in PARTS}
    scaled = {name: scaler["spec"]["maxReplicas"] for name, scaler in chart.all("HorizontalPodAutoscaler").items()}

    assert replicas == {"ingest": None, "query": None, "receive": None}
    assert scaled == {"logs-log-analytics-query": 6, "logs-log-analytics-receive": 9}


def test_keda_scales_by_the_rule_that_is_described() -> None:
    shipped = yaml.safe_load((ROOT / "deploy/scaling/keda.yaml").read_text())["spec"]
    scaled = render(ROLES).one("ScaledObject", "-ingest")["spec"]
    [trigger], [of_rule] = scaled["triggers"], shipped["triggers"]

    assert scaled["advanced"] == shipped["advanced"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"], scaled["pollingInterval"]) == (1, 8, 15)
    assert scaled["scaleTargetRef"]["name"] in render(ROLES).all("Deployment")
    assert trigger["authenticationRef"] == {"name": "bearer"}
    assert trigger["metadata"]["serverAddress"] == "http://prometheus:9090"
    assert trigger["metadata"]["query"].replace('{namespace="shop"}', "") == of_rule["metadata"]["query"]
    series = re.findall(r"log_ingest_\w+", of_rule["metadata"]["query"])
    assert re.findall(r'(log_ingest_\w+)\{namespace="shop"\}', trigger["metadata"]["query"]) == series


def test_keda_leaves_out_nothing_where_prometheus_has_no_names_of_namespaces() -> None:
    shipped = yaml.safe_load((ROOT / "deploy/scaling/keda.yaml").read_text())["spec"]
    values = {"layout": "one", "keda": {"enabled": True, "prometheus": "http://prometheus:9090"}}
    scaled = render(values).one("ScaledObject", "")["spec"]

    assert scaled["triggers"][0]["metadata"] == {
        **shipped["triggers"][0]["metadata"],
        "serverAddress": "http://prometheus:9090",
    }
    assert scaled["maxReplicaCount"] == shipped["maxReplicaCount"]
    assert render(values).one("Deployment", "")["spec"].get("replicas") is None


def test_one_instance_of_a_deployment_may_be_evicted_at_a_time_and_any_that_is_not_ready() -> None:
    budgets = render(ROLES).all("PodDisruptionBudget")

    assert len(budgets) == len(PARTS)
    for budget in budgets.values():
        assert (budget["spec"]["maxUnavailable"], budget["spec"]["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_the_operator_of_prometheus_gets_the_rules_of_this_repository() -> None:
    chart = render(ROLES)
    rules = {name.rpartition("-")[2]: rule["spec"] for name, rule in chart.all("PrometheusRule").items()}
    files = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "prometheus/rules").glob("*.yaml")}

    assert rules == files


def test_scraped_series_have_the_job_that_alerts_look_for() -> None:
    monitor = render(ROLES).one("PodMonitor", "")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    jobs = set(re.findall(r'job="([\w-]+)"', (ROOT / "prometheus/rules/ingest.yaml").read_text()))

    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "log-ingest"}]
    assert jobs == {"log-ingest"}
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
    assert monitor["metadata"]["labels"]["release"] == "p"
