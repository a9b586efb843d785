"""The statement of an aggregate query: from rollups where possible, otherwise from rows."""

from __future__ import annotations

import re
from math import inf

import pytest

from app.domain.columns import Kind
from app.domain.statement import Result, Statement
from app.query import values
from app.query.aggregate import Aggregate
from app.query.condition import condition_of
from app.query.errors import BadParameter
from app.query.fields import FIELDS
from app.query.functions import Function, read_functions
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.rollups import RESPONSE_TIMES, SUMS_BY_SERVICE_AND_LEVEL, SUMS_BY_USER
from app.query.time_range import SECOND_NS, TimeRange
from local.paths import ROOT
from tests.fakes import ScriptedReader

NUMBERS = values.EXPECTED[Kind.NUMBER]
HOUR = TimeRange(0, 3600 * SECOND_NS)


def aggregate(
    query: str = "",
    *,
    functions: str = "count",
    field: str = "",
    by: tuple[str, ...] = (),
    span: TimeRange = HOUR,
    interval_secs: int | None = None,
) -> Aggregate:
    condition = condition_of(parse(query).tree)
    return Aggregate(condition, span, read_functions(functions, field), by, interval_secs)


def statement_of(query: Aggregate) -> Statement:
    """As it is sent."""
    return LogTable(ScriptedReader()).statement(query.select())


def spans_read(query: Aggregate, rows_per_sec: float) -> list[tuple[str, list[tuple[int, int]]]]:
    """The sources of a statement over a table with so many rows a second, each with its spans in seconds."""
    sql = LogTable(ScriptedReader()).statement(query.select(lambda span: rows_per_sec * span.seconds)).sql
    return [(_source_of(part), _spans_in(part)) for part in sql.split(" UNION ALL ")]


def _source_of(sql: str) -> str:
    found = re.search(r"preferred_optimize_projection_name = '(\w+)'", sql)
    return found[1] if found else "rows"


def _spans_in(sql: str) -> list[tuple[int, int]]:
    times = [
        int(digits) // (SECOND_NS if unit else 1) for unit, digits in re.findall(r"(?:(64Nano)|toDateTime)\((\d+)", sql)
    ]
    return list(zip(times[::2], times[1::2], strict=True))


def steps_read(query: Aggregate) -> set[str]:
    """The steps of the rollups that a statement reads."""
    return set(re.findall(r"toStartOf(Hour|FiveMinutes|Minute)\(Timestamp\) >= ", statement_of(query).sql))


@pytest.mark.parametrize(
    "query",
    [
        aggregate(),
        aggregate("level:error"),
        aggregate("level:>=warn service:checkout"),
        aggregate("NOT (service:a OR service:pay*)"),
        aggregate(by=("service", "level")),
        aggregate(interval_secs=3600, by=("level",)),
        aggregate(functions="count,sum,avg", field="response_time_ms", by=("service",)),
        aggregate(functions="avg", field="duration_ms"),  # another name of the same
        aggregate(functions="p50,p99,count", field="response_time_ms", by=("service",), interval_secs=7200),
        aggregate("service:checkout", functions="p99.9", field="response_time_ms"),
    ],
)
def test_functions_over_columns_of_a_rollup_use_its_hours(query: Aggregate) -> None:
    assert steps_read(query) == {"Hour"}
    assert "UNION ALL" not in statement_of(query).sql


@pytest.mark.parametrize(
    "query",
    [
        aggregate(interval_secs=60),
        aggregate(interval_secs=600, by=("level",)),
        aggregate("service:a", interval_secs=5400),
        aggregate("service:a", span=TimeRange(60 * SECOND_NS, 3600 * SECOND_NS)),
        aggregate(functions="p99", field="response_time_ms", interval_secs=60),
    ],
)
def test_shorter_steps_come_from_minutes(query: Aggregate) -> None:
    assert steps_read(query) == {"Minute"}


@pytest.mark.parametrize(
    "query",
    [
        aggregate("user_id:7", functions="avg", field="response_time_ms"),
        aggregate("user_id:7", interval_secs=900),
        aggregate(by=("user_id",)),
    ],
)
def test_aggregates_of_users_come_from_five_minute_buckets(query: Aggregate) -> None:
    assert steps_read(query) == {"FiveMinutes"}


@pytest.mark.parametrize(
    "query",
    [
        aggregate("timeout"),
        aggregate("user_id:7 level:error"),
        aggregate("user_id:7", interval_secs=60),
        aggregate("http.status_code:500"),
        aggregate("response_time_ms:>5"),
        aggregate(by=("user_id", "service")),
        aggregate(by=("route",)),
        aggregate(interval_secs=30),
        aggregate(functions="p99", field="response_time_ms", interval_secs=90),
        aggregate(functions="p99", field="response_time_ms", by=("level",)),
        aggregate(functions="p99,avg", field="response_time_ms"),
        aggregate(functions="p99", field="bytes"),
        aggregate(functions="max", field="response_time_ms"),
        aggregate(functions="sum", field="bytes"),
        aggregate(span=TimeRange(1, 59 * SECOND_NS)),
    ],
)
def test_everything_else_comes_from_rows(query: Aggregate) -> None:
    assert steps_read(query) == set()


