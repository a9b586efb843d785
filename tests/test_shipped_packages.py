"""The service runs with the packages of requirements.txt alone, as in the image: here more of them are installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from local.paths import ROOT
from local.service import as_shipped, clean_environment

_MODULES = """
import sys
before = set(sys.modules)
import app.build.service, app.serve
print(*{name.partition(".")[0] for name in sys.modules.keys() - before if getattr(sys.modules[name], "__file__", None)})
"""
_MANY = {f"key-{number}": "x" for number in range(20)}
_LONG = {"k" * 300: "x"}


def run(*arguments: str | Path, environ: Mapping[str, str]) -> str:
    """What a Python with these arguments prints."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_service_imports_only_packages_that_are_shipped() -> None:
    shipped = set(re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    owners = packages_distributions()

    modules = run("-c", _MODULES, environ=as_shipped(os.environ)).split()

    found = {re.sub(r"[-_.]+", "-", owner).lower() for module in modules for owner in owners.get(module, [])}
    assert {"pyarrow", "confluent-kafka"} & found
    assert found - shipped == set()


@pytest.mark.parametrize(
    ("event", "settings", "expected"),
    [
        ({"message": "m"}, {}, "message"),
        ({"message": "m", "password": "hunter2"}, {"MASK": "passwords"}, "[masked:passwords]"),
        ({"message": "m", **_MANY}, {"MAX_ATTRIBUTES": "10"}, "log.overflow"),
        ({"message": "m", **_LONG}, {}, "log.overflow"),
    ],
    ids=["an event", "masked", "many attributes", "long names"],
)
def test_records_are_read_with_them_alone(
    event: Mapping[str, str], settings: Mapping[str, str], expected: str, tmp_path: Path
) -> None:
    (file := tmp_path / "events.json").write_text(json.dumps(event))

    assert expected in run("-m", "app", "explain", file, environ=clean_environment(os.environ, settings))
