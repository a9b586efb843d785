"""Cloud Run: the README's commands, checked with bash and gcloud, and service.yaml, decoded by gcloud."""

import importlib
import inspect
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.access.principal import Right
from app.access.token_lines import read_tokens
from app.environment import read_settings, setting_names
from local.paths import ROOT

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


def _sdk() -> Path | None:
    gcloud = shutil.which("gcloud")
    return Path(gcloud).resolve().parents[1] if gcloud else None


needs_sdk = pytest.mark.skipif(_sdk() is None, reason="the Google Cloud SDK is not installed")


def test_the_readme_fills_in_every_placeholder(rehearsal: Rehearsal) -> None:
    assert re.findall("|".join(PLACEHOLDERS), str(rehearsal.service)) == []


def test_the_image_that_is_pushed_is_the_one_that_is_deployed(rehearsal: Rehearsal) -> None:
    [pushed] = [call[-1] for call in rehearsal.calls if call[:2] == ["docker", "push"]]
    [submitted] = [word for call in rehearsal.calls for word in call if word.startswith("--tag=")]
    assert {pushed, submitted.removeprefix("--tag=")} == {rehearsal.container["image"]}


@needs_sdk
def test_gcloud_decodes_every_field(rehearsal: Rehearsal) -> None:
    messages, decode = _decoder()
    decode(rehearsal.service, messages.Service)


@needs_sdk
def test_gcloud_would_notice_a_misspelt_field(rehearsal: Rehearsal) -> None:
    messages, decode = _decoder()
    misspelt = {**rehearsal.service, "spec": {"templat": {}}}
    with pytest.raises(Exception, match="templat"):
        decode(misspelt, messages.Service)


@needs_sdk
def test_annotations_are_known_to_gcloud_at_their_position(rehearsal: Rehearsal) -> None:
    messages, _ = _decoder()
    text = re.sub(r"-\n\s+", "-", inspect.getdoc(messages.ObjectMeta) or "")
    known = dict(re.findall(r"`([a-z.]+/[\w-]+)`:\s+([\w, \n]+)", text))
    service = rehearsal.service
    for level, metadata in (("Service", service["metadata"]), ("Revision", service["spec"]["template"]["metadata"])):
        assert [name for name in metadata["annotations"] if level not in known.get(name, "")] == []


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


@needs_sdk
def test_commands_of_the_readme_exist_with_their_flags(rehearsal: Rehearsal) -> None:
    commands = [call for call in rehearsal.calls if call[0] == "gcloud"]
    assert len(commands) > 10
    assert [problem for command in commands for problem in _problems(command)] == []


@needs_sdk
@pytest.mark.parametrize(
    "command", ["gcloud run services replaces x", "gcloud run services replace x --regio=y", "gcloud run services"]
)
def test_a_wrong_command_would_be_noticed(command: str) -> None:
    assert list(_problems(shlex.split(command))) != []


def _decoder() -> tuple[Any, Any]:
    # At the end: the SDK carries old copies of common packages.
    sys.path.extend(path for path in (f"{_sdk()}/lib", f"{_sdk()}/lib/third_party") if path not in sys.path)
    messages = importlib.import_module("googlecloudsdk.generated_clients.apis.run.v1.run_v1_messages")
    decoding = importlib.import_module("googlecloudsdk.api_lib.util.messages")
    return messages, decoding.DictToMessageWithErrorCheck


@cache
def _table() -> dict[str, Any]:
    """Commands and flags of gcloud's completion."""
    table: dict[str, Any] = runpy.run_path(f"{_sdk()}/data/cli/gcloud_completions.py")["STATIC_COMPLETION_CLI_TREE"]
    return table


def _problems(command: list[str]) -> Iterator[str]:
    """Parts of a command line that gcloud does not know."""
    node = _table()
    flags = []
    for word in command[1:]:
        if word.startswith("--"):
            flags.append(word.partition("=")[0])
        else:
            node = node["commands"].get(word, node)
    if node["commands"]:
        yield f"{shlex.join(command)}: not a whole command"
    for flag in flags:
        if flag not in {**_table()["flags"], **node["flags"]}:
            yield f"{shlex.join(command)}: {flag} is not known"
