"""The statements and commands of the runbooks, on a real table and a real topic."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.e2e.pipeline import IDENTITY, Pipeline

pytestmark = pytest.mark.stack

RUNBOOKS = (ROOT / "docs/runbooks.md").read_text()
STATEMENTS = re.findall(r"^```sql\n(.*?)^```$", RUNBOOKS, re.MULTILINE | re.DOTALL)
[DELETE_COPIES] = [sql for sql in STATEMENTS if sql.startswith("DELETE")]
KAFKA_COMMANDS = sorted(set(re.findall(r"python -m kafka\.admin (?!--help)([^`\n]+)", RUNBOOKS)))
[COPY_RECORDS] = [text for text in re.findall(r"^```sh\n(.*?)^```$", RUNBOOKS, re.M | re.S) if "between.txt" in text]
LINES = 100


@pytest.fixture(scope="module")
def pipeline(shared_pipeline: Pipeline) -> Pipeline:
    """A table with some logs, whose instance has stopped."""
    shared_pipeline.store([f"INFO line {number}" for number in range(LINES)])
    return shared_pipeline


@pytest.mark.parametrize("sql", STATEMENTS, ids=lambda sql: " ".join(sql.split()[:6]))
def test_a_statement_is_one_that_clickhouse_takes(pipeline: Pipeline, sql: str) -> None:
    pipeline.query(sql)


def test_later_copies_are_deleted_and_the_first_ones_stay(pipeline: Pipeline) -> None:
    def stored() -> list[dict[str, object]]:
        return pipeline.query(
            f"SELECT count() AS rows, uniqExact{IDENTITY} AS distinct, max(_ingested) AS last FROM logs.logs"
        )

    before = stored()
    pipeline.query(
        "INSERT INTO logs.logs SELECT * REPLACE (now64(3) AS _ingested, now64(3) + 60 AS _deadline) FROM logs.logs"
    )
    assert int(str(stored()[0]["rows"])) == 2 * LINES
    assert stored()[0]["distinct"] == LINES

    pipeline.query(DELETE_COPIES)

    assert stored() == before


def here(pipeline: Pipeline, command: str) -> str:
    """A command with the names of these tests; there, they are those of `make run` and compose."""
    address = pipeline.kafka.bootstrap_servers
    named = re.sub(r"localhost:9092|kafka:19092", address, command)
    named = re.sub(r"(-n |-p |\")logs\b", rf"\g<1>{pipeline.topic}", named)
    return named.replace("-g log-ingest", f"-g {pipeline.topic}").replace("$P", "0").replace("$E", "2")


@pytest.mark.parametrize("command", KAFKA_COMMANDS)
def test_a_command_is_one_that_kafka_takes(pipeline: Pipeline, command: str) -> None:
    words = here(pipeline, command).split()

    done = subprocess.run(
        [sys.executable, "-m", "kafka.admin", *words], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert not re.search(r"'error': '(?!NoError)|error_code=[^0]", done.stdout), done.stdout


def test_records_are_copied_to_a_file(pipeline: Pipeline, tmp_path: Path) -> None:
    [first] = pipeline.query("SELECT any(_partition) AS number FROM logs.logs")
    commands = re.sub(r"P=\d+ K=\d+ E=\d+", f"P={first['number']} K=0 E=3", COPY_RECORDS)
    commands = here(pipeline, commands).replace(".venv/bin/python", sys.executable)

    subprocess.run(["bash", "-c", commands], cwd=tmp_path, timeout=60, check=True)

    lines = (tmp_path / "between.txt").read_text().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("INFO line ") for line in lines)
