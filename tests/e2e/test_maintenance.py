"""The commands of docs/maintenance.md as they are written there, on a real topic and a real table."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from local.paths import ROOT
from tests.e2e.app_command import run_app
from tests.e2e.pipeline import PARTITIONS, Pipeline

pytestmark = pytest.mark.stack

PAGE = (ROOT / "docs/maintenance.md").read_text(encoding="utf-8")
LINES = 20


def commands(heading: str) -> list[list[str]]:
    """The commands below a heading, as arguments of `python -m app`."""
    [section] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    return [shlex.split(line)[3:] for line in blocks.splitlines() if "-m app" in line]


def run(pipeline: Pipeline, arguments: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    done = run_app(*arguments, environment={**pipeline.environment(), **settings})
    assert done.stderr == ""
    return done


def read_again_from_the_beginning(pipeline: Pipeline) -> None:
    """Set all offsets back, and have an instance read up to the end."""
    for partition in range(PARTITIONS):
        words = f"groups reset-offsets -g {pipeline.topic} -p {pipeline.topic}:{partition} --to-offset 0".split()
        command = [sys.executable, "-m", "kafka.admin", "-b", pipeline.kafka.bootstrap_servers, *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    again = pipeline.new_service()
    again.start()
    pipeline.wait_until_committed(again)
    again.stop()


@pytest.fixture(scope="module")
def pipeline(shared_pipeline: Pipeline) -> Pipeline:
    """A table with some logs, whose instance has stopped."""
    shared_pipeline.store([f"INFO line {number}" for number in range(LINES)])
    return shared_pipeline


def test_rejected_rows_are_stored_anew(pipeline: Pipeline) -> None:
    look, reprocess, audit = commands("Rejected rows, with a better parser")
    # As a parser has stored them that understood neither the line nor another topic's JSON.
    pipeline.query(
        f"ALTER TABLE {pipeline.database}.logs UPDATE Body = '?', ParseError = 'json: not valid'"
        " WHERE Body = 'INFO line 3' SETTINGS mutations_sync = 1"
    )
    pipeline.query(
        f"INSERT INTO {pipeline.database}.logs (Timestamp, _topic, _topic_id, _items, ParseError, _raw)"
        " VALUES (now64(9), 'gone', 'gone', 1, 'json: not valid', '{\"message\": \"of a deleted topic\"}')"
    )

    assert "today's parser would understand 2" in run(pipeline, look).stdout
    assert "2 rows stored anew, with 0 rows left as before." in run(pipeline, reprocess).stdout.splitlines()
    assert "0 rows stored anew, with 0 rows left as before." in run(pipeline, reprocess).stdout.splitlines()

    audited = run(pipeline, audit)
    assert (audited.returncode, "nothing is missing or duplicated" in audited.stdout) == (0, True)
    found = pipeline.query("SELECT Body, _raw, _revision > 0 AS is_new FROM logs.logs ORDER BY is_new, Body")
    assert [row["Body"] for row in found if row["is_new"]] == ["INFO line 3", "of a deleted topic"]
    assert [row["_raw"] for row in found if row["is_new"]][1] == '{"message": "of a deleted topic"}'
    assert len(found) == LINES + 1


def test_the_logs_of_a_user_are_deleted_and_do_not_come_back(pipeline: Pipeline) -> None:
    count, delete, audit = commands("The logs of one user")
    service = pipeline.new_service()
    service.start()
    before = pipeline.row_count()
    pipeline.send([f'{{"message": "a log of {user}", "user_id": "{user}"}}' for user in ("4711", "4712", "4711")])
    pipeline.wait_for_rows(before + 3)
    pipeline.wait_until_committed(service)
    service.stop()

    counted = run(pipeline, count)
    assert "2 logs of the user '4711'." in counted.stdout.splitlines()
    assert pipeline.row_count() == before + 3
    assert "Deleted." in run(pipeline, delete).stdout
    assert pipeline.row_count() == before + 1

    read_again_from_the_beginning(pipeline)

    assert pipeline.row_count() == before + 1
    audited = run(pipeline, audit)
    assert (audited.returncode, "nothing is missing or duplicated" in audited.stdout) == (0, True)
    assert "removed" in audited.stdout


def test_what_has_expired_by_the_rule_of_its_service_is_removed_and_does_not_come_back(pipeline: Pipeline) -> None:
    look, apply, audit = commands("Retention per service")
    service = pipeline.new_service()
    service.start()
    before = pipeline.row_count()
    days_ago = {days: (datetime.now(UTC) - timedelta(days=days)).isoformat() for days in (1, 5)}
    pipeline.send(
        [
            json.dumps({"message": "a log", "service": name, "timestamp": days_ago[days]})
            for name, days in (("debug-api", 5), ("debug-api", 1), ("payments", 5), ("shop", 5))
        ]
    )
    pipeline.wait_for_rows(before + 4)
    pipeline.wait_until_committed(service)
    service.stop()
    [rules] = re.findall(r"^export RETENTION_DAYS_BY_SERVICE='(.*)'$", PAGE, re.MULTILINE)

    shown = run(pipeline, look, RETENTION_DAYS_BY_SERVICE=rules).stdout
    assert f"  {days_ago[5][:10]} debug-api: 1 log (rule debug-*:3)" in shown.splitlines()
    assert pipeline.row_count() == before + 4
    assert "Removed: " in run(pipeline, apply, RETENTION_DAYS_BY_SERVICE=rules).stdout
    assert pipeline.row_count() == before + 3

    read_again_from_the_beginning(pipeline)

    assert pipeline.row_count() == before + 3
    audited = run(pipeline, audit)
    assert (audited.returncode, "nothing is missing or duplicated" in audited.stdout) == (0, True)
