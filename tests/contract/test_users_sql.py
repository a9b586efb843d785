"""Statements for users, of users.sql and docs/credentials.md, parsed by the real engine, which makes none here."""

from __future__ import annotations

import re

import pytest

from app.backends.clickhouse.client import connect
from local.paths import ROOT
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

TEXT = re.sub(r"--.*", "", (ROOT / "deploy/clickhouse/users.sql").read_text())
PAGE = (ROOT / "docs/credentials.md").read_text()
OF_PAGE = re.findall(r"^```sql\n(.*?);\n```$", PAGE, re.MULTILINE | re.DOTALL)
STATEMENTS = [statement.strip() for statement in TEXT.split(";") if statement.strip()]


def test_clickhouse_understands_every_statement(engine: RunningEngine) -> None:
    client = connect(clickhouse_settings(engine, "default"), timeout_secs=30)
    try:
        for statement in [*STATEMENTS, *OF_PAGE]:
            # The server of the tests has this table of its own and changes its name in every text.
            client.command(f"EXPLAIN AST {statement.replace('system.processes', 'system.one')}")
        tables = set(re.findall(r"ON system\.(\w+)", TEXT)) - {"processes"}
        assert len(OF_PAGE) == 2
        assert [table for table in tables if not client.command(f"EXISTS TABLE system.{table}")] == []
    finally:
        client.close()


def test_the_reader_may_change_nothing() -> None:
    of_reader = [statement for statement in STATEMENTS if "reader" in statement]
    assert [grant for grant in of_reader if grant.startswith("GRANT") and "GRANT SELECT ON" not in grant] == []
    assert any("SETTINGS readonly = 2" in statement for statement in of_reader)
