"""The statements that create the table."""

import re

from app.backends.clickhouse.schema import statements
from app.paths import SCHEMA_FILE
from app.settings import ClickHouseSettings


def test_the_default_statements_are_those_of_the_file() -> None:
    made = statements(ClickHouseSettings())

    lines = SCHEMA_FILE.read_text(encoding="utf-8").splitlines()
    bare = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    assert [" ".join(statement.replace("`", "").split()) for statement in made] == [
        " ".join(statement.split()) for statement in bare.split(";") if statement.strip()
    ]


def test_first_the_database_and_then_the_table() -> None:
    database, table = statements(ClickHouseSettings(database="web", table="events"))

    assert database == "CREATE DATABASE IF NOT EXISTS `web`"
    assert table.startswith("CREATE TABLE IF NOT EXISTS `web`.`events`\n(")


def test_the_names_of_the_file_are_gone_when_others_are_set() -> None:
    made = " ".join(statements(ClickHouseSettings(database="web", table="events")))

    assert re.search(r"\blogs\b", made) is None


def test_rows_live_as_long_as_is_set() -> None:
    [_, table] = statements(ClickHouseSettings(retention_days=7))

    assert re.findall(r"INTERVAL \d+ DAY\b", table) == ["INTERVAL 7 DAY"]


def test_no_comment_reaches_the_server() -> None:
    assert "--" not in " ".join(statements(ClickHouseSettings()))


def test_a_text_may_be_given_in_place_of_the_file() -> None:
    sql = "-- a; comment\nCREATE DATABASE IF NOT EXISTS logs;\n  -- another;\nSELECT 1;\n\n;"

    assert statements(ClickHouseSettings(database="x"), sql) == ["CREATE DATABASE IF NOT EXISTS `x`", "SELECT 1"]


def test_a_semicolon_in_a_text_or_in_a_comment_ends_no_statement() -> None:
    sql = "SELECT ';', 'it\\'s; -- one' -- after; it\n, 7 - 2;\n-- the end; really"

    assert statements(ClickHouseSettings(), sql) == ["SELECT ';', 'it\\'s; -- one'\n, 7 - 2"]


def test_a_migration_is_for_the_names_and_the_retention_that_are_set() -> None:
    sql = "ALTER TABLE logs.logs MODIFY TTL toDateTime(Timestamp) + INTERVAL 30 DAY DELETE;"

    assert statements(ClickHouseSettings(database="web", table="events", retention_days=7), sql) == [
        "ALTER TABLE `web`.`events` MODIFY TTL toDateTime(Timestamp) + INTERVAL 7 DAY DELETE"
    ]
