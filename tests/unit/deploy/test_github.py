"""The files that GitHub reads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.paths import ROOT
from tests.support.programs import run

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job.get("steps", ())]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", WORKFLOWS),
        ("github-issue-forms", sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))),
        ("dependabot", [GITHUB / "dependabot.yml"]),
    ],
)
def test_files_are_valid(schema: str, files: list[Path]) -> None:
    assert files
    run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)])


def test_actions_are_pinned_by_commit() -> None:
    """The release stands behind it for people and for Dependabot. Our own workflows are of the same commit."""
    used = re.findall(r"\buses: (?!\./)(.*)$", TEXT, re.MULTILINE)

    assert len(used) >= 4
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line)] == []


def test_programs_targets_and_workflows_that_are_called_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    scripts = "\n".join(step.get("run", "") for workflow in WORKFLOWS for step in steps(workflow))
    programs = set(re.findall(r"(?<!\S)\.ci/[\w-]+", scripts))
    called = set(re.findall(r"\buses: \./(\S+)", TEXT))

    assert ".ci/run" in programs
    assert [name for name in programs if not os.access(ROOT / name, os.X_OK)] == []
    assert set(re.findall(r"\bmake ([a-z-]+)", scripts)) - set(targets) == set()
    assert [name for name in called if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_what_steps_run_is_a_script_without_values_pasted_into_it(workflow: Path) -> None:
    """A value with a quote in it would become part of the script; the environment hands it over as it is."""
    for step in steps(workflow):
        script = step.get("run", "")
        assert "${{" not in script
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0, script


def test_ci_has_the_python_of_the_image() -> None:
    ours = re.search(r"/python:([\d.]+)-", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert ours
    assert re.findall(r"/python:([\d.]+)-", TEXT) == [ours[1]]
