"""Hints on the real engine: a search that finds nothing is answered with a query that finds what was meant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from app.backends.clickhouse.reader import ClickHouseReader
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.service import QueryService
from app.query.tree import Hint
from app.settings import QuerySettings
from tests.e2e.query_table import QueryTable
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

NOW_MS: Final = int(time.time()) // 60 * 60_000
RANGE: Final = {"start": str(NOW_MS - 3_600_000), "end": str(NOW_MS + 1)}
LOGS: Final[tuple[dict[str, Any], ...]] = (
    {"message": "java.io.IOException: No space left on device", "service": "checkout", "level": "error"},
    {"message": "Timeout: card declined", "service": "checkout", "level": "warn"},
    {"message": "cannot reach 10.0.0.1:443", "service": "svc-01", "level": "info"},
    {"message": "broker localhost:9092 refused", "service": "svc-02", "level": "info"},
    {"message": "GET https://shop.example/api failed", "attributes": {"http.status_code": "500"}, "level": "debug"},
    {"message": "no route to fe80::1", "attributes": {"client.ip": "10.1.2.3"}, "response_time_ms": 700},
    {"message": "at 10:15:30 it began", "trace_id": "0123456789abcdef0123456789abcdef"},
    {"message": "one\tof\tthree: a [b] c|d", "attributes": {"client.ip": "172.20.0.9", "Region": "EU-West"}},
)


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    made.store([(NOW_MS - 1000 * (n + 1), {"service": "web", **log}) for n, log in enumerate(LOGS)])
    yield made
    made.drop()


@pytest.fixture(scope="module")
def api(table: QueryTable) -> FlaskClient:
    return table.api()


def found_by(api: FlaskClient, query: str) -> dict[str, Any]:
    answer = api.get("/api/v1/logs", query_string={**RANGE, "query": query}).json
    assert answer is not None
    return dict(answer)


def offsets(answer: dict[str, Any]) -> list[int]:
    """The numbers of the logs in LOGS."""
    return sorted(row["offset"] for row in answer["rows"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("java.io.IOException: No space left on device", [0]),
        ("java.io.IOException: No space left level:error", [0]),
        ("Timeout: card declined", [1]),
        ("10.0.0.1:443", [2]),
        ("reach 10.0.0.1:443", [2]),
        ("localhost:9092", [3]),
        ("localhost:9092 refused", [3]),
        ("https://shop.example/api", [4]),
        ("fe80::1", [5]),
        ("10:15:30", [6]),
        ("http.status_code=500", [4]),
        ("status=500", [4]),
        ("service:svc-0?", [2, 3]),
        ("time?", [1]),
        ("timeout~1", [1]),
        ("timeout~", [1]),
        ("timeout^2", [1]),
        ('"card declined"~2', [1]),
        ("timeo.*", [1]),
        ("service:svc.*", [2, 3]),
        ("client.ip:10.0.0.0/8", [5]),
        ("client.ip:172.16.0.0/12", [7]),
        ("status:500", [4]),
        ("status_code:>=500", [4]),
        ("Http.Status_Code:500", [4]),
        ("status:5xx", [4]),
        ("http.status_code:5xx", [4]),
        ("trace:0123456789abcdef0123456789abcdef", [6]),
        ("region:EU-West", [7]),
        ("Region:eu-west", [7]),
        ("service:CHECKOUT", [0, 1]),
        ("service:Checkout level:40", [1]),
        ("service:svc-01,svc-02", [2, 3]),
        ("level:30", [2, 3]),
        ("level:17", [0]),
        ("'card declined'", [1]),
        ("service:'checkout'", [0, 1]),
        ("WARN", [1]),
        ("level:eror", [0]),
        ("cannot reach 10.0.0.1:443", [2]),
        ("at 10:15:30 it began", [6]),
        ("level: ERROR, WARN", [0, 1]),
        ("level:error|warn", [0, 1]),
        ("level in (error, warn)", [0, 1]),
        ("service:(svc-01, svc-02)", [2, 3]),
        ("trace_id:null level:error", [0]),
        ("trace_id IS NULL level:error", [0]),
        ("has:trace_id", [6]),
        ("service.keyword:checkout", [0, 1]),
        ("statusCode:500", [4]),
        ("duration:>500", [5]),
        ("latency>500ms", [5]),
        ("message~timeout", [1]),
        ("message:~timeout", [1]),
        ("/timeout/", [1]),
        ("client.ip=10.0.0.0/8", [5]),
        ("service:CHECK*", [0, 1]),
    ],
)
def test_a_misread_query_is_answered_with_the_one_that_was_meant(
    api: FlaskClient, typed: str, meant: list[int]
) -> None:
    answer = found_by(api, typed)

    assert answer["rows"] == []
    assert answer["hints"][0]["message"]
    assert meant in [offsets(found_by(api, hint["query"])) for hint in answer["hints"] if "query" in hint][:2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("level=error", [0]),
        ("level = error", [0]),
        ("level==error", [0]),
        ("level:ERROR,WARN", [0, 1]),
        ("level!=error level!=warn service!=web", [2, 3]),
        ("response_time_ms>500", [5]),
        ("response_time_ms >= 700", [5]),
        ("http.status_code>=500", [4]),
        ("http.status_code = 500", [4]),
        ('service="svc-01"', [2]),
        ("_exists_:trace_id", [6]),
        ("NOT _exists_:trace_id", [0, 1, 2, 3, 4, 5, 7]),
        ("_exists_:client.ip", [5, 7]),
        ("_missing_:trace_id level:error", [0]),
        ("service='svc-01'", [2]),
        ("trace_id != null", [6]),
    ],
)
def test_what_can_only_be_meant_in_one_way_is_done(api: FlaskClient, typed: str, meant: list[int]) -> None:
    assert offsets(found_by(api, typed)) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ('{service="checkout"}', [0, 1]),
        ('{service=~"svc-.*", level="info"} |= "localhost"', [3]),
        ('level:error |= "space"', [0]),
        ("level:error | stats count() by service", [0]),
        ("service:checkout | where level=warn", [1]),
        ("three: a [b]", [7]),
        ("::1", [5]),
        ('"card declined', [1]),
        ("SELECT * FROM logs WHERE service = 'checkout' and level = 'warn' LIMIT 5", [1]),
        ('sum(rate({service="checkout"}[5m]))', [0, 1]),
        ("level:[ERROR, WARN]", [0, 1]),
        ("message:*timeout*", [1]),
        ("response_time_ms:>0.5s", [5]),
        ("level:>=40", [0, 1]),
        ('service=~"svc-.*"', [2, 3]),
    ],
)
def test_a_query_of_another_language_is_refused_with_its_filters(
    api: FlaskClient, typed: str, meant: list[int]
) -> None:
    answer = found_by(api, typed)
    hints = answer["error"]["hints"] if "error" in answer else answer["hints"]

    assert meant in [offsets(found_by(api, hint["query"])) for hint in hints]


def test_a_search_that_found_something_costs_no_second_look(api: FlaskClient) -> None:
    assert "hints" not in found_by(api, "localhost")


def test_a_range_without_logs_is_said_to_have_none(api: FlaskClient) -> None:
    answer = api.get("/api/v1/logs", query_string={"start": "2020-01-01", "end": "2020-01-02", "query": "a:b"}).json

    assert answer is not None
    assert answer["hints"] == [{"message": "There are no logs at all in this time range."}]


def test_hints_tell_nothing_about_logs_outside_of_the_scope(table: QueryTable) -> None:
    queries = QueryService(LogTable(ClickHouseReader(table.settings, QuerySettings())))
    span = queries.span(**RANGE)

    def hints(typed: str, scope: str) -> list[Hint]:
        seen = queries.within(Scope(parse(scope).tree))
        return seen.second_look.hints(parse(typed), span, timeout_secs=10)

    for typed in ("service:CHECKOUT", "client:5", "status:500", "Region:eu-west"):
        assert hints(typed, "*") != []
        assert "checkout" not in str(hints(typed, "service:svc-01"))
        assert "status_code" not in str(hints(typed, "service:svc-01"))
        assert "EU-West" not in str(hints(typed, "service:svc-01"))
