"""`python -m app migrate` and `schema` as a user runs them, and the start of a service with an older table."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.backends.clickhouse.migrations import read_migrations
from local.paths import ROOT
from local.ports import LOOPBACK
from local.service import ServiceProcess
from tests.e2e.app_command import run_app
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, wait_until
from tests.faults.http_proxy import HttpProxy, deny_alter
from tests.support.servers import RunningEngine, RunningKafka

pytestmark = pytest.mark.stack

ACCESS_DENIED = 497
LAST = len(read_migrations())
SAMPLE = f"{LAST + 1:04}_sample"


@pytest.fixture
def pipeline(kafka: RunningKafka, engine: RunningEngine, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(kafka, engine, tmp_path)
    yield made
    made.query(f"DROP DATABASE IF EXISTS {made.database}")


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with one more migration."""
    code = tmp_path_factory.mktemp("next-version")
    shutil.copytree(ROOT / "app", code / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "migrations", code / "migrations")
    (code / "migrations" / f"{SAMPLE}.sql").write_text("ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS Sample String;")
    schema = (ROOT / "schema.sql").read_text(encoding="utf-8")
    assert f"COMMENT 'schema {LAST}'" in schema
    (code / "schema.sql").write_text(schema.replace(f"COMMENT 'schema {LAST}'", f"COMMENT 'schema {LAST + 1}'"))
    return code


def run(pipeline: Pipeline, *arguments: str, code: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    done = run_app(*arguments, environment=pipeline.environment(**environment), code=code)
    assert done.stderr == ""
    return done


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The output after the first line, which names the table."""
    first, *others = done.stdout.splitlines()
    assert first.startswith("ClickHouse at http")
    return others


def comment(pipeline: Pipeline) -> str:
    [row] = pipeline.query(f"SELECT comment FROM system.tables WHERE database = '{pipeline.database}'")
    return str(row["comment"])


def test_a_table_that_is_missing_is_made_and_needs_nothing_more(pipeline: Pipeline) -> None:
    first, again = run(pipeline, "migrate"), run(pipeline, "migrate")

    now = f"The table has schema {LAST}, which is up to date."
    assert said(first) == ["The table was missing and has been created.", now]
    assert said(again) == [now]
    assert first.returncode == again.returncode == 0


def test_migrations_of_the_next_version_are_applied_and_kept_by_this_version(
    pipeline: Pipeline, next_version: Path
) -> None:
    run(pipeline, "migrate")

    check = run(pipeline, "check", code=next_version)
    forth, back = run(pipeline, "migrate", code=next_version), run(pipeline, "migrate")

    assert f"  warning  migrations         {SAMPLE} not applied" in check.stdout
    assert said(forth) == [f"Applied {SAMPLE}.", f"The table has schema {LAST + 1}, which is up to date."]
    assert said(back)[0].startswith(f"The table has schema {LAST + 1}, this version of the service has {LAST}: a later")
    assert forth.returncode == back.returncode == 0
    assert comment(pipeline) == f"schema {LAST + 1}"


def test_mutations_for_old_rows_are_reported_with_how_to_follow_them(pipeline: Pipeline) -> None:
    done = run(pipeline, "migrate", "--materialize")

    built = next(line for line in said(done) if line.startswith("ClickHouse builds for old rows, in the background:"))
    assert "body_words" in built
    assert "ledger" in built
    question = said(done)[-1].strip()
    assert done.returncode == 0
    assert pipeline.query(question.replace(" AND NOT is_done", "")) != []


def test_an_unavailable_clickhouse_makes_the_exit_code_2_and_is_reported(pipeline: Pipeline) -> None:
    done = run(pipeline, "migrate", CLICKHOUSE_URL="http://127.0.0.1:1")

    assert done.returncode == 2
    assert said(done) == [
        "Failed: cannot reach ClickHouse at http://127.0.0.1:1: Connection refused.",
    ]


def test_the_service_brings_the_table_to_its_version_when_it_starts_and_an_older_one_goes_on(
    pipeline: Pipeline, next_version: Path, tmp_path: Path
) -> None:
    run(pipeline, "migrate")

    later = _log_of_start(pipeline, next_version, tmp_path / "later.log")
    number_between = comment(pipeline)
    earlier = _log_of_start(pipeline, ROOT, tmp_path / "earlier.log")

    assert f"ClickHouse: applied migration {SAMPLE} to the table" in later
    assert number_between == comment(pipeline) == f"schema {LAST + 1}"
    assert (
        f"the table has schema {LAST + 1}, this version of the service has {LAST}: a later version has migrated it"
        in earlier
    )


def test_a_service_whose_user_may_not_alter_the_table_gives_advice_and_continues_after_the_migration(
    pipeline: Pipeline, next_version: Path, engine: RunningEngine, tmp_path: Path
) -> None:
    run(pipeline, "migrate")
    proxy = HttpProxy(int(engine.url.rsplit(":", 1)[1]))
    proxy.treat_all = deny_alter(ACCESS_DENIED)
    environment = pipeline.environment(CLICKHOUSE_URL=f"http://{LOOPBACK}:{proxy.listener.port}")
    service = ServiceProcess(environment, tmp_path / "service.log", directory=next_version)
    service.start()
    try:
        wait_until(lambda: "run `python -m app migrate` with" in str(service.get("/ready")), "it says what to do")
        status = service.get("/ready").status
        by_another_user = run(pipeline, "migrate", code=next_version)
        service.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
    finally:
        service.kill()
        proxy.listener.shut()

    assert status == 503
    assert by_another_user.returncode == 0
    assert f"needs {SAMPLE}, and user " in service.log


def _log_of_start(pipeline: Pipeline, code: Path, log_file: Path) -> str:
    """The log of a service until it reads all partitions."""
    service = ServiceProcess(pipeline.environment(), log_file, directory=code)
    service.start()
    try:
        service.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)
    finally:
        service.kill()
    return log_file.read_text()


def test_the_printed_statements_make_the_table_that_the_service_makes(pipeline: Pipeline) -> None:
    printed = run(pipeline, "schema").stdout

    for statement in printed.split(";\n"):
        if statement.strip():
            pipeline.query(statement)

    assert printed.endswith(f"COMMENT 'schema {LAST}';\n")
    check = run(pipeline, "check")
    assert "columns of schema.sql" not in check.stdout
    assert f"  ok       migrations         schema {LAST}, that of this version" in check.stdout
    assert "schema.sql has" not in check.stdout


def test_the_statements_for_a_cluster_are_printed_when_it_is_named(pipeline: Pipeline) -> None:
    printed = run(pipeline, "schema", "--cluster", "two-nodes").stdout

    assert printed.count(" ON CLUSTER `two-nodes`") == 4
    assert f"`{pipeline.database}`.`logs_local`" in printed
