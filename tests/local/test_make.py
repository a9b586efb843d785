"""The Makefile: the Python environment, and the deletion of data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.lock import lock
from local.paths import ROOT

# A Python of any version, with pip or without: makes environments like itself, and writes down what it was run for.
STAND_IN = """#!/bin/sh
# {version}
case "$1 $2" in
"-m venv") {venv}
    mkdir -p "$3/bin"; touch "$3/pyvenv.cfg"; cp "{itself}" "$3/bin/python"; echo "venv {version}" >> runs ;;
"-m pip") echo pip >> runs ;;
-c*) shift; code="$1"; shift; exec {python} -c "import sys; sys.version = '{version}'; {pip}
$code" "$@" ;;
esac
"""


class Checkout:
    """A folder with the Makefile, and Pythons beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        shutil.copy(ROOT / "Makefile", folder)
        for name in ("requirements.txt", "requirements-local.txt"):
            (folder / name).touch()

    def python(self, version: str, *, has_pip: bool = True, venv: str = ":") -> str:
        """The path of a Python; `venv` is a shell command that may fail before it makes an environment."""
        path = self.folder / f"python-{version}-{has_pip}"
        pip = "" if has_pip else "sys.modules['pip'] = None"
        path.write_text(STAND_IN.format(version=version, venv=venv, itself=path, python=sys.executable, pip=pip))
        path.chmod(0o755)
        return str(path)

    def make(self, python: str, *variables: str, default: bool = False) -> subprocess.CompletedProcess[str]:
        """Install the packages; `default` is as if PATH led to this Python, and the user had named none."""
        makefile = self.folder / "Makefile"
        text = (ROOT / "Makefile").read_text(encoding="utf-8")
        makefile.write_text(text.replace("PYTHON ?= python3", f"PYTHON ?= {python}") if default else text)
        chosen = () if default else (f"PYTHON={python}",)
        environ = {name: value for name, value in os.environ.items() if name != "PYTHON"}
        return subprocess.run(
            ["make", ".venv/local.stamp", *chosen, *variables],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def runs(self) -> list[str]:
        """What the Pythons were run for since the last call."""
        file = self.folder / "runs"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_packages_are_installed_once(checkout: Checkout) -> None:
    python = checkout.python("3.12.1")

    assert checkout.make(python).returncode == 0
    assert checkout.runs() == ["venv 3.12.1", "pip"]
    assert checkout.make(python).returncode == 0
    assert checkout.runs() == []


def test_an_environment_without_pip_is_made_anew(checkout: Checkout) -> None:
    checkout.make(checkout.python("3.12.1", has_pip=False))
    checkout.runs()

    assert checkout.make(checkout.python("3.12.1"), default=True).returncode == 0
    assert checkout.runs() == ["venv 3.12.1", "pip"]


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.make(checkout.python("3.12.1"))
    checkout.runs()
    (checkout.venv / "bin/python").unlink()

    assert checkout.make(checkout.python("3.12.1"), default=True).returncode == 0
    assert checkout.runs() == ["venv 3.12.1", "pip"]


def test_a_chosen_python_replaces_an_environment_of_another(checkout: Checkout) -> None:
    checkout.make(checkout.python("3.12.1"))
    checkout.runs()

    assert checkout.make(checkout.python("3.13.2")).returncode == 0
    assert checkout.runs() == ["venv 3.13.2", "pip"]


def test_the_default_python_does_not_replace_a_chosen_one(checkout: Checkout) -> None:
    checkout.make(checkout.python("3.13.2"))
    checkout.runs()

    assert checkout.make(checkout.python("3.12.1"), default=True).returncode == 0
    assert checkout.runs() == []


def test_an_attempt_that_fails_leaves_nothing_behind(checkout: Checkout) -> None:
    done = checkout.make(checkout.python("3.12.1", venv='mkdir -p "$3/bin"; exit 1'))

    assert done.returncode != 0
    assert "python3-venv" in done.stdout
    assert not checkout.venv.exists()


def test_a_missing_python_is_reported_and_the_environment_stays(checkout: Checkout) -> None:
    checkout.make(checkout.python("3.12.1"))

    done = checkout.make("python-of-tomorrow")

    assert done.returncode != 0
    assert "'python-of-tomorrow' is older or missing" in done.stdout
    assert checkout.venv.exists()


# The data.


def clean(directory: Path, target: str = "clean-data") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", target, f"LOCAL_DIR={directory}", f"VENV={directory / 'venv'}", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def filled(directory: Path) -> Path:
    for name in ("kafka", "clickhouse", "log", "cache", "mine"):
        (directory / name).mkdir(parents=True)
        (directory / name / "file").touch()
    return directory


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_the_data_is_deleted_where_local_dir_says(tmp_path: Path) -> None:
    directory = filled(tmp_path / "data")

    done = clean(directory)

    assert done.returncode == 0, done.stderr
    assert str(directory) in done.stdout
    assert names_in(directory) == {"cache", "mine", "lock"}


def test_the_data_of_a_running_stack_stays(tmp_path: Path) -> None:
    directory = filled(tmp_path / "data")
    before = names_in(directory)
    held = lock(directory)
    assert held is not None

    with held:
        done = clean(directory)

    assert done.returncode != 0
    assert "A local stack is running" in done.stderr
    assert names_in(directory) - {"lock"} == before


def test_there_may_be_nothing_to_delete(tmp_path: Path) -> None:
    assert clean(tmp_path / "none").returncode == 0
    assert not (tmp_path / "none").exists()
