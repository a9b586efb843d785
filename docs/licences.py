"""The table of licences.md: the packages of requirements.txt, with the licences that they state."""

import json
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# As SPDX names them. Some packages state theirs by the classifiers of PyPI alone, or in words of their own.
_OF_NAMES = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: MIT License": "MIT",
    "3-Clause BSD License": "BSD-3-Clause",
}


def licences() -> dict[str, str]:
    """The licence of each package that is shipped, by its name, as CycloneDX's tool finds it in this environment.

    Packages that this version of Python does not need are left out.

    Raises:
        subprocess.CalledProcessError: the tool failed.
    """
    # Not validated, which takes ten times as long as all else: only licences are read, and `make sbom` validates.
    options = ["--no-validate", "--of", "JSON"]
    command = [sys.executable, "-m", "cyclonedx_py", "environment", *options, sys.executable]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    installed = {_normal(component["name"]): component for component in found["components"]}
    return {name: _licence(installed[name]) for name in _shipped() if name in installed}


def table() -> str:
    """Every package with its licence."""
    lines = ["| package | licence |", "|---|---|"]
    lines += [f"| {name} | {licence} |" for name, licence in licences().items()]
    return "\n" + "\n".join(lines) + "\n"


def _shipped() -> list[str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [_normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[\S+\])?==", text, re.MULTILINE)]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(component: dict[str, list[dict[str, object]]]) -> str:
    """The first statement is the most exact one."""
    for stated in component.get("licenses", []):
        if "expression" in stated:
            return str(stated["expression"])
        licence = stated["license"]
        assert isinstance(licence, dict)
        name = licence.get("id") or _OF_NAMES.get(licence.get("name", ""))
        if name:
            return str(name)
    # The tool leaves out what is neither of SPDX nor a classifier.
    words = metadata(str(component["name"])).get_all("License") or [""]
    return _OF_NAMES.get(words[0], "unknown")
