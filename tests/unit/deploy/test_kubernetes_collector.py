"""The collector on each node of a cluster: deploy/kubernetes/collector.yaml."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import yaml

from local.paths import ROOT
from tests.support.chart import render
from tests.support.kubernetes import NEWEST, OLDEST, misfits
from tests.support.recipes import snippet

FILE = ROOT / "deploy" / "kubernetes" / "collector.yaml"
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(FILE.read_text(encoding="utf-8")))
BY_KIND = {found["kind"]: found for found in OBJECTS}
CONFIG = yaml.safe_load(BY_KIND["ConfigMap"]["data"]["config.yaml"])
POD = BY_KIND["DaemonSet"]["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


def test_kubernetes_knows_every_field() -> None:
    for version in (OLDEST, NEWEST):
        assert [problem for found in OBJECTS for problem in misfits(found, version)] == []


def test_it_sends_to_the_service_under_a_name_that_is_answered() -> None:
    values = yaml.safe_load((ROOT / "deploy/kubernetes/values.yaml").read_text(encoding="utf-8"))
    address = urlsplit(CONFIG["exporters"]["otlp_http"]["endpoint"])
    release = render(values, name="log-analytics", namespace="logs")
    service = release.all("Service")["log-analytics-receive"]
    hosts = release.all("ConfigMap")["log-analytics-receive"]["data"]["HTTP_ALLOWED_HOSTS"]

    assert address.hostname in hosts.split(",")
    assert address.port in [port["port"] for port in service["spec"]["ports"]]


def test_a_log_waits_on_disk_until_kafka_has_it() -> None:
    exporter, receiver = CONFIG["exporters"]["otlp_http"], CONFIG["receivers"]["file_log"]
    folder = CONFIG["extensions"]["file_storage"]["directory"]
    [mount] = [mount for mount in CONTAINER["volumeMounts"] if mount["mountPath"] == folder]
    [volume] = [volume for volume in POD["volumes"] if volume["name"] == mount["name"]]

    assert exporter["retry_on_failure"]["max_elapsed_time"] == 0
    assert (exporter["sending_queue"]["storage"], exporter["sending_queue"]["block_on_overflow"]) == (
        "file_storage",
        True,
    )
    assert (receiver["storage"], receiver["start_at"]) == ("file_storage", "beginning")
    assert receiver["retry_on_failure"] == {"enabled": True, "max_elapsed_time": 0}
    assert "hostPath" in volume, "it outlives the pod"
    assert "file_storage" in CONFIG["service"]["extensions"]


def test_its_exporter_is_that_of_the_recipe() -> None:
    recipe = yaml.safe_load(snippet("OpenTelemetry Collector", "yaml"))["exporters"]["otlp_http"]
    exporter = CONFIG["exporters"]["otlp_http"]

    assert recipe["sending_queue"].items() <= exporter["sending_queue"].items()
    assert recipe["retry_on_failure"] == exporter["retry_on_failure"]


def test_every_part_of_its_pipeline_is_configured() -> None:
    pipelines = CONFIG["service"]["pipelines"]

    assert {kind: list(CONFIG[kind]) for kind in pipelines["logs"]} == pipelines["logs"]


def test_its_token_comes_from_a_secret_and_its_own_log_is_left_out() -> None:
    sources = {variable["name"]: variable["valueFrom"] for variable in CONTAINER["env"]}
    [own] = CONFIG["receivers"]["file_log"]["exclude"]

    assert CONFIG["exporters"]["otlp_http"]["headers"] == {"Authorization": "Bearer ${env:TOKEN}"}
    assert sources["TOKEN"] == {"secretKeyRef": {"name": "log-analytics-collector", "key": "token"}}
    assert CONFIG["processors"]["k8s_attributes"]["filter"]["node_from_env_var"] in sources
    assert f"*_{BY_KIND['DaemonSet']['metadata']['name']}-*" in own


def test_it_changes_nothing_on_its_node_but_its_own_folder() -> None:
    security = CONTAINER["securityContext"]
    written = [mount["mountPath"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")]

    assert written == [CONFIG["extensions"]["file_storage"]["directory"]]
    assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert {verb for rule in BY_KIND["ClusterRole"]["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
