"""docs/kubernetes.md: its commands, its values, and the files that it applies."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from app.environment import setting_names
from local.paths import ROOT
from tests.support.chart import PARTS, render
from tests.support.kubernetes import NEWEST, OLDEST, helm, misfits
from tests.support.programs import find_program, run_program

PAGE = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
FOLDER = ROOT / "deploy" / "kubernetes"
VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(command)
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    for command in line.split(" | ")
]


def objects(name: str) -> dict[str, dict[str, Any]]:
    """The objects of a file by kind; of several the last."""
    found = list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))
    return {manifest["kind"]: manifest for manifest in found}


def flags(command: list[str]) -> set[str]:
    own = command[: command.index("--")] if "--" in command else command  # what follows is a command of a container
    return {word.partition("=")[0] for word in own if re.match(r"--\w", word)}


def test_helm_knows_every_command_and_flag() -> None:
    used: dict[tuple[str, ...], set[str]] = {}
    for command in COMMANDS:
        if command[0] == "helm":
            words = tuple(command[1:3] if command[1] == "repo" else command[1:2])
            used[words] = used.get(words, set()) | flags(command)

    assert len(used) >= 6
    for words, of_command in used.items():
        known = set(re.findall(r"--[\w-]+", helm(*words, "--help").stdout))
        assert (words, of_command - known) == (words, set())


@pytest.mark.skipif(find_program("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_knows_every_command_and_flag() -> None:
    used: dict[tuple[str, ...], set[str]] = {}
    for command in COMMANDS:
        if command[0] == "kubectl":
            words = tuple(command[1:4] if command[1:3] == ["create", "secret"] else command[1:2])
            used[words] = used.get(words, set()) | flags(command)
    everywhere = set(re.findall(r"--[\w-]+", run_program("kubectl", "options")))

    assert len(used) >= 5
    for words, of_command in used.items():
        known = set(re.findall(r"--[\w-]+", run_program("kubectl", *words, "--help")))
        assert (words, of_command - known - everywhere) == (words, set())


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda text: str(text).split(":")[0])
def test_values_of_the_page_can_be_installed(snippet: str) -> None:
    assert render(yaml.safe_load(snippet)).all("Deployment")


def test_the_values_of_the_page_can_be_installed_on_each_version() -> None:
    chart = render(VALUES)

    for version in (OLDEST, NEWEST):
        assert [problem for found in chart.objects for problem in misfits(found, version)] == []


def test_the_values_name_what_the_files_make() -> None:
    kafka, clickhouse = objects("kafka.yaml"), objects("clickhouse.yaml")["ClickHouseInstallation"]
    users, cluster = clickhouse["spec"]["configuration"]["users"], kafka["Kafka"]["metadata"]["name"]
    [listener] = kafka["Kafka"]["spec"]["kafka"]["listeners"]
    settings, secrets = VALUES["settings"], VALUES["secrets"]

    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == f"{cluster}-kafka-bootstrap:{listener['port']}"
    assert VALUES["files"]["KAFKA_SSL_CA_FILE"] == {"secret": f"{cluster}-cluster-ca-cert", "key": "ca.crt"}
    assert settings["KAFKA_SASL_MECHANISM"].lower() == listener["authentication"]["type"]
    assert kafka["KafkaUser"]["metadata"]["labels"]["strimzi.io/cluster"] == cluster
    assert kafka["KafkaUser"]["metadata"]["name"] == settings["KAFKA_SASL_USERNAME"]
    assert secrets["KAFKA_SASL_PASSWORD"] == {"secret": settings["KAFKA_SASL_USERNAME"], "key": "password"}
    assert settings["CLICKHOUSE_URL"] == f"http://clickhouse-{clickhouse['metadata']['name']}:8123"
    for setting, secret in (("CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"), ("CLICKHOUSE_READER_USER",) * 2):
        name = secrets[secret.replace("_USER", "_PASSWORD")]
        source = users[f"{settings[setting]}/password"]["valueFrom"]["secretKeyRef"]
        assert name == {"secret": source["name"], "key": source["key"]}


def test_the_commands_make_every_secret_that_no_operator_makes() -> None:
    made = {
        name: {re.split("[=/]", word.partition("=")[2])[0] for word in command if word.startswith("--from-")}
        for command in COMMANDS
        if command[:4] == ["kubectl", "create", "secret", "generic"]
        for name in [command[4]]
    }
    needed = {"log-analytics-collector": {"token"}}  # of collector.yaml
    for source in (*VALUES["secrets"].values(), *VALUES["files"].values()):
        needed.setdefault(source["secret"], set()).add(source["key"])

    assert {name: keys for name, keys in needed.items() if name in made} == made
    assert needed.keys() - made.keys() == {"log-analytics", "logs-cluster-ca-cert"}


def test_the_user_of_kafka_may_do_what_is_needed_with_the_names_of_the_settings() -> None:
    acls = {acl["resource"]["type"]: acl for acl in objects("kafka.yaml")["KafkaUser"]["spec"]["authorization"]["acls"]}
    fields = setting_names()

    assert acls["topic"]["resource"]["name"] == fields["KAFKA_TOPIC"].default
    assert acls["group"]["resource"]["name"] == fields["KAFKA_GROUP_ID"].default
    assert acls["topic"]["operations"] == ["Create", "Describe", "DescribeConfigs", "Read", "Write"]


def test_versions_are_those_of_the_compose_file() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    [template] = objects("clickhouse.yaml")["ClickHouseInstallation"]["spec"]["templates"]["podTemplates"]

    assert f"image: {template['spec']['containers'][0]['image']}\n" in compose
    assert f"image: apache/kafka:{objects('kafka.yaml')['Kafka']['spec']['kafka']['version']}\n" in compose


def test_only_the_service_reaches_clickhouse() -> None:
    policy = objects("clickhouse.yaml")["NetworkPolicy"]
    [rule] = policy["spec"]["ingress"]
    [service, _operator] = [peer["podSelector"]["matchLabels"] for peer in rule["from"]]
    labels = [render(VALUES).one("Deployment", f"-{part}")["spec"]["template"]["metadata"]["labels"] for part in PARTS]

    assert list(misfits(policy, NEWEST)) == []
    assert all(service.items() <= of_pod.items() for of_pod in labels)
