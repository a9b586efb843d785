"""The Helm chart: who reaches what, and under which names."""

from __future__ import annotations

from functools import cache

import pytest
from prometheus_client import CollectorRegistry

from app.build.query import build_query
from app.build.receive import build_receive
from app.metrics import Metrics
from app.settings import Settings
from tests.support.chart import PARTS, render
from tests.support.chart_values import CHOICES, ROLES


def test_selectors_find_the_pods_of_their_deployment_and_no_others() -> None:
    chart = render(ROLES)
    labels = {part: chart.one("Deployment", f"-{part}")["spec"]["template"]["metadata"]["labels"] for part in PARTS}
    checks = [pod["metadata"]["labels"] for pod in chart.all("Pod").values()]

    def found(selector: dict[str, str]) -> list[str]:
        everything = [*labels.items(), *(("check", check) for check in checks)]
        return [part for part, held in everything if selector.items() <= held.items()]

    for part in PARTS:
        name = f"-{part}"
        assert found(chart.one("Deployment", name)["spec"]["selector"]["matchLabels"]) == [part]
        assert found(chart.one("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"]) == [part]
        assert found(chart.one("NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"]) == [part]
    for name in ("-query", "-receive", "-receive-syslog"):
        assert found(chart.one("Service", name)["spec"]["selector"]) == [name.split("-")[1]]


def test_the_service_answers_to_the_names_under_which_it_is_reached() -> None:
    hosts = render(ROLES).environment("-receive")["HTTP_ALLOWED_HOSTS"].split(",")

    name = "logs-log-analytics-receive"
    assert hosts == [name, f"{name}.shop", f"{name}.shop.svc", f"{name}.shop.svc.cluster.local", "ingest.example.org"]


def test_own_names_are_added() -> None:
    hosts = render({"settings": {"HTTP_ALLOWED_HOSTS": "logs.internal"}}).environment("-query")["HTTP_ALLOWED_HOSTS"]

    assert hosts.endswith(".svc.cluster.local,logs.internal")


def test_instances_that_only_ingest_take_no_connections_but_probes_and_scrapes() -> None:
    chart = render(ROLES)
    ports = {
        part: [
            port["port"] for rule in chart.one("NetworkPolicy", f"-{part}")["spec"]["ingress"] for port in rule["ports"]
        ]
        for part in PARTS
    }

    assert ports == {
        "ingest": ["metrics"],
        "query": ["metrics", "http"],
        "receive": ["metrics", "http", "syslog", "syslog-udp"],
    }
    assert "-ingest" not in "".join(chart.all("Service"))


def test_limits_of_the_network_are_those_of_the_values_and_names_can_be_looked_up() -> None:
    policy = render(ROLES).one("NetworkPolicy", "-query")["spec"]

    peers = ROLES["networkPolicy"]
    assert [rule["from"] for rule in policy["ingress"]] == [peers["metricsFrom"], peers["from"]]
    assert policy["egress"] == [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        *peers["egress"],
    ]
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_without_rules_connections_of_the_service_have_no_limit() -> None:
    assert render({}).one("NetworkPolicy", "-query")["spec"]["policyTypes"] == ["Ingress"]


@cache
def routes(part: str) -> set[str]:
    """The paths that clients of a part need, without those for operators, and whose first part is fixed."""
    metrics = Metrics(CollectorRegistry(), version="0")
    built = build_query(Settings(), metrics) if part == "query" else build_receive(Settings(), metrics)
    found = {
        (endpoint.prefix + endpoint.path).replace("//", "/") for endpoints in built.routes for endpoint in endpoints
    }
    return {path for path in found if not path.startswith("/{")}


@pytest.mark.parametrize(
    ("choice", "part"), [("roles", "query"), ("roles", "receive"), ("one", "query"), ("one", "receive")]
)
def test_an_ingress_leads_to_every_path_but_those_for_operators(choice: str, part: str) -> None:
    name = "" if choice == "one" else f"-{part}"
    ingress = render(CHOICES[choice]).one("Ingress", name)["spec"]
    [rule] = ingress["rules"]
    paths = {path["path"]: path["pathType"] for path in rule["http"]["paths"]}

    def is_open(route: str) -> bool:
        return any(
            route == path or (kind == "Prefix" and f"{route}/".startswith(f"{path}/")) for path, kind in paths.items()
        )

    assert ingress["tls"] == [{"hosts": [rule["host"]], "secretName": "logs-tls"}]
    assert len(routes(part)) > 10
    assert [route for route in routes(part) if not is_open(route)] == []
    assert not any(map(is_open, ("/metrics", "/health", "/live", "/ready")))
