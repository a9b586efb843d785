"""Findings about ClickHouse, probe by probe."""

import pytest

from app.preflight.clickhouse_checks import check_clickhouse, check_clickhouse_for_queries, unreachable
from app.preflight.findings import Level
from app.preflight.probes import ClickHouseProbe, Servers, Unknown, UserSetting
from app.settings import ClickHouseSettings
from tests.unit.preflight.healthy import CLICKHOUSE, about, clickhouse, levels, table


def test_a_healthy_clickhouse_has_no_findings() -> None:
    assert levels(check_clickhouse(clickhouse(), CLICKHOUSE)) == {Level.OK}


def test_a_read_only_clickhouse_has_no_findings() -> None:
    probe = clickhouse(privileges={"SELECT ON logs.logs": True}, table=table(engine="Distributed"))

    assert levels(check_clickhouse_for_queries(probe, CLICKHOUSE)) == {Level.OK}


@pytest.mark.parametrize(
    ("probe", "subject", "level", "words"),
    [
        (clickhouse(version="25.12.1.1"), "connection", Level.PROBLEM, "too old"),
        (clickhouse(privileges={"SELECT ON logs.logs": False}), "privileges", Level.PROBLEM, "lacks SELECT"),
        (clickhouse(privileges=Unknown("no")), "privileges", Level.WARNING, "SELECT is needed"),
        (clickhouse(table=None), "table", Level.PROBLEM, "An instance with the role ingest creates it"),
        (clickhouse(table=Unknown("denied")), "table", Level.PROBLEM, "denied"),
        (clickhouse(wanted=Unknown("no")), "table", Level.WARNING, "could not be compared"),
        (
            clickhouse(table=table(("    `ServiceName` LowCardinality(String),\n", ""))),
            "table",
            Level.PROBLEM,
            "lacks ServiceName: queries fail",
        ),
    ],
)
def test_checks_for_a_read_only_table(probe: ClickHouseProbe, subject: str, level: Level, words: str) -> None:
    found = about(subject, check_clickhouse_for_queries(probe, CLICKHOUSE))

    assert found.level is level
    assert words in str(found)


@pytest.mark.parametrize(
    ("probe", "subject", "level", "words"),
    [
        (clickhouse(version="26.1.9.1"), "connection", Level.PROBLEM, "Version 26.2 or newer is needed"),
        (clickhouse(version="25.12.1.1"), "connection", Level.PROBLEM, "too old"),
        (clickhouse(version="27.1.1.1"), "connection", Level.OK, "27.1.1.1"),
        (clickhouse(clock_ahead_secs=2.5), "clock", Level.WARNING, "2.5 s ahead of ours"),
        (clickhouse(clock_ahead_secs=-61.0), "clock", Level.WARNING, "61.0 s behind ours"),
        (clickhouse(clock_ahead_secs=Unknown("no")), "clock", Level.WARNING, "could not be compared"),
        (clickhouse(privileges=Unknown("no")), "privileges", Level.WARNING, "could not be checked: no"),
        (
            clickhouse(privileges={"SELECT ON logs.logs": True, "INSERT ON logs.logs": False}),
            "privileges",
            Level.PROBLEM,
            "user default lacks INSERT ON logs.logs -> GRANT INSERT ON logs.logs TO default",
        ),
        (clickhouse(insert_settings=Unknown("no")), "insert settings", Level.WARNING, "could not be checked: no"),
        (clickhouse(table=Unknown("no answer")), "table", Level.PROBLEM, "no answer"),
        (clickhouse(wanted=Unknown("too old")), "table", Level.WARNING, "could not be compared with schema.sql"),
        (clickhouse(table=table(definition=Unknown("odd"))), "table", Level.WARNING, "schema.sql: odd"),
        (clickhouse(removed=True), "removed rows", Level.OK, "logs.logs_removed, can be read"),
        (
            clickhouse(removed=Unknown("error 497")),
            "removed rows",
            Level.PROBLEM,
            "error 497: recovery waits for it, so that what was deleted is not stored again -> "
            "GRANT SELECT ON logs.logs_removed TO default",
        ),
        (clickhouse(table=table(views=["logs.a", "logs.b"])), "views", Level.WARNING, "logs.a, logs.b read from"),
    ],
)
def test_findings_are_reported(probe: ClickHouseProbe, subject: str, level: Level, words: str) -> None:
    finding = about(subject, check_clickhouse(probe, CLICKHOUSE))

    assert finding.level is level
    assert words in str(finding)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (UserSetting("0", "1"), None),
        (UserSetting("0", "0", is_readonly=True), None),
        (UserSetting("0", "1", is_readonly=True), "async_insert is read-only with value 1, inserts need 0"),
        (UserSetting("0", "1", least="1"), "async_insert may not be less than 1, inserts need 0"),
        (UserSetting("100", "5", most="50"), "async_insert may not be more than 50, inserts need 100"),
        (UserSetting("100", "5", least="1", most="100"), None),
        (UserSetting("enable", "backward_compatible_choice", least="0"), None),
        (None, "async_insert is not known to this server"),
    ],
)
def test_a_setting_that_inserts_need_must_be_free_or_as_they_need_it(
    setting: UserSetting | None, words: str | None
) -> None:
    probe = clickhouse(insert_settings={"async_insert": setting})

    finding = about("insert settings", check_clickhouse(probe, CLICKHOUSE))

    assert finding.level is (Level.PROBLEM if words else Level.OK)
    assert (words or "an insert may set all that it needs") == finding.found


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("ReplacingMergeTree", "logs would be lost"),
        ("SummingMergeTree", "logs would be lost"),
        ("Distributed", "acknowledges rows before a table has stored them"),
        ("Buffer", "Buffer does not store acknowledged rows"),
        ("Null", "Null does not store acknowledged rows"),
        ("Log", "Log does not store acknowledged rows"),
        ("MaterializedView", "MaterializedView does not store acknowledged rows"),
    ],
)
def test_an_engine_that_does_not_keep_what_it_acknowledges_is_refused(engine: str, words: str) -> None:
    findings = check_clickhouse(clickhouse(table=table(engine=engine)), CLICKHOUSE)

    assert about("table", findings).level is Level.PROBLEM
    assert words in about("table", findings).found
    assert about("definition", findings).level is Level.SKIPPED


