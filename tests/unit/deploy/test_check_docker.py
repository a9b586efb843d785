"""deploy/check-docker with stand-ins for docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import ROOT

DOCKER = """#!/bin/sh
case "$1" in
version) echo "$ENGINE" ;;
compose) echo "$COMPOSE" ;;
info) echo "$MEMORY" ;;
esac
"""


def check(
    folder: Path, *, engine: str = "28.0.4", compose: str = "2.40.3", memory: int = 8_000_000_000
) -> tuple[int, str]:
    """Exit code and what is said."""
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    (folder / "deploy").mkdir(exist_ok=True)
    program = Path(shutil.copy(ROOT / "deploy/check-docker", folder / "deploy"))
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "ENGINE": engine,
        "COMPOSE": compose,
        "MEMORY": str(memory),
    }
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("engine", "compose"),
    [("25.0.0", "2.24.4"), ("28.3.2", "v2.38.2-desktop.1"), ("29.0.0", "5.6.1"), ("100.0", "10.0.1")],
)
def test_new_versions_are_silently_accepted(tmp_path: Path, engine: str, compose: str) -> None:
    assert check(tmp_path, engine=engine, compose=compose) == (0, "")


@pytest.mark.parametrize("engine", ["20.10.24+dfsg1", "24.0.9", "9.0.0"])
def test_an_engine_that_is_too_old_is_named(tmp_path: Path, engine: str) -> None:
    code, said = check(tmp_path, engine=engine)

    assert code == 1
    assert f"Docker Engine {engine} is too old: 25.0.0" in said


@pytest.mark.parametrize("compose", ["1.29.2", "2.24.3", "v2.9.0"])
def test_a_compose_that_is_too_old_is_named(tmp_path: Path, compose: str) -> None:
    code, said = check(tmp_path, compose=compose)

    assert code == 1
    assert f"Docker Compose {compose} is too old: 2.24.4" in said


def test_little_memory_is_a_warning(tmp_path: Path) -> None:
    code, said = check(tmp_path, memory=2_076_000_000)

    assert code == 0
    assert "Docker has 2076 MB of memory" in said


@pytest.mark.skipif(sys.platform != "linux", reason="Docker for Mac gives every container the rights of the user")
def test_files_that_containers_cannot_read_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").touch(0o600)

    code, said = check(tmp_path)

    assert code == 0
    assert "Containers cannot read schema.sql: chmod -R a+rX schema.sql " in said


def test_without_docker_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", ROOT / "deploy/check-docker"], env={"PATH": str(tmp_path)}, capture_output=True, check=False
    )

    assert done.returncode == 1
    assert b"Docker is not installed" in done.stderr
