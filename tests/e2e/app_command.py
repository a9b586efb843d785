"""Runs commands of `python -m app` as a user does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.paths import ROOT
from local.service import as_shipped

TIMEOUT_SECS = 120


def run_app(*arguments: str, environment: Mapping[str, str], code: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command with exactly this environment, as it is shipped; `code` is the directory of the program."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=as_shipped(environment),
        cwd=code,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECS,
        check=False,
    )
