"""Checks of ClickHouse: the server, our user, and the table compared with schema.sql."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.preflight.findings import Finding, ok, problem, skipped, warning
from app.preflight.probes import ClickHouseProbe, Table, Unknown, UserSetting
from app.preflight.server_checks import check_servers
from app.preflight.table_definition import TableDefinition
from app.settings import ClickHouseSettings

MIN_VERSION: Final = (26, 2)  # the text index of schema.sql

_ENGINES: Final = ("MergeTree", "ReplicatedMergeTree", "SharedMergeTree")
_MAX_CLOCK_SECS: Final = 2.0

# Delivery looks up stored rows by these: with other types the values would not equal those that were sent.
_IDENTITY_COLUMNS: Final = ("Timestamp", "_topic_id", "_partition", "_offset", "_item")
_GRANULARITY: Final = "index_granularity"  # cannot be changed after the table was created
_DEDUPLICATION: Final = re.compile(r"(non_)?replicated_deduplication_window")
_DAYS: Final = re.compile(r"toDateTime\(Timestamp\) \+ toIntervalDay\((\d+)\)")


def unreachable(reason: str, code: str) -> list[Finding]:
    """The findings if ClickHouse did not answer, or refused the login; `code` is that of the error."""
    advice = {
        "unreachable": "Start it, or correct CLICKHOUSE_URL",
        "194": "Correct CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",  # REQUIRED_PASSWORD
        "516": "Correct CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",  # AUTHENTICATION_FAILED
    }.get(code, "See ClickHouse's own log")
    return [problem("connection", reason, advice), skipped("everything else", "user, table and its definition")]


def check_clickhouse(probe: ClickHouseProbe, settings: ClickHouseSettings) -> list[Finding]:
    """All findings about ClickHouse, for an instance that stores logs."""
    return [
        _check_version(probe.version),
        _check_clock(probe.clock_ahead_secs),
        *_check_privileges(probe, settings),
        *_check_insert_settings(probe.insert_settings, settings),
        *check_servers(probe, settings),
        *_check_table(probe, settings),
        *_check_removed(probe.removed, settings),
    ]


def check_clickhouse_for_queries(probe: ClickHouseProbe, settings: ClickHouseSettings) -> list[Finding]:
    """All findings about ClickHouse, for an instance that only runs queries; `settings` are those of its user."""
    return [
        _check_version(probe.version),
        _check_clock(probe.clock_ahead_secs),
        *_check_privileges(probe, settings, needed="SELECT is needed"),
        _check_readable(probe, f"{settings.database}.{settings.table}"),
    ]


# The server and our user.


def _check_version(version: str) -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        return problem("connection", f"ClickHouse {version} is too old", f"Version {needed} or newer is needed")
    return ok("connection", f"ClickHouse {version}")


def _check_clock(ahead_secs: float | Unknown) -> Finding:
    if isinstance(ahead_secs, Unknown):
        return warning("clock", f"could not be compared with ours: {ahead_secs.reason}")
    if abs(ahead_secs) > _MAX_CLOCK_SECS:
        side = "ahead of" if ahead_secs > 0 else "behind"
        return warning(
            "clock",
            f"{abs(ahead_secs):.1f} s {side} ours: deadlines and the ages of rows depend on it",
            "Synchronize the clocks of both machines by NTP",
        )
    return ok("clock", f"less than {_MAX_CLOCK_SECS:g} s from ours")


def _check_privileges(
    probe: ClickHouseProbe, settings: ClickHouseSettings, *, needed: str = "SELECT and INSERT are needed"
) -> Iterator[Finding]:
    privileges, user = probe.privileges, settings.user
    if isinstance(privileges, Unknown):
        yield warning("privileges", f"could not be checked: {privileges.reason}", needed)
        return
    missing = [privilege for privilege, is_held in privileges.items() if not is_held]
    if missing:
        grants = "; ".join(f"GRANT {privilege} TO {user}" for privilege in missing)
        yield problem("privileges", f"user {user} lacks {', '.join(missing)}", grants)
    else:
        yield ok("privileges", f"user {user} has {', '.join(privileges)}")


def _check_insert_settings(
    found: Mapping[str, UserSetting | None] | Unknown, settings: ClickHouseSettings
) -> Iterator[Finding]:
    if isinstance(found, Unknown):
        yield warning("insert settings", f"could not be checked: {found.reason}")
        return
    faults = [
        problem("insert settings", f"{name} {fault}", f"Allow it in the settings profile of user {settings.user}")
        for name, setting in found.items()
        if (fault := _fault(setting))
    ]
    yield from faults
    if not faults:
        yield ok("insert settings", "an insert may set all that it needs")


def _fault(setting: UserSetting | None) -> str | None:
    """Why an insert cannot have the setting that it needs, None if it can."""
    if setting is None:
        return "is not known to this server"
    if setting.value == setting.wanted:
        return None
    if setting.is_readonly:
        return f"is read-only with value {setting.value}, inserts need {setting.wanted}"
    if setting.least is not None and _number(setting.wanted) < _number(setting.least):
        return f"may not be less than {setting.least}, inserts need {setting.wanted}"
    if setting.most is not None and _number(setting.wanted) > _number(setting.most):
        return f"may not be more than {setting.most}, inserts need {setting.wanted}"
    return None


def _number(text: str) -> float:
    """The text as a number; NaN for other text, so that comparisons with it are false."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