@pytest.mark.parametrize("engine", ["MergeTree", "ReplicatedMergeTree", "SharedMergeTree"])
def test_an_engine_that_does_is_taken(engine: str) -> None:
    probe = clickhouse(
        table=table(("ENGINE = MergeTree", f"ENGINE = {engine}"), engine=engine), servers=Servers(2, 0.0)
    )

    assert levels(check_clickhouse(probe, CLICKHOUSE)) == {Level.OK}


@pytest.mark.parametrize(
    ("old", "new", "subject", "level", "words"),
    [
        ("    `_offset` UInt64,\n", "", "columns", Level.PROBLEM, "ADD COLUMN `_offset` UInt64"),
        ("_offset` UInt64", "_offset` UInt32", "columns", Level.PROBLEM, "_offset is UInt32, schema.sql has UInt64"),
        ("LowCardinality(String)", "String", "columns", Level.WARNING, "ServiceName is String, schema.sql has"),
        ("`_offset` UInt64,", "`_offset` UInt64,\n    `mine` String,", "columns", Level.OK, "4 with the names"),
        (" CODEC(ZSTD(1))", "", "columns", Level.OK, "4 with the names"),
        (
            "    CONSTRAINT on_time CHECK nowInBlock64(3) < _deadline,\n",
            "",
            "deadline",
            Level.PROBLEM,
            "ADD CONSTRAINT",
        ),
        ("nowInBlock64(3) <", "now64(3) <", "deadline", Level.WARNING, "it is CONSTRAINT on_time CHECK now64(3)"),
        ("MergeTree\nPARTITION BY toDate(Timestamp)", "MergeTree", "layout", Level.WARNING, "PARTITION BY nothing"),
        ("ORDER BY (ServiceName, ", "ORDER BY (Body, ", "layout", Level.WARNING, "ORDER BY (Body, Timestamp)"),
        (
            "granularity = 2048",
            "granularity = 8192",
            "layout",
            Level.WARNING,
            "index_granularity 8192, schema.sql has 2048",
        ),
        (", index_granularity = 2048", "", "layout", Level.WARNING, "index_granularity not set"),
        ("INDEX words", "INDEX other", "indexes", Level.WARNING, "words missing"),
        ("PROJECTION ledger", "PROJECTION other", "indexes", Level.WARNING, "ledger missing"),
        ("max(_offset)", "min(_offset)", "indexes", Level.WARNING, "ledger not as in schema.sql"),
        ("fsync_after_insert = 1", "fsync_after_insert = 0", "table settings", Level.WARNING, "in a power failure"),
        (", fsync_after_insert = 1", "", "table settings", Level.WARNING, "MODIFY SETTING fsync_after_insert = 1"),
        ("_window = 10000", "_window = 0", "repeated inserts", Level.PROBLEM, "window = 10000"),
        ("_window = 10000", "_window = 5", "repeated inserts", Level.OK, "among the last 5"),
        ("non_replicated_deduplication_window = 10000, ", "", "repeated inserts", Level.PROBLEM, "window is 0"),
        ("toIntervalDay(30)", "toIntervalDay(7)", "retention", Level.PROBLEM, "would be deleted at once"),
        ("toIntervalDay(30)", "toIntervalDay(90)", "retention", Level.WARNING, "keeps rows 90 days"),
        ("toIntervalDay(30)", "toIntervalMonth(1)", "retention", Level.WARNING, "a rule of its own: TTL toDateTime"),
        ("TTL toDateTime(Timestamp) + toIntervalDay(30)\n", "", "retention", Level.WARNING, "for ever"),
    ],
)
def test_the_table_is_compared_with_the_schema(old: str, new: str, subject: str, level: Level, words: str) -> None:
    finding = about(subject, check_clickhouse(clickhouse(table=table((old, new))), CLICKHOUSE))

    assert finding.level is level
    assert words in str(finding)


