"""/api/v1 without a ClickHouse: errors, and the OpenAPI document."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest

from app.access.principal import Principal, Right
from app.api.admission import Admission, StreamSlots
from app.api.app import create_app
from app.api.authentication import CredentialAuthenticator
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.responses import LogsResponse
from app.api.tail_routes import TailApi
from app.domain.statement import Result, Statement
from app.errors import QueryTooExpensive, Refused, TableMissing, TryAgainLater
from app.health import Health
from app.http.bridge import ON_CLIENT_GONE
from app.http.broken_off import BrokenOff
from app.metrics import Metrics
from app.query.attribute_reference import resolved
from app.query.functions import SUMMARY
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.service import QueryService
from app.settings import QuerySettings
from local.paths import ROOT
from tests.fakes import Clock, ScriptedReader
from tests.query.results import result_of
from tests.support.explaining import explain_api
from tests.support.openapi import require_valid
from tests.support.query_application import query_application

SECRET = "error 53 TYPE_MISMATCH: SELECT Body FROM logs.logs at http://10.0.0.5:8123"
DOCS = ROOT / "docs/api.md"


class Setup:
    """The API over a scripted reader."""

    def __init__(self) -> None:
        self.reader = ScriptedReader(lambda _: Result(("column_0",), [(5,)]))
        self.metrics = Metrics(CollectorRegistry(), version="0")
        limits, queries = QuerySettings(), QueryService(LogTable(self.reader))
        self.admission = Admission(1, wait_secs=0)
        streams = StreamSlots(1, self.metrics.query_streams)
        api = QueryApi(queries, limits, self.admission, streams, time.monotonic)
        tail = TailApi(queries, streams, is_stopping=lambda: True)
        routes = query_routes(api, tail, explain_api(queries), self.admission, self.metrics)
        self.client: FlaskClient = create_app(Health(), self.metrics.registry, routes).test_client()

    def error(self, path: str) -> dict[str, Any]:
        """The error response of a path."""
        answer = self.client.get(f"/api/v1/{path}")
        assert answer.json is not None
        error: dict[str, Any] = answer.json["error"]
        assert error["status"] == answer.status_code
        return error


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_an_invalid_query_is_reported_with_the_position_of_the_error(setup: Setup) -> None:
    error = setup.error("stats?query=level:error AND (timeout")

    assert (error["status"], error["code"], error["parameter"]) == (400, "bad_query", "query")
    assert error["position"] == len("level:error AND ")
    assert error["expected"] == [")"]
    assert setup.reader.statements == []


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("logs?limt=5", "limt"),
        ("logs?limit=0", "limit"),
        ("logs?limit=20000", "limit"),
        ("logs?start=yesterday", "start"),
        ("logs?start=now&end=now-1h", "start"),
        ("logs?cursor=x", "cursor"),
        ("logs/x", "id"),
        ("logs/1-2-3-4-t/context?same=user", "same"),
        ("histogram?interval=5", "interval"),
        ("histogram?start=now-30d&interval=1s", "interval"),
        ("stats?function=mean", "function"),
        ("stats?function=avg", "field"),
        ("stats?function=avg&field=message", "field"),
        ("stats?by=time", "by"),
        ("stats?by=count", "by"),
        ("histogram?by=timestamp", "by"),
        ("stats?start=2025", "start"),
        ("stats?end=2150-01-01", "end"),
        ("fields?prefix=a&prefix=b", "prefix"),
        ("logs/tail?last_id=x", "last_id"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(setup: Setup, path: str, parameter: str) -> None:
    error = setup.error(path)

    assert (error["status"], error["code"], error["parameter"]) == (400, "bad_parameter", parameter)


@pytest.mark.parametrize(
    "error",
    [
        TryAgainLater(SECRET, code="unreachable"),
        TableMissing(SECRET, code="60"),
        Refused(SECRET, code="53"),
        *(QueryTooExpensive(resource, SECRET) for resource in ("time", "memory", "rows")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", ["logs", "logs.csv", "stats", "fields", "logs/tail", "logs/1-2-3-4-t"])
def test_what_clickhouse_says_is_for_the_log_with_the_id_of_the_request(
    setup: Setup, caplog: pytest.LogCaptureFixture, path: str, error: Exception
) -> None:
    caplog.set_level("INFO", logger="app.api")
    setup.reader.errors.extend([error] * 5)

    answer = setup.client.get(f"/api/v1/{path}")

    assert answer.status_code >= 400
    assert SECRET not in answer.text
    assert [record.getMessage() for record in caplog.records] == [
        f"Request {answer.headers['X-Request-Id']} failed: {SECRET}"
    ]


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [("time", 504, "time_is_up"), ("memory", 422, "too_much_memory"), ("rows", 422, "too_much_rows")],
)
def test_a_query_over_a_limit_reports_the_limit(setup: Setup, what: str, status: int, code: str) -> None:
    setup.reader.errors.append(QueryTooExpensive(what, "too much"))

    error = setup.error("stats")

    assert (error["status"], error["code"]) == (status, code)


def test_an_unavailable_clickhouse_is_worth_a_retry(setup: Setup) -> None:
    setup.reader.errors.append(TryAgainLater("ClickHouse does not answer", code="unreachable"))

    answer = setup.client.get("/api/v1/stats")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_query_without_a_slot_gets_a_retry_time(setup: Setup) -> None:
    with setup.admission.slot("another"):
        answer = setup.client.get("/api/v1/stats")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert setup.reader.statements == []


@pytest.mark.parametrize(("asked_ms", "secs"), [("", 10.0), ("&timeout_ms=250", 0.25), ("&timeout_ms=999999", 60.0)])
def test_the_time_of_a_query_is_bounded(setup: Setup, asked_ms: str, secs: float) -> None:
    setup.client.get(f"/api/v1/stats?query=x{asked_ms}")

    assert setup.reader.timeouts_secs == [secs]


def test_a_hint_is_passed_on(setup: Setup) -> None:
    answer = setup.client.get("/api/v1/stats?query=servce:web").json

    assert answer is not None
    assert answer["hints"] == [{"message": "servce at 0: was service meant?", "query": "service:web"}]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("logs?q=x", "was query meant"),
        ("stats?group_by=service", "was by meant"),
        ("logs?sort=asc", "newest first"),
        ("logs?size=5", "was limit meant"),
        ("logs?from=now-1h", "was start meant"),
        ("logs?start=2026-11-24T12:00:00+01:00", "%2B"),
        ("logs?end=now+1h", "%2B"),
    ],
)
def test_a_parameter_of_another_api_is_answered_with_the_equivalent(setup: Setup, path: str, meant: str) -> None:
    assert meant in setup.error(path)["message"]


def test_an_error_holds_a_query_that_may_have_been_meant(setup: Setup) -> None:
    [hint] = setup.error("logs?query=level:error | stats count()")["hints"]

    assert hint["query"] == "level:error"


def nothing_found(statement: Statement) -> Result:
    """The result of a search that finds nothing, in logs that have a status code."""
    if "mapKeys" in statement.sql:
        in_other_case: list[list[str]] = [[]] * statement.sql.count("groupUniqArrayIf")
        return Result((), [(50_000, ["http.status_code"], [], *in_other_case)])
    return Result((), [])


def test_a_search_that_finds_nothing_is_looked_at_again_once(setup: Setup) -> None:
    setup.reader.answer = nothing_found

    answer = setup.client.get("/api/v1/logs?query=status:500&timeout_ms=500").json

    assert answer is not None
    assert answer["hints"][0]["query"] == "http.status_code:500"
    [look] = [at for at, statement in enumerate(setup.reader.statements) if "mapKeys" in statement.sql]
    assert setup.reader.timeouts_secs[look] <= 0.5


def test_logs_that_cannot_be_read_again_leave_the_hints_of_the_text(setup: Setup) -> None:
    def failing(statement: Statement) -> Result:
        if "mapKeys" in statement.sql:
            raise QueryTooExpensive("time", "too slow")
        return nothing_found(statement)

    setup.reader.answer = failing

    answer = setup.client.get("/api/v1/logs?query=service:svc-0?").json

    assert answer is not None
    assert [hint["query"] for hint in answer["hints"]] == ["service:svc-0*"]


@pytest.mark.parametrize("path", ["stats?query=status:500", "histogram?query=status:500", "fields?query=status:500"])
def test_only_searches_are_looked_at_again(setup: Setup, path: str) -> None:
    setup.client.get(f"/api/v1/{path}")

    assert not any("groupUniqArray" in statement.sql for statement in setup.reader.statements)


def test_responses_are_counted_by_endpoint_and_status(setup: Setup) -> None:
    setup.client.get("/api/v1/stats")
    setup.client.get("/api/v1/stats?function=mean")

    text = generate_latest(setup.metrics.registry).decode()

    assert 'log_query_answers_total{endpoint="stats",status="200"} 1.0' in text
    assert 'log_query_answers_total{endpoint="stats",status="400"} 1.0' in text
    assert 'log_query_duration_seconds_count{endpoint="stats"} 2.0' in text


# Clients that disconnect.


def gone(call: Callable[[], object]) -> None:
    """A server whose client has disconnected already."""
    call()


@pytest.mark.parametrize("path", ["logs", "logs?format=ndjson", "logs/tail", "stats", "histogram", "fields/x/values"])
def test_a_client_that_has_gone_costs_no_statement_and_is_no_error(setup: Setup, path: str) -> None:
    answer = setup.client.get(f"/api/v1/{path}", environ_overrides={ON_CLIENT_GONE: gone})

    assert answer.status_code == 499
    assert setup.reader.statements == []
    assert 'status="499"} 1.0' in generate_latest(setup.metrics.registry).decode()


@pytest.mark.parametrize("path", ["stats", "logs/tail"])
def test_a_complete_response_has_nothing_left_to_end(setup: Setup, path: str) -> None:
    calls: list[Callable[[], object]] = []
    setup.reader.answer = realistic
    setup.client.get(f"/api/v1/{path}", environ_overrides={ON_CLIENT_GONE: calls.append})

    [cancel] = calls
    cancel()

    assert setup.reader.statements
    assert setup.reader.ended == []


def many(statement: Statement) -> Result:
    """A full page of the same row."""
    result = realistic(statement)
    return replace(result, rows=list(result.rows) * 5_000)


def long_rows(statement: Statement) -> Result:
    """A thousand rows of about ten megabytes."""
    result = realistic(statement)
    if "id_timestamp_ns" not in result.columns:
        return result
    long = [["x" * 1_000 if str(value).startswith("text of") else value for value in row] for row in result.rows]
    return replace(result, rows=long * 1_000)


@pytest.mark.parametrize("goes", [False, True])
def test_an_export_ends_quietly_when_its_client_goes(setup: Setup, goes: bool) -> None:
    calls: list[Callable[[], object]] = []
    setup.reader.answer = many
    overrides = {ON_CLIENT_GONE: calls.append}
    answer = setup.client.get("/api/v1/logs?format=ndjson&limit=10000", environ_overrides=overrides, buffered=False)
    pieces = answer.iter_encoded()
    text = next(pieces)
    begun = len(setup.reader.statements)
    if goes:
        calls[0]()
    text += b"".join(pieces)

    assert text.count(b'"id"') == 5_000
    assert (len(setup.reader.statements) == begun) is goes


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_a_slow_client_of_an_export_has_little_text_in_memory(setup: Setup, kind: str) -> None:
    setup.reader.answer = many

    answer = setup.client.get(f"/api/v1/logs?format={kind}&limit=5000", buffered=False)
    pieces = list(answer.iter_encoded())

    assert sum(map(len, pieces)) > 1_000_000
    assert max(map(len, pieces)) < 100_000


def test_a_page_is_as_described_and_says_how_long_it_is(setup: Setup) -> None:
    setup.reader.answer = realistic

    answer = setup.client.get("/api/v1/logs?limit=1")

    assert answer.content_length == len(answer.data)
    assert list(LogsResponse.model_validate_json(answer.data).rows[0])[:2] == ["id", "timestamp"]
    assert answer.json is not None
    assert list(answer.json) == ["rows", "complete", "statistics", "next_cursor"]


def test_pages_that_nobody_reads_leave_no_room_for_more_until_they_are_gone(setup: Setup) -> None:
    setup.reader.answer = long_rows
    path = "/api/v1/logs?limit=10000"

    unread = [setup.client.get(path, buffered=False) for _ in range(4)]

    error = setup.error("logs?limit=10000")
    assert (error["status"], error["code"]) == (429, "too_busy")
    for answer in unread:
        answer.close()
    assert setup.client.get(path).status_code == 200


def test_the_document_is_openapi(setup: Setup) -> None:
    document = setup.client.get("/api/v1/openapi.json").json

    assert document is not None
    require_valid(document)
    assert document["openapi"] == "3.1.0"


def test_the_document_and_the_docs_name_the_same_endpoints(setup: Setup) -> None:
    document = setup.client.get("/api/v1/openapi.json").json

    assert document is not None
    in_docs = {f"/api/v1{path}" for path in re.findall(r"^\| `(?:POST )?(/[^`]+)` \|", DOCS.read_text(), re.MULTILINE)}
    assert set(document["paths"]) == in_docs


def test_the_docs_name_every_function() -> None:
    assert f"| `/stats` | {SUMMARY}," in DOCS.read_text()


def test_the_page_contacts_no_other_host(setup: Setup) -> None:
    with setup.client.get("/api/v1/docs") as page:
        assert page.headers["Content-Security-Policy"] == "default-src 'self'"
        names = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))

    assert len(names) == 3
    for name in names:
        with setup.client.get(f"/api/v1/{name}") as answer:
            assert answer.status_code == 200


# Conventions of HTTP.


def realistic(statement: Statement) -> Result:
    """A result with the columns of a statement."""
    return result_of(Statement(resolved(statement.sql, statement.parameters), statement.parameters))


def test_head_runs_no_query(setup: Setup) -> None:
    answer = setup.client.head("/api/v1/logs?query=x")

    assert (answer.status_code, answer.content_type, answer.data) == (200, "application/json", b"")
    assert setup.client.head("/api/v1/logs?query=(").status_code == 200
    assert setup.client.head("/api/v1/logs?limit=0").status_code == 400
    assert setup.reader.statements == []


@pytest.mark.parametrize("path", ["logs/search", "stats", "histogram", "fields", "fields/service/values"])
def test_a_long_query_can_be_posted_as_a_form(setup: Setup, path: str) -> None:
    setup.reader.answer = realistic
    query = "service:(" + " OR ".join(f"a-service-with-a-long-name-{n}" for n in range(90)) + ")"

    posted = setup.client.post(f"/api/v1/{path}", data={"query": query, "start": "now-2h"})
    wrong = setup.client.post(f"/api/v1/{path}", data={"colour": "red"})
    other = setup.client.post(f"/api/v1/{path}", json={"query": query})

    assert len(query) > 2_500
    assert posted.status_code == 200
    assert "a-service-with-a-long-name-89" in str(setup.reader.statements[-1].parameters.values())
    assert wrong.json is not None
    assert wrong.json["error"]["parameter"] == "colour"
    assert other.status_code == 415


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("*/*", "application/json"),
        ("text/html, */*;q=0.8", "application/json"),
        ("image/png", "application/json"),
    ],
)
def test_the_format_is_the_one_that_is_accepted(setup: Setup, accept: str, kind: str) -> None:
    setup.reader.answer = realistic

    assert setup.client.get("/api/v1/logs", headers={"Accept": accept}).headers["Content-Type"] == kind


def test_a_parameter_precedes_the_accept_header(setup: Setup) -> None:
    setup.reader.answer = realistic
    answer = setup.client.get("/api/v1/logs?format=csv", headers={"Accept": "application/json"})

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="logs.csv"'


@pytest.mark.parametrize(("method", "path"), [("GET", "logs"), ("POST", "logs/search")])
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("", "application/json"), (".ndjson", "application/x-ndjson"), (".csv", "text/csv; charset=utf-8")],
)
def test_each_format_has_a_path_with_one_media_type(
    setup: Setup, method: str, path: str, suffix: str, kind: str
) -> None:
    setup.reader.answer = realistic
    document = setup.client.get("/api/v1/openapi.json").json

    answer = setup.client.open(f"/api/v1/{path}{suffix}", method=method)

    assert answer.headers["Content-Type"] == kind
    assert document is not None
    described = document["paths"][f"/api/v1/{path}{suffix}"][method.lower()]
    assert [*described["responses"]["200"]["content"]] == [kind]


def test_a_path_precedes_the_accept_header(setup: Setup) -> None:
    setup.reader.answer = realistic
    accept = {"Accept": "application/json"}

    assert setup.client.get("/api/v1/logs.ndjson", headers=accept).headers["Content-Type"] == "application/x-ndjson"
    assert setup.client.head("/api/v1/logs.csv?format=csv").headers["Content-Type"] == "text/csv; charset=utf-8"
    assert setup.error("logs.csv?format=ndjson")["message"] == "format=ndjson: input should be 'csv'"


@pytest.mark.parametrize("path", ["stats?query=%FF", "stats?query=a%C3", "stats?%E4=x"])
def test_a_url_that_is_not_utf_8_is_refused(setup: Setup, path: str) -> None:
    error = setup.error(path)
    in_path = setup.client.get("/", environ_overrides={"PATH_INFO": "/api/v1/fields/\xff/values"})

    assert error["status"] == 400
    assert error["message"].startswith("The URL is not UTF-8: %")
    assert in_path.status_code == 400
    assert setup.reader.statements == []


@pytest.mark.parametrize("is_revoked", [False, True])
def test_an_export_breaks_when_its_token_ends(is_revoked: bool) -> None:
    clock, known = Clock(), {"reader": Principal("reader", (Right.READ,))}
    authenticator = CredentialAuthenticator([lambda head: known.get("reader")])
    http = query_application(ScriptedReader(many), clock=clock, authenticator=authenticator).test_client()
    with http.get("/api/v1/logs.ndjson", buffered=False) as answer:
        parts = iter(answer.response)
        assert next(parts)
        clock.advance(10)
        if is_revoked:
            del known["reader"]

        with pytest.raises(BrokenOff) if is_revoked else nullcontext():
            assert list(parts)


def test_a_tail_ends_when_its_token_does() -> None:
    clock, metrics = Clock(), Metrics(CollectorRegistry(), version="0")
    queries, streams = QueryService(LogTable(ScriptedReader(result_of))), StreamSlots(1, metrics.query_streams)
    api = QueryApi(queries, QuerySettings(), Admission(1, wait_secs=0), streams, clock)
    tail = TailApi(queries, streams, is_stopping=lambda: False, clock=clock)
    routes = query_routes(api, tail, explain_api(queries), Admission(1, wait_secs=0), metrics)
    reader = Principal("reader", (Right.READ,))
    known = {"reader": reader}
    authenticator = CredentialAuthenticator([lambda head: known.get("reader")])
    http = create_app(Health(), metrics.registry, routes, authenticator=authenticator).test_client()

    def turns() -> Iterator[str | bytes]:
        """The stream, in which each event or pause takes ten seconds."""
        with http.get("/api/v1/logs/tail", buffered=False) as answer:
            for part in answer.response:
                clock.advance(10)
                yield part

    stream = turns()
    while_it_is_valid = [next(stream) for _ in range(10)]
    known["reader"] = Principal("reader", (Right.READ,), Scope(parse("service:a").tree))
    afterwards = list(islice(stream, 10))

    assert len(while_it_is_valid) == 10
    assert len(afterwards) <= 2