# The table.


def _check_readable(probe: ClickHouseProbe, name: str) -> Finding:
    table = probe.table
    if isinstance(table, Unknown):
        return problem("table", table.reason, f"The service must be able to see {name}")
    if table is None:
        return problem(
            "table",
            f"{name} does not exist, or our user may not see it",
            "An instance with the role ingest creates it at its start",
        )
    if isinstance(table.definition, Unknown) or isinstance(probe.wanted, Unknown):
        return warning("table", f"{name} could not be compared with schema.sql")
    missing = [column for column in probe.wanted.columns if column not in table.definition.columns]
    if missing:
        return problem("table", f"{name} lacks {', '.join(missing)}: queries fail", "Name another table, or migrate it")
    return ok("table", f"{name}, {table.engine}")


def _check_table(probe: ClickHouseProbe, settings: ClickHouseSettings) -> Iterator[Finding]:
    name, table = f"{settings.database}.{settings.table}", probe.table
    if isinstance(table, Unknown):
        yield problem("table", table.reason, f"The service must be able to see {name}")
    elif table is None:
        may = isinstance(probe.privileges, Unknown) or all(probe.privileges.values())
        if may:
            yield ok("table", f"{name} does not exist yet; the service will create it, and may")
        else:
            yield warning("table", f"{name} does not exist, or user {settings.user} may not see it")
    elif table.engine not in _ENGINES:
        yield _refuse_engine(name, table.engine)
    elif isinstance(table.definition, Unknown):
        yield _unknown_definition(name, table.definition)
    elif isinstance(probe.wanted, Unknown):
        yield _unknown_definition(name, probe.wanted)
    elif not table.definition.columns.keys() & probe.wanted.columns.keys():
        yield problem("table", f"{name} holds something other than logs", "Name another one in CLICKHOUSE_TABLE")
    else:
        yield ok("table", f"{name}, {table.engine}")
        yield _check_migrations(table.migration_count, probe.migrations)
        yield from compare(table.definition, probe.wanted, name)
        yield _check_deduplication(table, table.definition, probe.table_defaults, name)
        yield _check_retention(table.definition, settings, name)
        yield _check_views(table)
        return
    yield skipped("definition", f"of table {name}")


def _unknown_definition(name: str, unknown: Unknown) -> Finding:
    return warning("table", f"{name} could not be compared with schema.sql: {unknown.reason}")


def _refuse_engine(name: str, engine: str) -> Finding:
    if engine.endswith("MergeTree"):
        reason = f"{engine} merges rows with the same sorting key: logs would be lost"
    elif engine == "Distributed":
        reason = "Distributed acknowledges rows before a table has stored them, and ignores deduplication tokens"
    else:
        reason = f"{engine} does not store acknowledged rows durably"
    return problem("table", f"{name}: {reason}", f"Name a table of {', '.join(_ENGINES)} in CLICKHOUSE_TABLE")


def _check_migrations(had_count: int, migrations: Sequence[str]) -> Finding:
    if had_count > len(migrations):
        return warning(
            "migrations",
            f"the table has schema {had_count}, this version of the service has {len(migrations)}: a later version"
            " has changed the table",
            "Run the later version everywhere",
        )
    if missing := migrations[had_count:]:
        return warning(
            "migrations",
            f"{', '.join(missing)} not applied",
            "The service applies them at its start if its user may ALTER TABLE; else run python -m app migrate as a"
            " user who may",
        )
    return ok("migrations", f"schema {had_count}, that of this version")


