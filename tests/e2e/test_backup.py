"""The page on backups, as it is written: back up while logs come in, lose the table, restore, read the rest again."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from local.paths import ROOT
from tests.e2e.app_command import TIMEOUT_SECS, run_app
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.stack

PAGE = (ROOT / "docs/backup.md").read_text()
[FULL, NEW, RENAME, RESTORE] = re.findall(r"^ *(curl .* \"(?:BACKUP|RENAME|RESTORE) .*)$", PAGE, re.MULTILINE)
[AUDIT] = re.findall(r"^ *\.venv/bin/python -m app (audit .*)$", PAGE, re.MULTILINE)
LINES = 200


def run(pipeline: Pipeline, command: str) -> None:
    """Run a command of the page, in the database of these tests, with backups of its own."""
    mine = command.replace("logs.", f"{pipeline.database}.").replace(
        "'backups', '", f"'backups', '{pipeline.database}-"
    )
    environment = pipeline.environment()
    done = subprocess.run(
        ["bash", "-c", mine],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lost_table_is_whole_again(pipeline: Pipeline) -> None:
    lines = [f"INFO line {number}" for number in range(LINES)]
    service = pipeline.start_service()
    pipeline.send(lines[:50])
    pipeline.wait_for_rows(50)
    run(pipeline, FULL)
    pipeline.send(lines[50:100])
    pipeline.wait_for_rows(100)
    run(pipeline, NEW)
    pipeline.send(lines[100:])
    pipeline.wait_for_rows(LINES)
    pipeline.wait_until_committed(service)
    service.stop()

    run(pipeline, RENAME)
    run(pipeline, RESTORE)
    assert pipeline.row_count() == 100
    audit = run_app(*AUDIT.split(), environment=pipeline.environment())
    assert audit.returncode == 1, audit.stdout
    commands = re.findall(r"^ *\S*python\S* -m (kafka\.admin .*)$", audit.stdout, re.MULTILINE)
    assert commands, audit.stdout
    for command in commands:
        subprocess.run([sys.executable, "-m", *command.split()], check=True, capture_output=True, timeout=TIMEOUT_SECS)

    service.start()
    pipeline.wait_for_rows(LINES)
    pipeline.require_once(lines, service)
    audit = run_app(*AUDIT.split(), environment=pipeline.environment())
    assert audit.returncode == 0, audit.stdout