def test_hours_then_minutes_then_rows_make_up_a_range() -> None:
    start_ns, end_ns = 3_541 * SECOND_NS, 7_261 * SECOND_NS

    sql = statement_of(aggregate(span=TimeRange(start_ns, end_ns))).sql

    assert sql.count("UNION ALL") == 2
    assert sql.count("toStartOfHour(Timestamp) >= toDateTime(3600,") == 1
    assert sql.count("toStartOfMinute(Timestamp) >= toDateTime(7200,") == 1
    assert sql.count(f"fromUnixTimestamp64Nano({start_ns},") == 1
    assert sql.count("fromUnixTimestamp64Nano(7260000000000,") == 1
    assert re.findall(r"preferred_optimize_projection_name = '(\w+)'", sql) == ["per_hour", "per_minute"]


def test_each_source_is_planned_once_however_many_edges_are_read_from_it() -> None:
    sql = statement_of(aggregate(span=TimeRange(3_539 * SECOND_NS, 7_261 * SECOND_NS))).sql

    minutes, rows = "toStartOfMinute(Timestamp) >= ", "Timestamp >= fromUnixTimestamp64Nano("
    assert sql.count("UNION ALL") == 2
    assert sql.count(minutes) == 2
    assert sql.count(rows) == 2
    assert sql.count(" OR ") == 2


def test_a_rollup_has_the_name_of_its_projection() -> None:
    schema = (ROOT / "schema.sql").read_text(encoding="utf-8")

    for rollup in (*SUMS_BY_SERVICE_AND_LEVEL, *SUMS_BY_USER, *RESPONSE_TIMES):
        [definition] = re.findall(rf"PROJECTION {rollup.projection}\n(.*?)\n    \)", schema, re.DOTALL)
        assert rollup.start in definition


@pytest.mark.parametrize("names", ["", "mean", "p", "p100.5x", "p101", "count,avrage", "sum("])
def test_a_function_that_is_not_known_is_refused(names: str) -> None:
    with pytest.raises(BadParameter, match="is unknown") as caught:
        read_functions(names, "response_time_ms")

    assert caught.value.parameter == "function"


def test_a_function_without_its_field_is_refused_but_for_a_count() -> None:
    assert read_functions("count", "") == [Function("count")]
    with pytest.raises(BadParameter, match="needs a field"):
        read_functions("avg", "")


def test_figures_of_a_field_that_holds_no_numbers_are_refused() -> None:
    for field in ("message", "level", "timestamp"):
        with pytest.raises(BadParameter, match="holds no numbers"):
            statement_of(aggregate(functions="avg", field=field))


@pytest.mark.parametrize("field", [field.name for field in FIELDS if values.EXPECTED.get(field.kind) == NUMBERS])
def test_a_field_that_is_compared_as_a_number_is_aggregated_as_one(field: str) -> None:
    parse(f"{field}:>100")

    assert "sum(" in statement_of(aggregate(functions="sum", field=field)).sql


def test_a_quantile_is_the_same_expression_at_every_magnitude() -> None:
    sql = statement_of(aggregate("timeout", functions="p99", field="bytes")).sql

    assert "quantileExactWeighted(0.99)" in sql
    assert "1e15" not in sql


def test_names_of_attributes_are_bound() -> None:
    statement = statement_of(aggregate(by=("x') FROM system.users --",)))

    assert "system.users" not in statement.sql
    assert "x') FROM system.users --" in statement.parameters.values()


# Whole hours from 3,600 to 36,000, whole minutes from 60 to 36,060.
UNEVEN = TimeRange(30 * SECOND_NS, 36_090 * SECOND_NS)


def test_a_range_is_read_from_the_coarsest_rollups_if_its_rows_are_many_or_unknown() -> None:
    expected = [
        ("per_hour", [(3600, 36_000)]),
        ("per_minute", [(60, 3600), (36_000, 36_060)]),
        ("rows", [(30, 60), (36_060, 36_090)]),
    ]

    assert spans_read(aggregate(span=UNEVEN), 1000) == expected
    assert spans_read(aggregate(span=UNEVEN), float("inf")) == expected


def test_few_rows_at_the_ends_are_read_instead_of_minutes() -> None:
    assert spans_read(aggregate(span=UNEVEN), 40) == [
        ("per_hour", [(3600, 36_000)]),
        ("rows", [(30, 3600), (36_000, 36_090)]),
    ]


def test_a_range_with_few_rows_is_read_from_them_in_one_select() -> None:
    assert spans_read(aggregate(span=UNEVEN), 2) == [("rows", [(30, 36_090)])]
    assert spans_read(aggregate("user_id:7", span=UNEVEN), 2) == [("rows", [(30, 36_090)])]