def _check_removed(found: bool | Unknown | None, settings: ClickHouseSettings) -> Iterator[Finding]:
    name = f"{settings.database}.{settings.table}_removed"
    if isinstance(found, Unknown):
        yield problem(
            "removed rows",
            f"{found.reason}: recovery waits for it, so that what was deleted is not stored again",
            f"GRANT SELECT ON {name} TO {settings.user}",
        )
    elif found:
        yield ok("removed rows", f"their positions, in {name}, can be read")


def compare(found: TableDefinition, wanted: TableDefinition, name: str) -> list[Finding]:
    """Compare a table with the one that schema.sql would create."""
    return [
        *_compare_columns(found, wanted, name),
        *_compare_deadline(found, wanted, name),
        *_compare_helpers(found, wanted, name),
        *_compare_layout(found, wanted),
        *_compare_settings(found, wanted, name),
    ]


def _compare_columns(found: TableDefinition, wanted: TableDefinition, name: str) -> Iterator[Finding]:
    missing = [column.text for key, column in wanted.columns.items() if key not in found.columns]
    others = {
        key: f"{key} is {found.columns[key].type}, schema.sql has {column.type}"
        for key, column in wanted.columns.items()
        if key in found.columns and found.columns[key].type != column.type
    }
    of_identity = [text for key, text in others.items() if key in _IDENTITY_COLUMNS]
    harmless = [text for key, text in others.items() if key not in _IDENTITY_COLUMNS]
    if missing:
        columns_are = "column is" if len(missing) == 1 else "columns are"
        added = ", ".join(f"ADD COLUMN {text}" for text in missing)
        yield problem("columns", f"{len(missing)} {columns_are} missing, inserts fail", f"ALTER TABLE {name} {added}")
    if of_identity:
        yield problem(
            "columns",
            f"{'; '.join(of_identity)}: looking up stored rows would fail",
            "Create a new table from schema.sql and move the rows, or name another one in CLICKHOUSE_TABLE",
        )
    if harmless:
        yield warning("columns", "; ".join(harmless), "Values are converted as far as ClickHouse can")
    if not (missing or others):
        yield ok("columns", f"{len(wanted.columns)} with the names and types of schema.sql")


def _compare_deadline(found: TableDefinition, wanted: TableDefinition, name: str) -> Iterator[Finding]:
    """Compare what makes ClickHouse refuse a late insert: the constraint, and the default of its column."""
    for constraint, text in wanted.constraints.items():
        if constraint not in found.constraints:
            yield problem(
                "deadline",
                f"constraint {constraint} is missing: a late insert of a former owner could store rows twice",
                f"ALTER TABLE {name} ADD {text}",
            )
        elif found.constraints[constraint] != text:
            yield warning("deadline", f"it is {found.constraints[constraint]}, schema.sql has {text}")
        else:
            yield ok("deadline", f"constraint {constraint} refuses late inserts")
    for key, column in wanted.columns.items():
        if column.default and key in found.columns and found.columns[key].default != column.default:
            default = found.columns[key].default
            check = problem if key == "_deadline" and not default else warning
            yield check(
                "deadline" if key == "_deadline" else "columns",
                f"{key} has {default or 'no'} default, schema.sql has {column.default}",
                f"ALTER TABLE {name} MODIFY COLUMN {column.text}",
            )


def _compare_helpers(found: TableDefinition, wanted: TableDefinition, name: str) -> Iterator[Finding]:
    """Compare indexes and projections: without them, results are the same, only slower."""
    absent = [key for key in wanted.indexes if key not in found.indexes]
    absent += [key for key in wanted.projections if key not in found.projections]
    all_wanted, all_found = {**wanted.indexes, **wanted.projections}, {**found.indexes, **found.projections}
    others = [key for key, text in all_wanted.items() if key in all_found and all_found[key] != text]
    if absent:
        yield warning(
            "indexes",
            f"{', '.join(absent)} missing: some queries read far more rows",
            f"ALTER TABLE {name} ADD INDEX or ADD PROJECTION as in schema.sql, then MATERIALIZE",
        )
    if others:
        yield warning("indexes", f"{', '.join(others)} not as in schema.sql")
    if not (absent or others):
        yield ok("indexes", f"{len(wanted.indexes)} indexes and {len(wanted.projections)} projections of schema.sql")


