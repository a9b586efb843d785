"""Cloud Run: its pages, followed with stand-ins for gcloud, docker and curl, and its YAML, decoded by gcloud."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access.principal import Right
from app.access.token_lines import read_tokens
from app.environment import read_settings, setting_names
from local.paths import ROOT
from tests.support.cloud_run_messages import decode, known_annotations, misplaced_annotations
from tests.support.cloudrun import FILES, Rehearsal, environment_of, rehearse, secrets_in, variables_in
from tests.support.gcloud_facts import sdk_folder
from tests.support.gcloud_lines import known_facts, problems

SERVICES = ("service.yaml", "front.yaml")
READERS_OF_KAFKA = ("service.yaml", "ingest.yaml")
PARTITIONS = 4  # of a topic that the service creates

needs_sdk = pytest.mark.skipif(sdk_folder() is None, reason="the Google Cloud SDK is not installed")
of_each_file = pytest.mark.parametrize("file", FILES)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return rehearse(tmp_path_factory.mktemp("cloudrun"))


@of_each_file
def test_the_image_that_is_pushed_is_the_one_that_is_deployed(rehearsal: Rehearsal, file: str) -> None:
    [pushed] = [call[-1] for call in rehearsal.calls if call[:2] == ["docker", "push"]]
    [[tag, _]] = rehearsal.gcloud("builds", "submit")
    assert {pushed, tag.removeprefix("--tag=")} == {rehearsal.resources[file].container["image"]}


@needs_sdk
@of_each_file
def test_gcloud_decodes_every_field(rehearsal: Rehearsal, file: str) -> None:
    decode(rehearsal.resources[file].description)


@needs_sdk
def test_gcloud_would_notice_a_misspelt_field(rehearsal: Rehearsal) -> None:
    misspelt = {**rehearsal.resources["service.yaml"].description, "spec": {"templat": {}}}
    with pytest.raises(Exception, match="templat"):
        decode(misspelt)


@needs_sdk
@of_each_file
def test_annotations_are_known_to_gcloud_at_their_position(rehearsal: Rehearsal, file: str) -> None:
    assert list(misplaced_annotations(rehearsal.resources[file].description)) == []


@needs_sdk
def test_annotations_that_the_pages_name_are_known_to_gcloud(rehearsal: Rehearsal) -> None:
    assert "run.googleapis.com/cpu-throttling" not in known_annotations("Service")
    known = known_annotations("Service") | known_annotations("Revision")
    pages = [path.read_text(encoding="utf-8") for path in ROOT.glob("deploy/*/*.md")]
    named = {name for page in pages for name in re.findall(r"run\.googleapis\.com/[a-zA-Z-]+", page)}
    assert len(named) > 3
    assert named - known == set()


@pytest.mark.parametrize(
    ("file", "roles"),
    [
        ("service.yaml", ("ingest", "query", "receive")),
        ("front.yaml", ("query", "receive")),
        ("ingest.yaml", ("ingest",)),
        ("job.yaml", ("ingest", "query", "receive")),
        ("receivers.yaml", ("receive",)),
    ],
)
def test_settings_exist_and_are_accepted(
    rehearsal: Rehearsal, file: str, roles: tuple[str, ...], tmp_path: Path
) -> None:
    environment = environment_of(rehearsal.resources[file].container["env"], tmp_path)
    assert set(environment) <= set(setting_names())
    settings = read_settings(environment)
    assert settings.service.roles == roles
    assert settings.auth.needs_token == (file != "ingest.yaml")
    assert settings.kafka.security_protocol == "SASL_SSL"
    assert settings.clickhouse.url.startswith("https://")
    assert settings.receive.keys


@of_each_file
def test_files_are_in_a_volume_that_is_mounted(rehearsal: Rehearsal, file: str) -> None:
    resource = rehearsal.resources[file]
    [volume] = resource.instance["volumes"]
    [mount] = resource.container["volumeMounts"]
    mounted = {f"{mount['mountPath']}/{item['path']}" for item in volume["secret"]["items"]}
    named = {entry["value"] for entry in resource.container["env"] if entry["name"].endswith("_FILE")}
    assert mount["name"] == volume["name"]
    assert named == mounted


def test_each_secret_is_made_may_be_read_and_is_deleted_at_the_end(rehearsal: Rehearsal) -> None:
    read = {secret for resource in rehearsal.resources.values() for secret in resource.secrets}
    made = {call[0] for call in rehearsal.gcloud("secrets", "create")}
    granted = {call[0] for call in rehearsal.gcloud("secrets", "add-iam-policy-binding")}
    deleted = {call[0] for call in rehearsal.gcloud("secrets", "delete")}
    assert made == granted == deleted == read


def test_the_tokens_of_the_page_are_those_that_the_service_accepts(rehearsal: Rehearsal) -> None:
    [file] = [call[1] for call in rehearsal.gcloud("secrets", "create") if call[0] == "log-analytics-tokens"]
    tokens = read_tokens(Path(file.removeprefix("--data-file=")).read_text())
    sent = [word.removeprefix("Authorization: Bearer ") for call in rehearsal.calls for word in call]
    found = [token for secret in sent if (token := tokens.of_secret(secret, datetime.now(UTC)))]
    # /health shows reasons only to those who may read; then a log is sent and read back.
    assert [token.rights for token in found] == [(Right.READ,), (Right.INGEST,), (Right.READ,)]


@pytest.mark.parametrize("file", READERS_OF_KAFKA)
def test_what_reads_from_kafka_has_a_fixed_number_of_instances(rehearsal: Rehearsal, file: str) -> None:
    resource = rehearsal.resources[file]
    assert resource.annotations["run.googleapis.com/scalingMode"] == "manual"
    assert 1 <= int(resource.annotations["run.googleapis.com/manualInstanceCount"]) <= PARTITIONS
    everywhere = {**resource.annotations, **resource.template["metadata"]["annotations"]}
    assert [name for name in everywhere if name.endswith(("/minScale", "/maxScale"))] == []


def test_receivers_of_their_own_check_tokens_alone(rehearsal: Rehearsal) -> None:
    receivers = rehearsal.resources["receivers.yaml"]
    assert receivers.description["metadata"]["name"] == "log-receivers"
    assert receivers.annotations["run.googleapis.com/invoker-iam-disabled"] == "true"


def test_commands_run_with_the_settings_of_the_service(rehearsal: Rehearsal) -> None:
    job, service = (rehearsal.resources[file].container for file in ("job.yaml", "service.yaml"))
    assert job["env"] == [variable for variable in service["env"] if not variable["name"].startswith("HTTP_")]
    assert (job["command"], job["image"]) == (["sh", "-c"], service["image"])
    assert job["args"] == ["python -m app check"]


def test_the_service_keeps_its_cpu_between_requests(rehearsal: Rehearsal) -> None:
    for file in SERVICES:
        annotations = rehearsal.resources[file].template["metadata"]["annotations"]
        assert annotations["run.googleapis.com/cpu-throttling"] == "false"


def test_a_live_tail_may_last_as_long_as_cloud_run_lets_it(rehearsal: Rehearsal) -> None:
    assert {rehearsal.resources[file].template["spec"]["timeoutSeconds"] for file in SERVICES} == {3600}


@pytest.mark.parametrize("file", [*SERVICES, "ingest.yaml"])
def test_probes_check_liveness_of_the_service_and_not_of_kafka(rehearsal: Rehearsal, file: str) -> None:
    container = rehearsal.resources[file].container
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {"/live"}


def test_the_commands_that_run_are_known_to_gcloud(rehearsal: Rehearsal) -> None:
    """With what the shell makes of them; tests/unit/deploy/test_gcloud_lines.py reads them as they are written."""
    commands = [call for call in rehearsal.calls if call[0] == "gcloud"]
    assert len(commands) > 30
    assert [problem for command in commands for problem in problems(command, known_facts())] == []


@pytest.mark.parametrize(
    ("page", "replaced"),
    [("google-managed-kafka", "KAFKA_"), ("confluent-cloud", "KAFKA_"), ("clickhouse-cloud", "CLICKHOUSE_")],
)
def test_settings_of_a_managed_service_are_accepted_in_place_of_ours(
    rehearsal: Rehearsal, page: str, replaced: str, tmp_path: Path
) -> None:
    ours = rehearsal.resources["service.yaml"]
    theirs = variables_in(f"managed/{page}.md")
    kept = [v for v in ours.container["env"] if not v["name"].startswith(replaced) or "BOOTSTRAP" in v["name"]]
    environment = environment_of([*kept, *theirs], tmp_path) | {"CLICKHOUSE_URL": "https://host:8443"}

    assert set(environment) <= set(setting_names())
    read_settings(environment)
    assert secrets_in(theirs) <= ours.secrets


def test_a_name_that_is_not_set_stops_the_filling_in() -> None:
    done = _filled({"PROJECT_ID": "p"})
    assert done.returncode == 1
    assert "needs CLICKHOUSE_URL: export CLICKHOUSE_URL=" in done.stderr


def test_values_may_hold_what_sed_would_take_for_its_own() -> None:
    names = ("PROJECT_ID", "NETWORK", "SUBNET", "KAFKA_SERVERS", "CLICKHOUSE_URL")
    done = _filled({**dict.fromkeys(names, "x"), "IMAGE": r"a|b&c\d/e"})
    assert r"- image: a|b&c\d/e" in done.stdout


def _filled(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["sh", "deploy/cloudrun/fill.sh", "deploy/cloudrun/service.yaml"]
    path = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=ROOT, env=path | environment, capture_output=True, text=True, check=False)