@pytest.mark.parametrize(
    ("default", "level"), [("", Level.PROBLEM), (" DEFAULT now64(3) + 6000", Level.WARNING)], ids=["none", "another"]
)
def test_a_deadline_without_its_default_refuses_every_insert(default: str, level: Level) -> None:
    probe = clickhouse(table=table((" DEFAULT now64(3) + 60", default)))

    [told] = [f for f in check_clickhouse(probe, CLICKHOUSE) if f.about == "deadline" and f.level is not Level.OK]

    assert told.level is level
    assert "MODIFY COLUMN `_deadline` DateTime64(3, 'UTC') DEFAULT now64(3) + 60" in told.advice


def test_a_replicated_table_has_a_window_of_its_own() -> None:
    probe = clickhouse(
        table=table(
            ("ENGINE = MergeTree", "ENGINE = ReplicatedMergeTree"),
            ("non_replicated_dedup", "replicated_dedup"),
            ("_window = 10000", "_window = 0"),
            engine="ReplicatedMergeTree",
        )
    )

    finding = about("repeated inserts", check_clickhouse(probe, CLICKHOUSE))

    assert finding.level is Level.PROBLEM
    assert "MODIFY SETTING replicated_deduplication_window = 10000" in finding.advice


def test_an_unknown_deduplication_window_is_not_assumed() -> None:
    probe = clickhouse(table=table(("non_replicated_deduplication_window = 10000, ", "")), table_defaults={})

    assert about("repeated inserts", check_clickhouse(probe, CLICKHOUSE)).level is Level.WARNING


def test_the_shared_engine_has_no_disk_to_flush_to() -> None:
    changes = (("ENGINE = MergeTree", "ENGINE = SharedMergeTree"), (", fsync_after_insert = 1", ""))
    probe = clickhouse(table=table(*changes, engine="SharedMergeTree"))

    assert about("table settings", check_clickhouse(probe, CLICKHOUSE)).level is Level.OK


def test_a_missing_table_that_may_be_made_is_no_problem() -> None:
    findings = check_clickhouse(clickhouse(table=None, privileges={"CREATE TABLE ON logs.logs": True}), CLICKHOUSE)

    assert levels(findings) == {Level.OK, Level.SKIPPED}
    assert "logs.logs does not exist yet; the service will create it, and may" in str(about("table", findings))


def test_a_missing_table_that_may_not_be_made_is_one() -> None:
    findings = check_clickhouse(clickhouse(table=None, privileges={"CREATE TABLE ON logs.logs": False}), CLICKHOUSE)

    assert about("privileges", findings).level is Level.PROBLEM
    assert "may not see it" in about("table", findings).found


def test_a_table_of_something_else_is_not_taken_apart() -> None:
    columns = [(f"`{name}`", f"`my{name}`") for name in ("Timestamp", "ServiceName", "_offset", "_deadline")]

    findings = check_clickhouse(clickhouse(table=table(*columns)), ClickHouseSettings(table="other"))

    assert "logs.other holds something other than logs" in about("table", findings).found
    assert about("definition", findings).level is Level.SKIPPED


@pytest.mark.parametrize(
    ("code", "words"), [("unreachable", "CLICKHOUSE_URL"), ("516", "CLICKHOUSE_USER and"), ("241", "own log")]
)
def test_an_unreachable_clickhouse_is_one_problem_and_the_rest_is_skipped(code: str, words: str) -> None:
    [reached, rest] = unreachable("no answer", code)

    assert (reached.level, rest.level) == (Level.PROBLEM, Level.SKIPPED)
    assert words in reached.advice


@pytest.mark.parametrize(
    ("had_count", "migrations", "level", "words"),
    [
        (0, (), Level.OK, "schema 0, that of this version"),
        (2, ("0001_a", "0002_b"), Level.OK, "schema 2, that of this version"),
        (1, ("0001_a", "0002_b", "0003_c"), Level.WARNING, "0002_b, 0003_c not applied -> The service applies"),
        (3, ("0001_a",), Level.WARNING, "the table has schema 3, this version of the service has 1: a later version"),
    ],
)
def test_migrations_that_are_missing_are_named(
    had_count: int, migrations: tuple[str, ...], level: Level, words: str
) -> None:
    probe = clickhouse(table=table(migration_count=had_count), migrations=migrations)

    finding = about("migrations", check_clickhouse(probe, CLICKHOUSE))

    assert finding.level is level
    assert words in str(finding)
