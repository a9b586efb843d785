"""Every ClickHouse query of every dashboard, on the real engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from app.domain.words import searched_form
from tests.e2e.dashboard_table import NEW_KIND, ODD_SERVICE, ODD_USER, ROWS, DashboardTable, Variables
from tests.support.dashboards import DASHBOARDS, Query, queries
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

QUERIES: Final = [query for path in DASHBOARDS for query in queries(path) if query.datasource == "clickhouse"]

# Required selections of dashboards, and some optional ones.
ONE: Final = {"incident": {"service": "payment-service"}, "users": {"user": "user-7"}}
CHOICES: Final[dict[str, Variables]] = {
    "as it opens": {},
    "some services": {"service": ["payment-service", ODD_SERVICE], "level": ["ERROR", "WARN"]},
    "words": {"search": "Card DECLINED"},
}

# Panels that read rows, and the part of the table they may read. The time range and the period before are 30 % of the
# table each; lists of logs read the columns of the found rows as separate rows. All others must use projections. The
# granules at both ends of a range are read whole, so a figure varies by a few percent with the time of day.
READ: Final = {
    "log-overview: New kinds of errors (table A)": 0.7,
    "log-overview: Most frequent messages (table A)": 0.35,
    "log-overview: Logs (logs A)": 0.15,
    "performance: Slowest requests (table A)": 0.45,
    "users: Logs and errors (stat A)": 0.45,
    "users: Response times (stat A)": 0.45,
    "users: Logs by level (timeseries A)": 0.45,
    "users: Services (table A)": 0.45,
    "users: Timeline (logs A)": 0.75,
    "ingestion: Newest flagged rows (logs A)": 0.5,
    "incident: Errors by kind (table A)": 0.7,
    "incident: Logs of the service (logs A)": 0.15,
    "incident: Failed traces, in all services (logs A)": 0.15,
}

SUMMED: Final = [query for query in QUERIES if str(query) not in READ]
FROM_ROWS: Final = [query for query in QUERIES if str(query) in READ]

each_query = pytest.mark.parametrize("query", QUERIES, ids=str)


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[DashboardTable]:
    table = DashboardTable(engine, newest=last_midday())
    try:
        table.fill()
        yield table
    finally:
        table.drop()


def last_midday() -> datetime:
    """In the hour after the last noon: logs of some hours before it are of one day. At midnight, two would be read."""
    return (datetime.now(UTC) - timedelta(hours=12)).replace(hour=12)


def variables_of(query: Query, choice: Variables | None = None) -> Variables:
    """The selections on the dashboard of a query."""
    return ONE.get(query.dashboard, choice or {})


def the_query(title: str) -> Query:
    """The query by its name."""
    [found] = [query for query in QUERIES if str(query) == title]
    return found


@each_query
@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_it_finds_something(table: DashboardTable, query: Query, choice: Variables) -> None:
    rows = table.rows(query, variables_of(query, choice))

    assert rows
    nothing = [name for name in rows[0] if all(row[name] in (None, "") for row in rows)]
    assert nothing == [] or query.kind == "logs"


@pytest.mark.parametrize("query", SUMMED, ids=str)
def test_aggregates_are_read_only_from_projections(table: DashboardTable, query: Query) -> None:
    # A filter of 0 reads nothing: for hours of a range without whole hours, or when minutes are drawn.
    plan = re.sub(r"Filter column: 0\b.*\n.*ReadFromMergeTree", "", table.plan(query, variables_of(query)))
    sources = re.findall(r"ReadFromMergeTree \(([^)]*)\)", plan)

    assert sources
    assert {source for source in sources if not source.startswith(("per_", "response_times_per_"))} == set()
    assert table.rows_read(query, variables_of(query)) <= 0.15 * ROWS


def test_every_panel_of_rows_is_there() -> None:
    assert {str(query) for query in FROM_ROWS} == set(READ)


@pytest.mark.parametrize("query", FROM_ROWS, ids=str)
def test_rows_are_read_only_where_they_must(table: DashboardTable, query: Query) -> None:
    assert table.rows_read(query, variables_of(query)) <= READ[str(query)] * ROWS


WHOLE_MINUTES: Final = "toStartOfMinute(Timestamp) >= toStartOfMinute($__fromTime) AND Timestamp < $__toTime + 60"


@pytest.mark.parametrize(
    ("interval_secs", "first"), [(60, "toStartOfMinute"), (300, "toStartOfMinute"), (3600, "toStartOfHour")]
)
def test_bars_add_up_to_all_rows(table: DashboardTable, interval_secs: int, first: str) -> None:
    bars = table.rows(the_query("log-overview: Logs by level (timeseries A)"), {}, interval_secs=interval_secs)
    [counted] = table.query(
        table.expanded(f"SELECT count() AS logs FROM logs.logs WHERE Timestamp >= {first}($__fromTime)")
    )

    assert sum(row["logs"] for row in bars) == counted["logs"] > 50_000


@pytest.mark.parametrize("hours", [1, 3])
def test_aggregates_match_the_rows(table: DashboardTable, hours: int) -> None:
    [shown] = table.rows(the_query("log-overview: Logs and errors (stat A)"), {}, hours=hours)
    [counted] = table.query(
        table.expanded(
            "SELECT count() AS logs, countIf(SeverityNumber >= 17) AS errors, uniqExact(ServiceName) AS services"
            f" FROM logs.logs WHERE {WHOLE_MINUTES}",
            hours=hours,
        )
    )

    assert {name: shown[name] for name in counted} == counted


def test_errors_are_set_against_those_of_the_time_before(table: DashboardTable) -> None:
    [shown] = table.rows(the_query("log-overview: Logs and errors (stat A)"), {})
    [before] = table.query(
        table.expanded(
            "SELECT countIf(SeverityNumber >= 17) AS errors FROM logs.logs"
            " WHERE Timestamp < toStartOfMinute($__fromTime) AND Timestamp >= toStartOfMinute($__fromTime - 3600)"
        )
    )

    assert shown["errors_before"] == before["errors"]
    assert shown["errors"] > 2 * shown["errors_before"]


def test_words_are_counted_as_the_rows_say(table: DashboardTable) -> None:
    [shown] = table.rows(the_query("log-overview: Logs and errors (stat A)"), {"search": "DECLINED card"})
    [counted] = table.query(
        table.expanded(
            f"SELECT count() AS logs FROM logs.logs WHERE {WHOLE_MINUTES} AND position(Body, 'card declined') > 0"
        )
    )

    assert shown["logs"] == counted["logs"] > 100


@pytest.mark.parametrize(
    ("search", "count"),
    [("数据库", 1), ("超时 ОШИБКА", 1), ("refused", 1), ("数据报", 0), ("refused ok", 0), ("ok", 1)],
)
def test_words_of_any_script_are_counted(engine: RunningEngine, search: str, count: int) -> None:
    table = DashboardTable(engine)
    message = "连接数据库超时 — Ошибка: \x1b[31mrefused"
    table.command(
        "INSERT INTO logs.logs (Timestamp, Body, _words) VALUES"
        " (now64(9) - 600, {message:String}, {form:String}), (now64(9) - 600, 'ok', '')",
        message=message,
        form=searched_form(message),
    )

    [shown] = table.rows(the_query("log-overview: Logs and errors (stat A)"), {"search": search})

    assert shown["logs"] == count
    table.drop()


@pytest.mark.parametrize("title", ["performance: Response times (stat A)", "incident: Response times (stat A)"])
def test_quantiles_are_within_a_hundredth(table: DashboardTable, title: str) -> None:
    query = the_query(title)
    [shown] = table.rows(query, variables_of(query))
    where = f"{WHOLE_MINUTES} AND ServiceName = 'payment-service'" if query.dashboard in ONE else WHOLE_MINUTES
    [exact] = table.query(
        table.expanded(
            "SELECT quantileExact(0.5)(ResponseTimeMs) AS p50, quantileExact(0.95)(ResponseTimeMs) AS p95"
            f" FROM logs.logs WHERE {where}"
        )
    )

    assert {name: shown[name] for name in exact} == pytest.approx(exact, rel=0.01)


def test_the_picture_holds_every_request_once(table: DashboardTable) -> None:
    rows = table.rows(the_query("performance: Distribution of response times (heatmap A)"), {})
    [counted] = table.query(
        table.expanded(f"SELECT count(ResponseTimeMs) AS requests FROM logs.logs WHERE {WHOLE_MINUTES}")
    )

    assert sum(sum(value for name, value in row.items() if name != "time") for row in rows) == counted["requests"]


def test_the_slowest_are_the_slowest(table: DashboardTable) -> None:
    shown = [row["took"] for row in table.rows(the_query("performance: Slowest requests (table A)"), {})]
    [slowest] = table.query(
        table.expanded(
            "SELECT arraySlice(arrayReverseSort(groupArray(ResponseTimeMs)), 1, 10) AS took FROM logs.logs"
            " WHERE Timestamp >= $__fromTime AND Timestamp < $__toTime AND isNotNull(ResponseTimeMs)"
        )
    )

    assert shown == sorted(shown, reverse=True)
    assert len(shown) == 50
    assert shown[:5] == slowest["took"][:5]


def test_only_what_was_never_seen_before_is_new(table: DashboardTable) -> None:
    [new] = table.rows(the_query("log-overview: New kinds of errors (table A)"), {})

    assert (new["service"], new["kind"]) == ("payment-service", NEW_KIND)
    assert table.age_secs(new["first_seen"]) == pytest.approx(1200, abs=30)


def test_a_spike_leads_to_the_minutes_around_it(table: DashboardTable) -> None:
    query = the_query("incident: Spikes (table A)")
    worst = table.rows(query, variables_of(query))[0]

    assert table.age_secs(worst["minute"]) < 1300
    minute_ms = worst["minute"].replace(tzinfo=UTC).timestamp() * 1000
    assert (minute_ms - worst["from_ms"], worst["to_ms"] - minute_ms) == (120_000, 180_000)


def test_active_users_are_those_with_logs_in_the_range(table: DashboardTable) -> None:
    [shown] = table.rows(the_query("users: Active users (stat A)"), {"user": "user-7"})
    [counted] = table.query(
        table.expanded(
            "SELECT uniqExact(UserId) AS users FROM logs.logs WHERE UserId != ''"
            " AND Timestamp >= toStartOfFiveMinutes($__fromTime) AND Timestamp < $__toTime"
        )
    )

    assert shown["users"] == pytest.approx(counted["users"], rel=0.02)


def test_the_newest_logs_are_shown_in_order(table: DashboardTable) -> None:
    times = [row["timestamp"] for row in table.rows(the_query("log-overview: Logs (logs A)"), {})]

    assert len(times) == 500
    assert times == sorted(times, reverse=True)
    assert table.age_secs(times[0]) < 0.1
    assert (times[0] - times[-1]).total_seconds() == pytest.approx(499 * 0.06, abs=0.01)


HOSTILE: Final = [
    "x'); DROP TABLE logs.logs; --",
    "\\",
    "\\') OR 1=1 --",
    "%",
    "%27",
    '"',
    "''",
    "$__fromTime ${service}",
    "a,b)(",
    "ä & v=b",
    "\x00\n",
]


TYPED: Final = [query for query in QUERIES if "${" in query.text and "ServiceName !=" not in query.text]
NOBODY: Final = "nobodyhasthis"


def rows_for(table: DashboardTable, query: Query, value: str) -> list[dict[str, Any]]:
    """What a query finds with this in all boxes and selections."""
    variables = dict.fromkeys(("search", "user", "trace", "service", "level"), value)
    several = {} if query.dashboard in ONE else {"service": [value], "level": [value]}
    return table.rows(query, {**variables, **several})


@pytest.fixture(scope="module")
def of_no_match(table: DashboardTable) -> Mapping[str, list[dict[str, Any]]]:
    """The result of each query for a value that no log has."""
    return {str(query): rows_for(table, query, NOBODY) for query in TYPED}


@pytest.mark.parametrize("value", HOSTILE)
def test_typed_text_stays_a_value(
    table: DashboardTable, of_no_match: Mapping[str, list[dict[str, Any]]], value: str
) -> None:
    """No log has the value, so the result must be that of no match."""
    for query in TYPED:
        assert rows_for(table, query, value) == of_no_match[str(query)], str(query)

    assert table.query("SELECT count() AS rows FROM logs.logs") == [{"rows": ROWS}]


def test_an_odd_name_of_a_service_is_found(table: DashboardTable) -> None:
    query = the_query("log-overview: Logs and errors (stat A)")
    [shown] = table.rows(query, {"service": [ODD_SERVICE]})
    [counted] = table.query(
        table.expanded(f"SELECT count() AS logs FROM logs.logs WHERE {WHOLE_MINUTES} AND ServiceName LIKE 'it%'")
    )

    assert (shown["logs"], shown["services"]) == (counted["logs"], 1)


def test_an_odd_name_of_a_user_is_found(table: DashboardTable) -> None:
    [shown] = table.rows(the_query("users: Logs and errors (stat A)"), {"user": ODD_USER})

    assert shown["logs"] == pytest.approx(ROWS * 0.3 / 4000, abs=1)
