"""docs/upgrades.md under load: old and new versions in one group, forth and back; migrations; more partitions."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.backends.clickhouse.migrations import number_in, read_migrations
from local.paths import ROOT
from local.service import ServiceProcess
from tests.day_after.outcomes import Outcomes, outcome_of
from tests.e2e.app_command import run_app
from tests.e2e.pipeline import PARTITIONS, PATIENCE_SECS, Pipeline, Stream, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.day_after]

LINES_PER_SEC = 100
SOME = 200
INSTANCES = 2
LAST = len(read_migrations())
PAGE = (ROOT / "docs/upgrades.md").read_text()
# The last commit with two migrations less, before rows said who read them; the first release.
OLD = {"schema 2": "c3d0427", "0.2.0": "a6f5743"}
each_old_version = pytest.mark.parametrize("old_code", OLD.values(), ids=OLD, indirect=True)


def replace_each(pipeline: Pipeline, stream: Stream, old: Sequence[ServiceProcess], code: Path) -> list[ServiceProcess]:
    """One after another: start an instance of `code`, wait until it reads and stores, then stop one of `old`."""
    started = []
    for leaving in old:
        coming = pipeline.new_service(code)
        coming.start()
        started.append(coming)
        coming.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
        coming.wait_until(lambda scrape: scrape.stored > 0, PATIENCE_SECS)
        leaving.stop()
        stream.wait_for_more(SOME)
    return started


def can_query(service: ServiceProcess) -> bool:
    """Whether it answers a query with rows; a machine that is busy may not let it in time."""
    try:
        answer = service.get("/api/v1/logs?limit=5")
    except TimeoutError:
        return False
    return answer.status == 200 and len(answer.content["rows"]) == 5


def wait_until_all_is_read(pipeline: Pipeline, *services: ServiceProcess) -> None:
    """Until these instances, which are all that run, have every partition and have committed its end."""
    wait_until(
        lambda: sum(service.scrape().assigned for service in services) == PARTITIONS, "all partitions are assigned"
    )
    pipeline.wait_until_committed(*services)


def require_clean_audit(pipeline: Pipeline) -> None:
    audit = run_app("audit", environment=pipeline.environment())
    assert audit.returncode == 0, audit.stdout


@each_old_version
def test_a_rolling_upgrade_and_back_and_forth_again(
    pipeline: Pipeline, old_code: Path, outcomes: Outcomes, request: pytest.FixtureRequest
) -> None:
    """Old and new store side by side; the old version goes on with the table that the new one has migrated."""
    old = [pipeline.new_service(old_code) for _ in range(INSTANCES)]
    for service in old:
        service.start()
    old[0].wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
    began = time.monotonic()
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        new = replace_each(pipeline, stream, old, ROOT)
        back = replace_each(pipeline, stream, new, old_code)
        wait_until(lambda: can_query(back[0]), "the old version queries the newer table")
        forth = replace_each(pipeline, stream, back, ROOT)
    wait_until_all_is_read(pipeline, *forth)

    version = next(name for name in OLD if name in request.node.name)
    outcomes.note(f"rolling upgrade from {version}, back, and forth again", outcome_of(pipeline, stream.lines, began))
    [table] = pipeline.query(f"SELECT comment FROM system.tables WHERE database = '{pipeline.database}'")
    assert number_in(table["comment"]) == LAST
    require_clean_audit(pipeline)


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """The code with one more migration, which adds a column and an index."""
    code = tmp_path / "next-version"
    shutil.copytree(ROOT / "app", code / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "migrations", code / "migrations")
    (code / f"migrations/{LAST + 1:04}_sample.sql").write_text(
        "ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS Sample String, "
        "ADD INDEX IF NOT EXISTS sample lower(Body) TYPE bloom_filter(0.01) GRANULARITY 1;"
    )
    schema = (ROOT / "schema.sql").read_text(encoding="utf-8")
    (code / "schema.sql").write_text(schema.replace(f"COMMENT 'schema {LAST}'", f"COMMENT 'schema {LAST + 1}'"))
    return code


def test_a_migration_while_logs_come_in(pipeline: Pipeline, next_version: Path, outcomes: Outcomes) -> None:
    """The steps of the page: migrate first, by the new code, while the old one stores; then build for old rows."""
    steps = re.findall(r"^\.venv/bin/python -m app (migrate.*)$", PAGE, re.MULTILINE)
    assert steps == ["migrate", "migrate --materialize"]
    service = pipeline.start_service()
    began = time.monotonic()
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(2 * SOME)
        for step in steps:
            done = run_app(*step.split(), environment=pipeline.environment(), code=next_version)
            assert done.returncode == 0, done.stdout + done.stderr
            stream.wait_for_more(SOME)
        wait_until(
            lambda: (
                not pipeline.query(
                    f"SELECT 1 FROM system.mutations WHERE database = '{pipeline.database}' AND NOT is_done"
                )
            ),
            "old rows have the index too",
        )
        stream.wait_for_more(SOME)
    wait_until_all_is_read(pipeline, service)

    outcomes.note("migration, and its index built for old rows", outcome_of(pipeline, stream.lines, began))
    require_clean_audit(pipeline)


def test_more_partitions_while_logs_come_in(pipeline: Pipeline, outcomes: Outcomes) -> None:
    """The command of the page; records of the new partitions are read from their beginning."""
    [command] = re.findall(r"^\.venv/bin/python -m (kafka\.admin .* partitions create .*)$", PAGE, re.MULTILINE)
    mine = command.replace("localhost:9092", pipeline.kafka.bootstrap_servers).replace("logs:8", f"{pipeline.topic}:8")
    service = pipeline.start_service()
    began = time.monotonic()
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        subprocess.run([sys.executable, "-m", *mine.split()], check=True, capture_output=True, timeout=PATIENCE_SECS)
        service.wait_until(lambda scrape: scrape.assigned == 8, PATIENCE_SECS)
        second = pipeline.new_service()
        second.start()
        second.wait_until(lambda scrape: scrape.assigned == 4, PATIENCE_SECS)
        stream.wait_for_more(SOME)
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as later:  # a new producer knows all partitions at once
        wait_until(
            lambda: pipeline.query("SELECT uniqExact(_partition) AS n FROM logs.logs") == [{"n": 8}],
            "rows of all partitions",
        )
    lines = stream.lines + later.lines
    pipeline.wait_for_rows(len(lines))

    outcomes.note("partitions from 4 to 8", outcome_of(pipeline, lines, began))
    require_clean_audit(pipeline)
