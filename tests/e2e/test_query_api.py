"""Results of the API over the real engine match those of plain Python over the same logs."""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from app.backends.clickhouse.reader import ClickHouseReader
from app.domain.cancellation import Cancellation
from app.domain.statement import Result, Statement
from app.ports import LogReader
from app.query.functions import read_functions
from app.query.hour_counts import HourCounts
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.search import Page
from app.query.service import QueryService, names_in
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything
from app.settings import QuerySettings
from tests.e2e.query_table import Log, QueryTable, sample_events
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

NOW_MS = int(time.time()) // 60 * 60_000
COUNT = 3_000
RANGE = {"start": str(NOW_MS - 3 * 3_600_000), "end": str(NOW_MS + 1)}


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    events = list(sample_events(NOW_MS, COUNT))
    made.store(events[: COUNT // 2], partition=0)
    made.store(events[COUNT // 2 :], partition=1)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def api(table: QueryTable) -> FlaskClient:
    return table.api()


def get(api: FlaskClient, path: str, **parameters: object) -> dict[str, Any]:
    answer = api.get(f"/api/v1/{path}", query_string={**RANGE, **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return answer.json


class Recorder:
    """A LogReader that forwards and records statements."""

    def __init__(self, reader: LogReader) -> None:
        self.statements: list[Statement] = []
        self._reader = reader

    def run(self, statement: Statement, *, timeout_secs: float, cancellation: Cancellation | None = None) -> Result:
        self.statements.append(statement)
        return self._reader.run(statement, timeout_secs=timeout_secs, cancellation=cancellation)


def newest_first(logs: list[Log]) -> list[str]:
    return [log.id for log in sorted(logs, key=lambda log: (log.time_ms, log.partition, log.offset), reverse=True)]


def matching(table: QueryTable, does: Callable[[dict[str, Any]], bool]) -> list[Log]:
    return [log for log in table.logs if does(log.event)]


QUERIES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "": lambda _: True,
    "service:payment-service level:ERROR": lambda e: e["service"] == "payment-service" and e["level"] == "error",
    "level:>=warn": lambda e: e["level"] in ("warn", "error"),
    "timeout": lambda e: "timeout" in e["message"],
    '"card 4711"': lambda e: "card 4711" in e["message"],
    "user_id:7": lambda e: e.get("user_id") == "7",
    "user_id:7 level:info": lambda e: e.get("user_id") == "7" and e["level"] == "info",
    f"trace_id:{7:032x}": lambda e: e.get("trace_id") == f"{7:032x}",
    "trace_id:unheard-of": lambda _: False,
    "http.status_code:[500 TO 599]": lambda e: e["attributes"]["http.status_code"] == 500,
    "response_time_ms:>100 -service:search": lambda e: e.get("response_time_ms", 0) > 100 and e["service"] != "search",
    "NOT user_id:*": lambda e: "user_id" not in e,
    "host:host-1": lambda e: e["host"] == "host-1",
}


@pytest.mark.parametrize("limit", [13, 211])
@pytest.mark.parametrize("query", QUERIES)
def test_every_matching_log_is_found_once_page_by_page_newest_first(
    api: FlaskClient, table: QueryTable, query: str, limit: int
) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = get(api, "logs", query=query, limit=limit, cursor=cursor)
        assert page["complete"]
        found += [row["id"] for row in page["rows"]]
        if "next_cursor" not in page:
            break
        cursor = page["next_cursor"]

    assert found == newest_first(matching(table, QUERIES[query]))


def test_rows_stored_between_two_pages_do_not_shift_them(engine: RunningEngine) -> None:
    table = QueryTable(engine)
    table.store(list(sample_events(NOW_MS, 300)))
    api = table.api()
    before = newest_first(table.logs)
    page = get(api, "logs", limit=100)
    table.store(list(sample_events(NOW_MS, 300, seed=2)), partition=1)

    found = [row["id"] for row in page["rows"]]
    while "next_cursor" in page:
        page = get(api, "logs", limit=100, cursor=page["next_cursor"])
        found += [row["id"] for row in page["rows"]]
    table.drop()

    assert len(set(found)) == len(found)
    assert [one for one in found if one in set(before)] == before


def test_a_row_has_every_field_under_the_name_that_producers_use(api: FlaskClient, table: QueryTable) -> None:
    [row] = get(api, "logs", query="trace_id:* user_id:* response_time_ms:*", limit=1)["rows"]

    [log] = [log for log in table.logs if log.id == row["id"]]
    event = log.event
    assert row["timestamp"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(log.time_ms // 1000))
    assert row["response_time_ms"] == event["response_time_ms"]
    assert {name: row[name] for name in ("service", "message", "user_id", "trace_id")} == {
        name: event[name] for name in ("service", "message", "user_id", "trace_id")
    }
    assert row["level"] == event["level"].upper()
    assert row["attributes"] == {
        "http.status_code": str(event["attributes"]["http.status_code"]),
        "route": event["attributes"]["route"],
    }
    assert row["resource"] == {"host.name": event["host"]}
    assert (row["topic"], row["partition"], row["offset"]) == ("logs", log.partition, log.offset)


def test_only_the_fields_that_are_chosen_are_there(api: FlaskClient) -> None:
    rows = get(api, "logs", fields="message, route,host.name,nothing", limit=5)["rows"]

    assert all(row.keys() == {"id", "message", "route", "host.name", "nothing"} for row in rows)
    assert all(row["route"].startswith("/r") and row["host.name"].startswith("host-") for row in rows)
    assert {row["nothing"] for row in rows} == {""}


def test_fields_are_chosen_by_any_of_their_names(api: FlaskClient, table: QueryTable) -> None:
    names = "id,host,severity,userId,attributes.route,resource.host.name,severity_number,_ingested,http.status_code"

    for row in get(api, "logs", fields=names, limit=50)["rows"]:
        [log] = [log for log in table.logs if log.id == row["id"]]
        assert row["host"] == row["resource.host.name"] == log.event["host"]
        assert row["severity"] == log.event["level"].upper()
        assert row["severity_number"] == {"debug": 5, "info": 9, "warn": 13, "error": 17}[log.event["level"]]
        assert row["userId"] == log.event.get("user_id", "")
        assert row["attributes.route"] == log.event["attributes"]["route"]
        assert row["http.status_code"] == str(log.event["attributes"]["http.status_code"])
        assert row["_ingested"].startswith("20")


def test_a_stream_of_rows_holds_what_the_pages_hold(api: FlaskClient, table: QueryTable) -> None:
    expected = newest_first(table.logs)

    ndjson = api.get("/api/v1/logs", query_string={**RANGE, "format": "ndjson", "limit": 100_000})
    text = api.get("/api/v1/logs", query_string={**RANGE, "format": "csv", "limit": 100_000, "fields": "level,message"})

    assert ndjson.content_type == "application/x-ndjson"
    assert [json.loads(line)["id"] for line in ndjson.text.splitlines()] == expected
    lines = list(csv.reader(io.StringIO(text.text)))
    assert lines[0] == ["id", "level", "message"]
    assert [line[0] for line in lines[1:]] == expected


def test_a_log_is_found_by_its_id(api: FlaskClient, table: QueryTable) -> None:
    log = table.logs[1234]

    found = get_plain(api, f"logs/{log.id}")["log"]

    assert found["id"] == log.id
    assert found["message"] == log.event["message"]


def test_an_id_of_no_log_is_not_found(api: FlaskClient) -> None:
    answer = api.get("/api/v1/logs/1-2-3-4-topic-9")

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "no_such_log")  # type: ignore[index]


def get_plain(api: FlaskClient, path: str, **parameters: object) -> dict[str, Any]:
    answer = api.get(f"/api/v1/{path}", query_string=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return answer.json


@pytest.mark.parametrize(
    ("same", "key"),
    [
        ("service", lambda e: e["service"]),
        ("host", lambda e: e["host"]),
        ("trace", lambda e: e.get("trace_id")),
        ("", lambda e: True),
    ],
)
def test_the_context_is_what_the_same_one_wrote_before_and_after(
    api: FlaskClient, table: QueryTable, same: str, key: Callable[[dict[str, Any]], object]
) -> None:
    log = next(log for log in table.logs[500:] if "trace_id" in log.event)
    line = newest_first(matching(table, lambda event: key(event) == key(log.event)))[::-1]
    index = line.index(log.id)

    found = get_plain(api, f"logs/{log.id}/context", same=same, before=7, after=5)

    assert [row["id"] for row in found["rows"]] == line[max(0, index - 7) : index + 6]


@pytest.mark.parametrize("query", ["", "level:error", "service:search", "timeout", "response_time_ms:>50"])
@pytest.mark.parametrize("by", ["", "level", "service", "route"])
def test_bars_count_every_matching_log_once(api: FlaskClient, table: QueryTable, query: str, by: str) -> None:
    start_ms = NOW_MS - 2 * 3_600_000 - 13_579  # in the middle of a minute
    parameters = {"start": str(start_ms), "end": str(NOW_MS - 7_777), "interval": "10m"}
    does = (
        QUERIES.get(query)
        or {
            "level:error": lambda e: e["level"] == "error",
            "service:search": lambda e: e["service"] == "search",
            "response_time_ms:>50": lambda e: e.get("response_time_ms", 0) > 50,
        }[query]
    )
    expected: Counter[tuple[str, str]] = Counter()
    for log in matching(table, does):
        if start_ms <= log.time_ms < NOW_MS - 7_777:
            bar = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(log.time_ms // 600_000 * 600))
            expected[(bar, _value(log, by))] += 1

    answer = get(api, "histogram", query=query, by=by, **parameters)

    assert answer["interval_secs"] == 600
    assert Counter({(row["time"], row.get(by, "")): row["count"] for row in answer["rows"]}) == expected
    assert [row["time"] for row in answer["rows"]] == sorted(row["time"] for row in answer["rows"])


def _value(log: Log, by: str) -> str:
    if not by:
        return ""
    return str(
        log.event["attributes"][by] if by == "route" else log.event[by].upper() if by == "level" else log.event[by]
    )


def test_aggregates_match_the_logs(api: FlaskClient, table: QueryTable) -> None:
    functions = "count,count_distinct,sum,avg,min,max,p50,p99"

    rows = get(api, "stats", function=functions, field="response_time_ms", by="service")["rows"]

    assert {row["service"] for row in rows} == {"checkout", "payment-service", "search"}
    for row in rows:
        times = sorted(
            log.event["response_time_ms"]
            for log in table.logs
            if log.event["service"] == row["service"] and "response_time_ms" in log.event
        )
        assert (row["count"], row["count_distinct"]) == (len(times), len(set(times)))
        assert row["sum"] == pytest.approx(sum(times), rel=1e-5)
        assert row["avg"] == pytest.approx(sum(times) / len(times), rel=1e-5)
        assert (row["min"], row["max"]) == (pytest.approx(times[0]), pytest.approx(times[-1]))
        assert times[len(times) // 2 - 2] * 0.98 <= row["p50"] <= times[len(times) // 2 + 2] * 1.02
        assert times[int(len(times) * 0.98)] * 0.98 <= row["p99"] <= times[-1] * 1.02


def test_approximate_functions_have_an_error_bound(api: FlaskClient) -> None:
    answer = get(api, "stats", function="avg,p99,count_distinct", field="response_time_ms")

    assert answer["approximate"].keys() == {"p99", "count_distinct"}


def test_the_two_original_use_cases(api: FlaskClient, table: QueryTable) -> None:
    errors = get(api, "stats", query="service:payment-service level:ERROR")["rows"]
    mean = get(api, "stats", query="user_id:7", function="avg", field="response_time_ms")["rows"]

    times = [
        log.event["response_time_ms"]
        for log in table.logs
        if log.event.get("user_id") == "7" and "response_time_ms" in log.event
    ]
    assert errors == [{"count": len(matching(table, QUERIES["service:payment-service level:ERROR"]))}]
    assert mean == [{"avg": pytest.approx(sum(times) / len(times), rel=1e-5)}]


def test_aggregates_of_no_numbers_are_null(api: FlaskClient) -> None:
    rows = get(api, "stats", query="service:nobody", function="count,avg,p95,max", field="response_time_ms")["rows"]

    assert rows == [{"count": 0, "avg": None, "p95": None, "max": None}]


def test_numbers_in_attributes_can_be_reckoned_with(api: FlaskClient, table: QueryTable) -> None:
    [row] = get(api, "stats", function="max,count", field="http.status_code", query="service:search")["rows"]

    codes = [log.event["attributes"]["http.status_code"] for log in table.logs if log.event["service"] == "search"]
    assert row == {"max": max(codes), "count": len(codes)}


def test_one_odd_number_does_not_distort_aggregates(engine: RunningEngine) -> None:
    table = QueryTable(engine)
    values = ["nan", "inf", "-inf", "1e300", "1e-300", "7", "text", ""]
    table.store([(NOW_MS - 1000, {"message": "x", "attributes": {"n": value}}) for value in values])

    [row] = get(table.api(), "stats", function="count,min,max,p50,p99.9,avg", field="n")["rows"]
    table.drop()

    assert row["count"] == 7
    assert (row["min"], row["max"]) == (1e-300, 1e300)
    assert row["p50"] == pytest.approx(7, rel=0.02)
    assert row["avg"] == pytest.approx(1e300 / 3)


def test_the_newest_steps_are_those_that_are_left_when_there_are_too_many(api: FlaskClient) -> None:
    all_steps = get(api, "stats", interval="10m", by="service")
    cut = get(api, "stats", interval="10m", by="service", limit=5)

    assert (all_steps["complete"], cut["complete"]) == (True, False)
    assert [row["time"] for row in cut["rows"]] == [row["time"] for row in all_steps["rows"]][-5:]


def test_logs_that_stopped_long_ago_are_found_in_pieces(engine: RunningEngine) -> None:
    table = QueryTable(engine)
    stored = table.store([(NOW_MS - 5 * 86_400_000, {"message": "old"})])
    answer = get(table.api(), "logs", start="now-20d", end="now")
    table.drop()

    assert [row["id"] for row in answer["rows"]] == [stored[0].id]


def test_a_log_without_a_service_has_a_context_all_the_same(engine: RunningEngine) -> None:
    table = QueryTable(engine)
    stored = table.store([(NOW_MS - 3000 + n, {"message": str(n)}) for n in range(3)])
    found = get_plain(table.api(), f"logs/{stored[1].id}/context")
    table.drop()

    assert [row["message"] for row in found["rows"]] == ["0", "1", "2"]


def test_fields_are_listed_with_their_counts(api: FlaskClient, table: QueryTable) -> None:
    answer = get(api, "fields")

    counts = {row["name"]: row["count"] for row in answer["rows"]}
    assert answer["looked_at"] == COUNT
    assert counts["message"] == counts["route"] == counts["resource.host.name"] == COUNT
    assert counts["user_id"] == len([log for log in table.logs if "user_id" in log.event])
    assert "span_id" not in counts
    assert [row["name"] for row in get(api, "fields", prefix="HTTP")["rows"]] == ["http.status_code"]


@pytest.mark.parametrize("name", ["service", "level", "user_id", "route", "host"])
def test_values_come_with_their_counts_the_most_frequent_first(api: FlaskClient, table: QueryTable, name: str) -> None:
    def value(event: dict[str, Any]) -> str:
        return str(event["attributes"]["route"] if name == "route" else event.get(name, ""))

    counts = Counter(value(log.event).upper() if name == "level" else value(log.event) for log in table.logs)
    counts.pop("", None)

    rows = get(api, f"fields/{name}/values", limit=1000)["rows"]

    assert {row["value"]: row["count"] for row in rows} == counts
    assert [row["count"] for row in rows] == sorted(counts.values(), reverse=True)


def test_values_are_found_by_how_they_begin(api: FlaskClient) -> None:
    assert [row["value"] for row in get(api, "fields/service/values", prefix="PAY")["rows"]] == ["payment-service"]
    assert get(api, "fields/service/values", prefix="zzz")["rows"] == []


@pytest.mark.parametrize("query", ["", "level:error", "level:>=warn service:search", "-service:pay*"])
@pytest.mark.parametrize(("functions", "field"), [("count", ""), ("count,sum,avg", "response_time_ms")])
def test_counts_and_sums_of_whole_minutes_are_read_from_the_projection(
    dense: QueryTable, query: str, functions: str, field: str
) -> None:
    queries, table = queries_of(dense)
    span = queries.span(str(NOW_MS - 3_600_000), str(NOW_MS))
    aggregates = queries.stats(
        parse(query).tree,
        span,
        functions=read_functions(functions, field),
        by=["service", "level"],
        interval="5m",
        limit=100,
    )

    assert "per_minute" in dense.plan(table.statement(aggregates.select()))


@pytest.mark.parametrize(
    ("query", "functions", "by", "projection"),
    [
        ("level:error", "count,avg", "service", "per_hour"),
        ("user_id:7", "count,avg", "", "per_user"),
        ("service:search", "count,p50,p99", "service", "response_times_per_hour"),
    ],
)
def test_whole_hours_are_read_from_hourly_rollups_with_the_same_result(
    dense: QueryTable, query: str, functions: str, by: str, projection: str
) -> None:
    queries, table = queries_of(dense)
    whole = queries.span(str(NOW_MS - 7_300_000), str(NOW_MS))
    found_functions = read_functions(functions, "response_time_ms")
    aggregates = queries.stats(
        parse(query).tree, whole, functions=found_functions, by=names_in(by), interval="", limit=100
    )

    assert projection in dense.plan(table.statement(aggregates.select()))

    # The same without one: no rollup has the message.
    by_rows = replace(aggregates, condition=table.condition(parse(f"({query}) AND message:*").tree))
    assert projection not in dense.plan(table.statement(by_rows.select()))
    found = queries.aggregates(aggregates, timeout_secs=30).rows
    expected = queries.aggregates(by_rows, timeout_secs=30).rows
    keys = len(aggregates.by)
    assert [row[:keys] for row in found] == [row[:keys] for row in expected]
    assert [list(row[keys:]) for row in found] == [pytest.approx(list(row[keys:]), rel=0.02) for row in expected]


@pytest.mark.parametrize(
    ("scope", "functions", "projection"),
    [
        ("service:pay*", "count,avg", "per_hour"),
        ("level:>=error OR service:search", "count,avg", "per_hour"),
        ("service:pay*", "p99", "response_times_per_hour"),
        ("user_id:7", "count,avg", "per_user"),
    ],
)
def test_whole_hours_are_read_from_hourly_rollups_within_a_scope_too(
    dense: QueryTable, scope: str, functions: str, projection: str
) -> None:
    everything, whole_table = queries_of(dense)
    table, queries = whole_table.within(Scope(parse(scope).tree)), everything.within(Scope(parse(scope).tree))
    span = queries.span(str(NOW_MS - 7_300_000), str(NOW_MS))
    aggregates = queries.stats(
        Everything(), span, functions=read_functions(functions, "response_time_ms"), by=[], interval="", limit=100
    )

    assert projection in dense.plan(table.statement(aggregates.select()))
    by_query = replace(aggregates, condition=whole_table.condition(parse(scope).tree))
    assert queries.aggregates(aggregates, timeout_secs=30).rows == everything.aggregates(by_query, timeout_secs=30).rows


@pytest.mark.parametrize(
    ("functions", "by", "interval", "relative"),
    [("count,sum,avg", "level", "1h", 1e-9), ("p50,p99,count", "service", "", 0.0)],
)
@pytest.mark.parametrize("few", [0, 3_500, 8_000])
def test_a_result_is_the_same_whatever_is_read_instead_of_rollups(
    dense: QueryTable, functions: str, by: str, interval: str, relative: float, few: int
) -> None:
    """The estimate makes the seconds that are taken to hold few rows: none, those at the ends, all."""
    queries, table = queries_of(dense)
    aggregates = queries.stats(
        Everything(),
        queries.span(str(NOW_MS - 7_329_001), str(NOW_MS - 12_345)),
        functions=read_functions(functions, "response_time_ms"),
        by=[by],
        interval=interval,
        limit=100,
    )

    def rows_in(span: TimeRange) -> float:
        return 0.0 if span.seconds < few else float("inf")

    found = table.run(aggregates.select(rows_in), timeout_secs=30).rows
    expected = table.run(aggregates.select(), timeout_secs=30).rows
    assert [row[:-3] for row in found] == [row[:-3] for row in expected]
    assert [row[-3:] for row in found] == [pytest.approx(row[-3:], rel=relative) for row in expected]


def test_the_logs_of_each_hour_are_counted_in_a_projection(dense: QueryTable) -> None:
    reader = Recorder(ClickHouseReader(dense.settings, QuerySettings()))
    end_ns = NOW_MS * 1_000_000 + 1
    counts = HourCounts(LogTable(reader), lambda: end_ns, time.monotonic)

    counts.refresh()

    assert "per_hour" in dense.plan(reader.statements[0])
    assert counts.rows_in(TimeRange(end_ns - 86_400 * SECOND_NS, end_ns)) == 50_000
    assert counts.rows_in(TimeRange(end_ns - 4500 * SECOND_NS, end_ns - 900 * SECOND_NS)) == pytest.approx(24_000, 0.01)


def queries_of(table: QueryTable) -> tuple[QueryService, LogTable]:
    """The query service of a table, and its statement builder."""
    logs = LogTable(ClickHouseReader(table.settings, QuerySettings()))
    return QueryService(logs), logs


@pytest.fixture(scope="module")
def dense(engine: RunningEngine) -> Iterator[QueryTable]:
    """A table with so many rows per minute that reading counts is cheaper."""
    made = QueryTable(engine)
    made.command(f"""
        INSERT INTO {{table}}
            (Timestamp, SeverityText, SeverityNumber, ServiceName, Body, UserId, TraceId, ResponseTimeMs)
        SELECT fromUnixTimestamp64Milli({NOW_MS} - 150 * number), ['INFO', 'ERROR'][number % 2 + 1],
            [9, 17][number % 2 + 1], ['payment-service', 'search'][number % 3 = 0 ? 1 : 2], 'ok',
            toString(number % 11), leftPad(toString(intDiv(number, 50)), 32, '0'), number % 100 + 0.25
        FROM numbers(50000)
    """)
    yield made
    made.drop()


def first_page(table: QueryTable, query: str) -> tuple[Page, list[Statement]]:
    """The newest 20 logs of two hours, and the statements that read them."""
    reader = Recorder(ClickHouseReader(table.settings, QuerySettings()))
    queries = QueryService(LogTable(reader))
    span = queries.span(str(NOW_MS - 7_300_000), str(NOW_MS))
    page = queries.page(queries.search(parse(query).tree, span, fields=[], limit=20, cursor=""), timeout_secs=30)
    return page, reader.statements


def test_the_newest_logs_of_a_user_are_read_from_where_a_projection_has_them(dense: QueryTable) -> None:
    page, statements = first_page(dense, "user_id:7 level:error")

    # Shortly after the start of a bucket it does not have enough rows, and the previous one is read too.
    where, *pieces = statements
    assert "per_user" in dense.plan(where)
    assert 1 <= len(pieces) <= 2
    assert all("PrimaryKey" in dense.plan(piece) for piece in pieces)
    assert len(page.rows) == 20
    assert page.cost.rows_read < 25_000  # of 50,000


def test_a_trace_is_found_in_a_projection_and_read_by_one_statement(dense: QueryTable) -> None:
    page, statements = first_page(dense, f"trace_id:{400:032}")

    [statement] = statements
    assert "PrimaryKey" in dense.plan(statement)
    assert len(page.rows) == 20
    # The rows of a granule of the table are counted twice, and a granule of the projection.
    assert page.cost.rows_read < 15_000  # of 50,000


def test_a_query_that_takes_too_long_is_reported(api: FlaskClient) -> None:
    answer = api.get(
        "/api/v1/stats", query_string={**RANGE, "timeout_ms": 1, "function": "p99", "field": "http.status_code"}
    )

    assert (answer.status_code, answer.json["error"]["code"]) == (504, "time_is_up")  # type: ignore[index]


def test_queries_without_a_slot_are_rejected(table: QueryTable) -> None:
    api = table.api(QuerySettings(max_concurrent=1, queue_secs=0, max_streams=1))
    stream = api.get("/api/v1/logs/tail")
    second = api.get("/api/v1/logs/tail")
    stream.close()

    assert (second.status_code, second.headers["Retry-After"]) == (429, "10")
    assert api.get("/api/v1/stats", query_string=RANGE).status_code == 200
