"""The Helm chart, rendered by Helm: what each instance is given, and how it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.environment import misspelt, read_settings, setting_names
from app.service import STOP_SECS
from app.version import VERSION
from docs import chart_schema
from local.paths import ROOT
from tests.support.chart import CHART, PARTS, Chart, render, with_needed
from tests.support.chart_values import CHOICES, ROLES
from tests.support.kubernetes import NEWEST, OLDEST, helm, misfits

DEPLOYMENTS = [
    *((choice, f"-{part}") for choice in ("the least", "roles") for part in PARTS),
    ("one", ""),
]
every_deployment = pytest.mark.parametrize(("choice", "part"), DEPLOYMENTS)


def container_of(chart: Chart, part: str) -> dict[str, Any]:
    [container] = chart.pod(part)["containers"]
    assert isinstance(container, dict)
    return container


def pods(chart: Chart) -> Iterator[dict[str, Any]]:
    for deployment in chart.all("Deployment").values():
        yield deployment["spec"]["template"]["spec"]
    for pod in chart.all("Pod").values():
        yield pod["spec"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("choice", CHOICES)
def test_kubernetes_knows_every_field(choice: str, version: str) -> None:
    own = [
        found
        for found in render(CHOICES[choice]).objects
        if not found["apiVersion"].startswith(("monitoring.coreos.com", "keda.sh"))
    ]

    assert len(own) >= 6
    assert [problem for found in own for problem in misfits(found, version)] == []


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [], "restart": 1}}

    assert "'restart' was unexpected" in "".join(misfits(pod, NEWEST))


def test_the_oldest_version_is_the_one_that_the_chart_allows() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["kubeVersion"] == f">={OLDEST}.0-0"


def test_the_chart_has_the_version_of_the_service() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_helm_has_nothing_to_say_against_the_chart() -> None:
    done = helm("lint", "--strict", str(CHART), "--values", "-", given=json.dumps(with_needed(ROLES)))

    assert (done.returncode, re.findall(r"\[(?:WARNING|ERROR)\].*", done.stdout)) == (0, [])


@every_deployment
def test_the_environment_is_one_that_the_service_starts_with(choice: str, part: str, tmp_path: Path) -> None:
    """Secrets are as long as keys must be; files stand somewhere else than in the container."""
    environment = render(CHOICES[choice]).environment(part)
    (content := tmp_path / "file").write_text("content")
    here = {
        name: str(content) if name.endswith("_FILE") else value * 3 if name.endswith("_KEY") else value
        for name, value in environment.items()
    }

    settings = read_settings(here)

    assert ",".join(settings.service.roles) == (part.removeprefix("-") or "ingest,query,receive")
    assert set(environment) <= set(setting_names())
    assert misspelt(environment) == []
    assert (settings.http.port, settings.metrics.port) == (8080, 8081)


def test_numbers_are_written_as_the_service_reads_them() -> None:
    """Helm would write 12582912 as 1.2582912e+07."""
    environment = render(ROLES).environment("-ingest")

    written = ("BATCH_MAX_BYTES", "BATCH_MAX_AGE_SECS", "BATCH_MAX_ROWS", "LEVELS_FROM_STATUS")
    assert [environment[name] for name in written] == ["12582912", "0.5", "50000", "false"]


def test_settings_of_a_deployment_count_for_it_alone() -> None:
    environment = render(ROLES).environment("-query")

    assert "BATCH_MAX_ROWS" not in environment
    assert environment["LEVELS_FROM_STATUS"] == "true"


def test_an_instance_has_only_the_secrets_that_its_role_needs() -> None:
    held = {
        part: {name for name, value in render(ROLES).environment(f"-{part}").items() if re.fullmatch(r"\S+/\S+", value)}
        & {*with_needed(ROLES)["secrets"]}
        for part in PARTS
    }

    assert held == {
        "ingest": {"KAFKA_SASL_PASSWORD", "CLICKHOUSE_PASSWORD", "RECEIVE_KEY"},
        "query": {*with_needed(ROLES)["secrets"]},
        "receive": {"KAFKA_SASL_PASSWORD", "RECEIVE_KEY"},
    }


@every_deployment
def test_files_are_where_the_settings_say_and_follow_their_secret(choice: str, part: str) -> None:
    """Whole folders are mounted, by which tokens change without a restart."""
    chart = render(CHOICES[choice])
    mounts = {mount["mountPath"]: mount for mount in container_of(chart, part)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in chart.pod(part)["volumes"]}
    files = {name: value for name, value in chart.environment(part).items() if name.endswith("_FILE")}

    assert "AUTH_TOKENS_FILE" in files
    assert not any("subPath" in mount for mount in mounts.values())
    for path in files.values():
        folder, _, key = path.rpartition("/")
        volume = volumes[mounts[folder]["name"]]
        source = volume.get("secret") or volume["configMap"]
        assert [item["path"] for item in source["items"]] == [key]
        assert source["defaultMode"] == 0o440  # for the group, fsGroup


@every_deployment
def test_an_instance_has_the_time_to_stop(choice: str, part: str) -> None:
    pod = render(CHOICES[choice]).pod(part)
    pause = pod["containers"][0].get("lifecycle", {"preStop": {"sleep": {"seconds": 0}}})["preStop"]["sleep"]["seconds"]

    assert pod["terminationGracePeriodSeconds"] >= pause + STOP_SECS + 5


@every_deployment
def test_probes_ask_the_port_for_them(choice: str, part: str) -> None:
    container = container_of(render(CHOICES[choice]), part)
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    startup = container["startupProbe"]

    assert paths == {"startup": "/live", "liveness": "/live", "readiness": "/ready"}
    assert {container[f"{name}Probe"]["httpGet"]["port"] for name in paths} == {"metrics"}
    assert {"name": "metrics", "containerPort": 8081} in container["ports"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 60


@pytest.mark.parametrize("choice", CHOICES)
def test_no_pod_may_do_more_than_it_needs(choice: str) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None

    for pod in pods(render(CHOICES[choice])):
        security, [container] = pod["securityContext"], pod["containers"]
        assert (security["runAsNonRoot"], security["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert (security["runAsUser"], security["runAsGroup"]) == (int(user[1]), int(user[2]))
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        assert {"memory"} <= set(container["resources"]["limits"])


def test_an_update_takes_no_instance_before_its_successor_is_ready() -> None:
    for deployment in render(ROLES).all("Deployment").values():
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_changed_settings_are_a_new_version_of_that_deployment_alone() -> None:
    def checksum(part: str, values: dict[str, Any]) -> str:
        template = render(values).one("Deployment", part)["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/settings"])

    changed = {"query": {"settings": {"QUERY_MAX_THREADS": 2}}}

    assert checksum("-query", changed) != checksum("-query", {})
    assert checksum("-ingest", changed) == checksum("-ingest", {})


def test_helm_test_runs_the_preflight_check_with_the_environment_of_each_deployment() -> None:
    chart = render(ROLES)

    for part in PARTS:
        pod = chart.one("Pod", f"-{part}-check")
        [check], deployed = pod["spec"]["containers"], container_of(chart, f"-{part}")
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        assert check["command"] == ["python", "-m", "app", "check"]
        assert all(check.get(key) == deployed.get(key) for key in ("image", "envFrom", "env", "volumeMounts"))


def test_without_senders_there_is_no_role_for_them() -> None:
    chart = render({"receive": {"enabled": False}})

    assert set(chart.all("Deployment")) == {"logs-log-analytics-ingest", "logs-log-analytics-query"}


def test_the_schema_knows_the_settings_of_today() -> None:
    written = chart_schema.FILE.read_text(encoding="utf-8")

    assert chart_schema.text(chart_schema.completed(json.loads(written))) == written, "out of date: make docs"


def test_the_longest_name_of_a_release_fits_into_those_of_services() -> None:
    chart = render({"receive": {"settings": {"SYSLOG_PORT": 5514}}}, name="a" * 53)

    assert max(len(name) for name in chart.all("Service")) <= 63
