"""What the pages for Cloud Run make when somebody follows them: the calls of programs, and the files filled in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.paths import ROOT

PAGES = ("cloudrun/README.md", "cloudrun/worker-pool.md", "managed/google-managed-kafka.md")
FILES = {
    "service.yaml": "log-analytics.yaml",
    "front.yaml": "log-front.yaml",
    "ingest.yaml": "log-ingest.yaml",
    "job.yaml": "log-job.yaml",
    "receivers.yaml": "log-receivers.yaml",
}
"""The files of deploy/cloudrun, and one that a page makes of them, and as what the pages save them."""

# Replaces gcloud, docker, curl and rm: records its arguments without output.
_NOTE_TAKER = r"""#!/bin/sh
{ printf '%s\037' "${0##*/}" "$@"; echo; } >> "$NOTES"
"""


@dataclass(frozen=True)
class Resource:
    """A Service, a WorkerPool or a Job."""

    description: dict[str, Any]

    @property
    def annotations(self) -> dict[str, str]:
        """Those of the resource itself."""
        annotations: dict[str, str] = self.description["metadata"].get("annotations", {})
        return annotations

    @property
    def template(self) -> dict[str, Any]:
        """What its revisions are made of."""
        template: dict[str, Any] = self.description["spec"]["template"]
        return template

    @property
    def instance(self) -> dict[str, Any]:
        """What an instance consists of; a job has tasks in place of instances, which its executions are made of."""
        spec: dict[str, Any] = self.template["spec"]
        return dict(spec["template"]["spec"]) if self.description["kind"] == "Job" else spec

    @property
    def container(self) -> dict[str, Any]:
        """The one container."""
        [container] = self.instance["containers"]
        assert isinstance(container, dict)
        return container

    @property
    def secrets(self) -> set[str]:
        """The secrets that it reads, as variables and as files."""
        volumes = self.instance.get("volumes", ())
        return {*secrets_in(self.container["env"]), *(volume["secret"]["secretName"] for volume in volumes)}


@dataclass(frozen=True)
class Rehearsal:
    """The result of following the pages."""

    calls: list[list[str]]
    resources: Mapping[str, Resource]

    def gcloud(self, *words: str) -> list[list[str]]:
        """Arguments of the calls of gcloud that begin with these words."""
        begin = ["gcloud", *words]
        return [call[len(begin) :] for call in self.calls if call[: len(begin)] == begin]


def rehearse(folder: Path) -> Rehearsal:
    """Run all blocks of the pages in one shell, with stand-ins for what would leave this machine."""
    for program in ("gcloud", "docker", "curl", "rm"):
        (folder / program).write_text(_NOTE_TAKER)
        (folder / program).chmod(0o755)
    blocks = [block for page in PAGES for block in bash_blocks(page)]
    script = "\n".join(blocks).replace("/tmp/", f"{folder}/")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "NOTES": str(folder / "notes")}
    passwords = b"a password\n" * script.count("read -rs")
    subprocess.run(["bash", "-eu", "-c", script], env=environment, cwd=ROOT, input=passwords, check=True)
    notes = (folder / "notes").read_text().splitlines()
    resources = {name: Resource(yaml.safe_load((folder / saved).read_text())) for name, saved in FILES.items()}
    return Rehearsal([line.split("\037")[:-1] for line in notes], resources)


def bash_blocks(page: str) -> list[str]:
    """The commands of a page of deploy/."""
    return re.findall(r"^```bash\n(.*?)^```$", _text(page), re.MULTILINE | re.DOTALL)


def variables_in(page: str) -> list[dict[str, Any]]:
    """The environment variables that a page of deploy/ puts into a container."""
    [block] = re.findall(r"^```yaml\n(- name: .*?)^```$", _text(page), re.MULTILINE | re.DOTALL)
    variables: list[dict[str, Any]] = yaml.safe_load(block)
    return variables


def secrets_in(variables: list[dict[str, Any]]) -> set[str]:
    """The secrets that variables are read from."""
    return {variable["valueFrom"]["secretKeyRef"]["name"] for variable in variables if "valueFrom" in variable}


def environment_of(variables: list[dict[str, Any]], files: Path) -> dict[str, str]:
    """The variables as a process gets them: something long for each secret, and an empty file for each mounted one."""
    environment = {variable["name"]: str(variable.get("value", "secret" * 6)) for variable in variables}
    for name, value in environment.items():
        if name.endswith("_FILE"):
            environment[name] = str(files / Path(value).name)
            Path(environment[name]).touch()
    return environment


def _text(page: str) -> str:
    return (ROOT / "deploy" / page).read_text(encoding="utf-8")
