"""The statements of the runbooks, on a real table."""

from __future__ import annotations

import re

import pytest

from local.paths import ROOT
from tests.e2e.pipeline import IDENTITY, Pipeline

pytestmark = pytest.mark.stack

RUNBOOKS = (ROOT / "docs/runbooks.md").read_text()
STATEMENTS = re.findall(r"^```sql\n(.*?)^```$", RUNBOOKS, re.MULTILINE | re.DOTALL)
[DELETE_COPIES] = [sql for sql in STATEMENTS if sql.startswith("DELETE")]
LINES = 100


@pytest.fixture(scope="module")
def pipeline(shared_pipeline: Pipeline) -> Pipeline:
    """A table with some logs, whose instance has stopped."""
    service = shared_pipeline.start_service()
    shared_pipeline.send([f"INFO line {number}" for number in range(LINES)])
    shared_pipeline.wait_for_rows(LINES)
    service.stop()
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
