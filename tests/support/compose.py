"""Loads the compose files with the real Compose."""

import json
import os
from functools import cache
from typing import Any

from local.paths import ROOT
from tests.support.programs import run_program

KRAFT = ("docker-compose.yml",)
ZOOKEEPER = ("docker-compose.yml", "docker-compose.zookeeper.yml")


@cache
def services(files: tuple[str, ...]) -> dict[str, Any]:
    """All services of the merged files, with every profile and an empty environment."""
    options = [option for name in files for option in ("--file", str(ROOT / name))]
    command = [*options, "--profile", "*", "config", "--format", "json"]
    merged = json.loads(run_program("docker-compose", *command, environment={"PATH": os.environ["PATH"]}))
    found: dict[str, Any] = merged["services"]
    return found