@pytest.mark.parametrize(
    ("query", "rows_per_sec", "is_small"),
    [
        (aggregate("user_id:7", span=UNEVEN), inf, True),
        (aggregate("user_id:>7", span=UNEVEN), 2, False),
        (aggregate(by=("user_id",), span=UNEVEN), 2, False),
        (aggregate(span=UNEVEN), 2, True),
        (aggregate(span=UNEVEN), 40, True),
        (aggregate(span=UNEVEN), 1_000, False),
        (aggregate(span=UNEVEN), inf, False),
        (aggregate(functions="p99", field="duration_ms", span=UNEVEN), 20, True),
        (aggregate(functions="p99", field="duration_ms", span=UNEVEN), 40, False),
        (aggregate("card", span=UNEVEN), 2, False),
    ],
)
def test_what_is_small_is_read_by_one_thread(query: Aggregate, rows_per_sec: float, is_small: bool) -> None:
    select = query.select(lambda span: rows_per_sec * span.seconds)
    of_all_parts = LogTable(ScriptedReader()).statement(select).sql.rpartition(" LIMIT ")[2]

    assert ("max_threads = 1" in of_all_parts) == is_small


@pytest.mark.parametrize(
    ("functions", "names"),
    [
        ("avg", ["measured", "total"]),
        ("count,avg", ["measured", "total"]),
        ("count", ["measured"]),
        ("p99", ["bucket", "logged"]),
        ("p50,count", ["bucket", "logged"]),
    ],
)
def test_what_no_function_needs_is_not_read(functions: str, names: list[str]) -> None:
    sql = statement_of(aggregate("service:checkout", functions=functions, field="duration_ms", span=UNEVEN)).sql

    assert [re.findall(r" AS (\w+)", part) for part in re.findall(r"SELECT ((?:(?!SELECT).)*?) FROM {table}", sql)] == [
        names
    ] * sql.count("FROM {table}")


def test_a_projection_is_read_without_the_indexes_of_rows() -> None:
    of_hours, of_minutes, of_rows = statement_of(aggregate(span=UNEVEN)).sql.split(" UNION ALL ")

    assert all("use_skip_indexes = 0" in part for part in (of_hours, of_minutes))
    assert "use_skip_indexes" not in of_rows


def test_of_one_service_more_rows_are_few() -> None:
    assert spans_read(aggregate(span=UNEVEN), 12)[0][0] == "per_hour"
    assert spans_read(aggregate("service:checkout", span=UNEVEN), 12) == [("rows", [(30, 36_090)])]


def test_for_quantiles_fewer_rows_are_few() -> None:
    of_times = aggregate(functions="p99", field="response_time_ms", span=UNEVEN)

    assert spans_read(of_times, 8)[0][0] == "response_times_per_hour"
    assert spans_read(aggregate(span=UNEVEN), 8) == [("rows", [(30, 36_090)])]


@pytest.mark.parametrize(
    ("query", "secs", "is_asked"),
    [
        ("service:checkout level:>=error", 3600, False),
        ("", 86_400, False),
        ("service:checkout", 3599, True),
        ("user_id:7", 86_400, True),
        ("http.route:/pay", 86_400, True),
        ("timestamp:>2026-11-23", 86_400, True),
        ("timeout", 86_400, True),
    ],
)
def test_indexes_are_asked_where_they_may_rule_rows_out(query: str, secs: int, is_asked: bool) -> None:
    by_route = aggregate(query, by=("http.route",), span=TimeRange(0, secs * SECOND_NS))

    assert ("use_skip_indexes = 0" not in statement_of(by_route).sql) == is_asked


COUNTS_OF_LEVELS = aggregate(by=("level",), interval_secs=60, span=TimeRange(30 * SECOND_NS, 3_000 * SECOND_NS))


def test_few_steps_are_counted_in_an_array_for_each_level_from_rows_and_from_rollups() -> None:
    from_rows = LogTable(ScriptedReader()).statement(COUNTS_OF_LEVELS.select(lambda span: 0)).sql

    assert "countResample(0, 3000, 60)(toUInt32(Timestamp))" in from_rows
    assert "GROUP BY column_0 SETTINGS" in from_rows
    assert "sumResample(0, 3000, 60)(logged, step)" in statement_of(COUNTS_OF_LEVELS).sql
    assert COUNTS_OF_LEVELS.read(Result((), [("INFO", [0, 2])])).rows == [(60, "INFO", 2)]


@pytest.mark.parametrize(
    "query",
    [
        aggregate(by=("level",), interval_secs=1),  # 3,600 steps
        aggregate(by=("host",), interval_secs=60),  # its values may be many
        aggregate(by=("service",), interval_secs=60),
        aggregate(by=("level", "service"), interval_secs=60),
        aggregate(interval_secs=60),
        aggregate(by=("level",)),
        aggregate(functions="count,avg", field="response_time_ms", by=("level",), interval_secs=60),
        aggregate(functions="count", field="response_time_ms", by=("level",), interval_secs=60),
    ],
)
def test_everything_else_has_a_row_for_each_group(query: Aggregate) -> None:
    result = Result((), [(60, "INFO", 2)])

    assert "Resample" not in statement_of(query).sql
    assert query.read(result) == result