def _compare_layout(found: TableDefinition, wanted: TableDefinition) -> Iterator[Finding]:
    clauses = [clause for clause in wanted.clauses if clause not in ("ENGINE", "TTL")]
    others = [
        f"{clause} {found.clauses.get(clause, 'nothing')}, schema.sql has {wanted.clauses[clause]}"
        for clause in clauses
        if found.clauses.get(clause) != wanted.clauses[clause]
    ]
    granularity = wanted.settings.get(_GRANULARITY)
    if found.settings.get(_GRANULARITY) != granularity:
        others.append(f"{_GRANULARITY} {found.settings.get(_GRANULARITY, 'not set')}, schema.sql has {granularity}")
    if others:
        yield warning("layout", "; ".join(others), "It can only be changed by creating a new table")
    else:
        yield ok("layout", "order and partitions of schema.sql")


def _compare_settings(found: TableDefinition, wanted: TableDefinition, name: str) -> Iterator[Finding]:
    # On SharedMergeTree rows are in object storage: nothing there is flushed to a disk.
    shared = found.clauses.get("ENGINE", "").startswith("Shared")
    others = {
        key: value
        for key, value in wanted.settings.items()
        if not _DEDUPLICATION.fullmatch(key)
        and key != _GRANULARITY
        and not (shared and key.startswith("fsync"))
        and found.settings.get(key) != value
    }
    if others:
        differences = ", ".join(f"{key} is {found.settings.get(key, 'not set')}" for key in others)
        if any(key.startswith("fsync") for key in others):
            differences += ": acknowledged rows can be lost in a power failure"
        changes = ", ".join(f"{key} = {_literal(value)}" for key, value in others.items())
        yield warning("table settings", differences, f"ALTER TABLE {name} MODIFY SETTING {changes}")
    else:
        yield ok("table settings", "those of schema.sql")


def _literal(value: str) -> str:
    return value if value.isdecimal() else f"'{value}'"


def _check_deduplication(table: Table, definition: TableDefinition, defaults: Mapping[str, str], name: str) -> Finding:
    setting = (
        "non_replicated_deduplication_window" if table.engine == "MergeTree" else "replicated_deduplication_window"
    )
    window = definition.settings.get(setting, defaults.get(setting))
    if window is None:
        return warning("repeated inserts", f"{setting} is unknown", f"Make sure that it is not 0 for {name}")
    if int(window) == 0:
        return problem(
            "repeated inserts",
            f"{setting} is 0: a repeated insert can be stored twice",
            f"ALTER TABLE {name} MODIFY SETTING {setting} = 10000",
        )
    return ok("repeated inserts", f"deduplicated among the last {window}")


def _check_retention(definition: TableDefinition, settings: ClickHouseSettings, name: str) -> Finding:
    wanted, rule = settings.retention_days, definition.clauses.get("TTL")
    change = (
        f"Set CLICKHOUSE_RETENTION_DAYS to the table's value, or ALTER TABLE {name}"
        f" MODIFY TTL toDateTime(Timestamp) + INTERVAL {wanted} DAY DELETE"
    )
    if rule is None:
        return warning(
            "retention", f"the table keeps rows for ever, CLICKHOUSE_RETENTION_DAYS={wanted} has no effect", change
        )
    found = _DAYS.fullmatch(rule)
    if found is None:
        return warning("retention", f"the table has a rule of its own: TTL {rule}", f"Is it {wanted} days or more?")
    days = int(found[1])
    if days < wanted:
        return problem(
            "retention",
            f"the table deletes rows after {days} days, CLICKHOUSE_RETENTION_DAYS={wanted} accepts older ones: they"
            " would be deleted at once",
            change,
        )
    if days > wanted:
        return warning("retention", f"the table keeps rows {days} days, CLICKHOUSE_RETENTION_DAYS={wanted}", change)
    return ok("retention", f"{days} days")


def _check_views(table: Table) -> Finding:
    if table.views:
        return warning(
            "views",
            f"{', '.join(table.views)} read from this table: after a repeated insert their contents are not exact",
            "Use projections, which are, or rebuild the views from the table",
        )
    return ok("views", "none read from this table")
