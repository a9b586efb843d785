"""Cloud Run: the README's commands, checked with bash and gcloud, and service.yaml, decoded by gcloud."""

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.access.principal import Right
from app.access.token_lines import read_tokens
from app.environment import read_settings, setting_names
from local.paths import ROOT
from tests.support.cloud_run_messages import decode, misplaced_annotations
from tests.support.gcloud_facts import sdk_folder
from tests.support.gcloud_lines import known_facts, problems

PLACEHOLDERS = ("PROJECT_ID", "REGION", "KAFKA_CLUSTER", "CLICKHOUSE_HOST", "VERSION")

# Replaces gcloud, docker and curl: records its arguments without output.
NOTE_TAKER = r"""#!/bin/sh
{ printf '%s\037' "${0##*/}" "$@"; echo; } >> "$NOTES"
"""


@dataclass(frozen=True)
class Rehearsal:
    """The result of following the README: the called programs, and the filled service.yaml."""

    calls: list[list[str]]
    service: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """The one container."""
        [container] = self.service["spec"]["template"]["spec"]["containers"]
        assert isinstance(container, dict)
        return container


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    folder = tmp_path_factory.mktemp("cloudrun")
    for program in ("gcloud", "docker", "curl"):
        (folder / program).write_text(NOTE_TAKER)
        (folder / program).chmod(0o755)
    readme = (ROOT / "deploy/cloudrun/README.md").read_text().replace("/tmp/", f"{folder}/")
    blocks = re.findall(r"^```bash\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "NOTES": str(folder / "notes")}
    command = ["bash", "-eu", "-c", "\n".join(blocks)]
    subprocess.run(command, env=environment, cwd=ROOT, input=b"a password\n", check=True)
    notes = (folder / "notes").read_text().splitlines()
    return Rehearsal([line.split("\037")[:-1] for line in notes], yaml.safe_load((folder / "service.yaml").read_text()))


needs_sdk = pytest.mark.skipif(sdk_folder() is None, reason="the Google Cloud SDK is not installed")


def test_the_readme_fills_in_every_placeholder(rehearsal: Rehearsal) -> None:
    assert re.findall("|".join(PLACEHOLDERS), str(rehearsal.service)) == []


def test_the_image_that_is_pushed_is_the_one_that_is_deployed(rehearsal: Rehearsal) -> None:
    [pushed] = [call[-1] for call in rehearsal.calls if call[:2] == ["docker", "push"]]
    [submitted] = [word for call in rehearsal.calls for word in call if word.startswith("--tag=")]
    assert {pushed, submitted.removeprefix("--tag=")} == {rehearsal.container["image"]}


@needs_sdk
def test_gcloud_decodes_every_field(rehearsal: Rehearsal) -> None:
    decode(rehearsal.service)


@needs_sdk
def test_gcloud_would_notice_a_misspelt_field(rehearsal: Rehearsal) -> None:
    misspelt = {**rehearsal.service, "spec": {"templat": {}}}
    with pytest.raises(Exception, match="templat"):
        decode(misspelt)


@needs_sdk
def test_annotations_are_known_to_gcloud_at_their_position(rehearsal: Rehearsal) -> None:
    assert list(misplaced_annotations(rehearsal.service)) == []
    metadata = {"annotations": {"run.googleapis.com/cpu-throttling": "false"}}
    misplaced = misplaced_annotations({**rehearsal.service, "metadata": metadata})
    assert list(misplaced) == ["run.googleapis.com/cpu-throttling on Service"]


def test_settings_exist_and_are_accepted(rehearsal: Rehearsal) -> None:
    environment = {variable["name"]: variable.get("value", "secret" * 6) for variable in rehearsal.container["env"]}
    assert set(environment) <= set(setting_names())
    settings = read_settings(environment)
    assert settings.auth.needs_token
    assert settings.kafka.security_protocol == "SASL_SSL"
    assert settings.clickhouse.url.startswith("https://")


def test_the_secrets_are_those_that_the_readme_makes(rehearsal: Rehearsal) -> None:
    made = [call[3] for call in rehearsal.calls if call[:3] == ["gcloud", "secrets", "create"]]
    read = {
        variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in rehearsal.container["env"]
        if "valueFrom" in variable
    }
    assert read == set(made)
    assert len(made) == 3


def test_the_token_of_the_readme_is_one_that_the_service_accepts(rehearsal: Rehearsal) -> None:
    [shown] = [word for call in rehearsal.calls for word in call if word.startswith("X-Api-Key: ")]
    [file] = [
        call[4] for call in rehearsal.calls if call[:4] == ["gcloud", "secrets", "create", "log-analytics-tokens"]
    ]

    found = read_tokens(Path(file.removeprefix("--data-file=")).read_text()).of_secret(
        shown.removeprefix("X-Api-Key: "), datetime.now(UTC)
    )

    assert found is not None
    assert found.rights == (Right.READ,)


def test_the_consumer_keeps_its_cpu_and_one_instance(rehearsal: Rehearsal) -> None:
    template = rehearsal.service["spec"]["template"]
    assert template["metadata"]["annotations"]["run.googleapis.com/cpu-throttling"] == "false"
    assert int(rehearsal.service["metadata"]["annotations"]["run.googleapis.com/minScale"]) >= 1


def test_probes_check_liveness_of_the_service_and_not_of_kafka(rehearsal: Rehearsal) -> None:
    probes = [rehearsal.container["startupProbe"], rehearsal.container["livenessProbe"]]
    assert {probe["httpGet"]["path"] for probe in probes} == {"/live"}


def test_the_commands_that_run_are_known_to_gcloud(rehearsal: Rehearsal) -> None:
    """With what the shell makes of them; tests/unit/deploy/test_gcloud_lines.py reads them as they are written."""
    commands = [call for call in rehearsal.calls if call[0] == "gcloud"]
    assert len(commands) > 10
    assert [problem for command in commands for problem in problems(command, known_facts())] == []
