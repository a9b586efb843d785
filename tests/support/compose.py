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
def services(files: tuple[str, ...], **variables: str) -> dict[str, Any]:
    """All services of the merged files, with every profile and no variables but these."""
    options = [option for name in files for option in ("--file", str(ROOT / name))]
    command = [*options, "--profile", "*", "config", "--format", "json"]
    environment = {"PATH": os.environ["PATH"], "COMPOSE_DISABLE_ENV_FILE": "true", **variables}
    merged = json.loads(run_program("docker-compose", *command, environment=environment))
    found: dict[str, Any] = merged["services"]
    return found
