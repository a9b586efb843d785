"""No statement bypasses a scope, for every endpoint and any query. contract/ checks the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import Phase, given, settings
from prometheus_client import CollectorRegistry

from app.access.principal import Principal, Right
from app.api.admission import Admission, StreamSlots
from app.api.app import create_app
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.request_head import RequestHead
from app.api.tail_routes import TailApi
from app.domain.statement import Statement
from app.health import Health
from app.metrics import Metrics
from app.query.attribute_reference import resolved
from app.query.condition import condition_of
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.scope import EVERYTHING, Scope
from app.query.service import QueryService
from app.query.tree import Everything, Node, all_of
from app.settings import QuerySettings
from tests.fakes import Clock, ScriptedReader
from tests.query.generated import trees
from tests.query.results import NOW_NS, result_of
from tests.query.show import show
from tests.support.explaining import explain_api

LOG: Final = "1795435199000000000-2-100-0-topic-id"
# Every endpoint, with the parameters that change its statements.
REQUESTS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "/logs": ({}, {"limit": "2"}, {"format": "ndjson", "fields": "http.route,host"}),
    "/logs.ndjson": ({},),
    "/logs.csv": ({},),
    "/logs/search": ({}, {"format": "csv"}),
    "/logs/search.ndjson": ({},),
    "/logs/search.csv": ({},),
    "/logs/{id}": ({},),
    "/logs/{id}/explain": ({},),
    "/logs/{id}/context": ({"same": ""}, {"same": "service"}, {"same": "host"}, {"same": "trace"}),
    "/histogram": ({}, {"by": "http.route", "start": "now-30d"}),
    "/stats": (
        {"function": "avg,count", "field": "response_time_ms", "by": "service", "start": "now-26h"},
        {"function": "p99", "field": "response_time_ms", "start": "now-3d"},
        {"by": "user_id", "start": "now-7d"},
        {"function": "count_distinct", "field": "http.size", "interval": "1h"},
    ),
    "/fields": ({}, {"prefix": "a"}),
    "/fields/{+name}/values": ({}, {"prefix": "e"}),
    "/logs/tail": ({"last_id": "topic-id:0:5:0,topic-id:1:7:2"}, {}),
}
# Over all logs, because a query every half second must not read rows: it returns only offsets.
EXTENTS: Final = (
    "SELECT _topic_id, _partition, min(_offset), max(_offset) FROM {table} WHERE _topic_id != ''"
    " GROUP BY _topic_id, _partition SETTINGS preferred_optimize_projection_name = 'ledger'"
)
COUNTS: Final = "SELECT ServiceName, SeverityText, SeverityNumber, sum(logged), max(step) FROM"  # for the density
WHAT_FOLLOWS_WHERE: Final = re.compile(r"$|\)| GROUP BY | ORDER BY | LIMIT | SETTINGS ")


class _Limited:
    """Accepts every request, limited to the logs of a scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """See `Authenticator`."""
        return Principal("limited", (right,), self._scope)


class Setup:
    """The API for a caller who may see the logs of a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.reader = ScriptedReader(
            lambda statement: result_of(Statement(resolved(statement.sql, statement.parameters), statement.parameters))
        )
        metrics = Metrics(CollectorRegistry(), version="0")
        self._clock = Clock()
        queries = QueryService(LogTable(self.reader), now_ns=lambda: NOW_NS, clock=self._clock)
        admission, streams = Admission(1, wait_secs=0), StreamSlots(1, metrics.query_streams)
        api = QueryApi(queries, QuerySettings(), admission, streams, lambda: 0.0)
        self._is_stopping: Iterator[bool] = iter(())
        tail = TailApi(queries, streams, is_stopping=lambda: next(self._is_stopping))
        explain = explain_api(queries)
        self.paths = {endpoint.path for endpoint in [*api.endpoints(), explain.endpoint(), tail.endpoint()]}
        routes = query_routes(api, tail, explain, admission, metrics)
        self._client: FlaskClient = create_app(
            Health(), metrics.registry, routes, authenticator=_Limited(scope)
        ).test_client()

    def statements(self, tree: Node) -> list[Statement]:
        """All statements of the endpoints for a query."""
        self.reader.statements.clear()
        for path, given_parameters in REQUESTS.items():
            for parameters in given_parameters:
                self._get(path, {**({} if "{id}" in path else {"query": show(tree)}), **parameters})
        return self.reader.statements

    def _get(self, path: str, parameters: Mapping[str, Any]) -> None:
        self._is_stopping = iter([False, True])
        self._clock.advance(3_600)  # nothing is known from the request before
        before = len(self.reader.statements)
        url = path.replace("{id}", LOG).replace("{+name}", quote("http.route"))
        method = "POST" if path.startswith("/logs/search") else "GET"
        with self._client.open(f"/api/v1{url}", method=method, query_string=parameters) as answer:
            text = answer.get_data(as_text=True)
            assert answer.status_code == 200, text
            assert "trouble" not in text
        assert len(self.reader.statements) > before


def unscoped(statement: Statement, scope: Scope) -> list[str]:
    """The text after each reference to the table that lacks the scope."""
    condition = condition_of(scope.tree, prefix="scope")
    if any(statement.parameters.get(name) != value for name, value in condition.parameters.items()):
        return [statement.sql]
    begin = re.compile(f" (?:PRE)?WHERE {re.escape(condition.sql)} AND ")
    reads = [statement.sql[found.end() :] for found in re.finditer(r"\{table\}", statement.sql)]
    return [read for read in reads if not ((begun := begin.match(read)) and is_closed(read[begun.end() :]))]


def is_closed(where: str) -> bool:
    """Whether the other conditions are in parentheses, so that no OR among them undoes the first."""
    depth = 0
    for at, character in enumerate(where):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return at > 0 and WHAT_FOLLOWS_WHERE.match(where, at + 1) is not None
    return False


# No shrinking: finding the smallest failing tree would take minutes.
@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(scope=trees().filter(lambda tree: tree != Everything()), tree=trees())
def test_no_statement_of_any_endpoint_is_without_the_scope(scope: Node, tree: Node) -> None:
    setup = Setup(Scope(scope))

    for statement in setup.statements(tree):
        assert statement.sql == EXTENTS or unscoped(statement, setup.scope) == []


def test_a_select_within_another_has_the_scope_too() -> None:
    setup = Setup(Scope(parse("trace_id:b").tree))

    statements = [statement for statement in setup.statements(parse("trace_id:a").tree) if statement.sql != EXTENTS]

    assert any(" GLOBAL IN (SELECT " in statement.sql for statement in statements)
    assert not any(unscoped(statement, setup.scope) for statement in statements)


def test_every_endpoint_is_covered() -> None:
    assert Setup(EVERYTHING).paths == REQUESTS.keys()


def test_a_statement_without_the_scope_would_be_seen() -> None:
    scope = Scope(parse("service:a OR service:b").tree)
    statements = Setup(EVERYTHING).statements(Everything())

    assert all(unscoped(statement, scope) for statement in statements)


@pytest.mark.parametrize("where", ["(a) OR b", "(a) OR (b)", "a", "(a", "() OR 1"])
def test_a_condition_that_could_undo_the_scope_would_be_seen(where: str) -> None:
    assert not is_closed(where)


def test_a_scope_within_a_scope_shows_what_both_do() -> None:
    outer, inner = Scope(parse("service:a OR service:b").tree), Scope(parse("level:error").tree)
    table = LogTable(ScriptedReader())

    assert table.within(outer).within(inner).scope == Scope(all_of([outer.tree, inner.tree]))
    assert table.within(outer).within(EVERYTHING).scope == outer
    assert table.within(EVERYTHING).scope == EVERYTHING


def aggregate_steps(scope: str, query: str, *, by: list[str]) -> set[str]:
    """The steps of the rollups that counts within a scope are read from."""
    table = LogTable(ScriptedReader()).within(Scope(parse(scope).tree))
    queries = QueryService(table, now_ns=lambda: NOW_NS)
    aggregates = queries.histogram(parse(query).tree, queries.span("now-3h", "now"), by=by, interval="1h")
    return set(
        re.findall(r"toStartOf(Hour|FiveMinutes|Minute)\(Timestamp\) >= ", table.statement(aggregates.select()).sql)
    )


@pytest.mark.parametrize(
    ("scope", "query", "by", "steps"),
    [
        ("service:pay*", "level:error", ["level"], {"Hour"}),
        ("-level:debug", "", ["service"], {"Hour"}),
        ("user_id:7", "", [], {"FiveMinutes"}),
        ("http.route:x", "level:error", ["level"], set()),
        ("service:pay*", "user_id:7", [], set()),
        ("user_id:7", "", ["service"], set()),
    ],
)
def test_rollups_are_read_if_they_cover_the_scope(scope: str, query: str, by: list[str], steps: set[str]) -> None:
    assert aggregate_steps(scope, query, by=by) == steps


def page_statements(scope: str, query: str) -> list[str]:
    """The statements for a page of a search within a scope."""
    reader = ScriptedReader()
    reader.answer = lambda statement: result_of(
        Statement(resolved(statement.sql, statement.parameters), statement.parameters)
    )
    queries = QueryService(LogTable(reader), now_ns=lambda: NOW_NS).within(Scope(parse(scope).tree))
    search = queries.search(parse(query).tree, queries.span("now-1h", "now"), fields=[], limit=2, cursor="")
    queries.page(search, timeout_secs=1)
    return [statement.sql for statement in reader.statements]


@pytest.mark.parametrize(
    ("scope", "query", "is_looked_up"),
    [
        ("user_id:7", "level:error", True),
        ("user_id:7", "user_id:8", True),
        ("service:pay*", "user_id:7", False),
        ("user_id:7", "trace_id:a", True),
        ("level:error", "trace_id:a", False),
    ],
)
def test_a_user_or_a_trace_is_looked_up_if_the_projection_covers_the_scope(
    scope: str, query: str, is_looked_up: bool
) -> None:
    assert any("AS bucket_start" in sql for sql in page_statements(scope, query)) == is_looked_up


@pytest.mark.parametrize(("scope", "looks"), [("service:pay*", 1), ("http.route:x", 0)])
def test_density_is_queried_if_the_projection_covers_the_scope(scope: str, looks: int) -> None:
    assert sum(sql.startswith(COUNTS) for sql in page_statements(scope, "timeout")) == looks


@pytest.mark.parametrize(
    ("scope", "is_unindexed"), [("service:a", True), ("k8s.pod:a", False), ("-http.route:/pay OR level:error", False)]
)
def test_a_scope_by_the_text_of_an_attribute_asks_the_indexes_like_a_query(scope: str, is_unindexed: bool) -> None:
    table = LogTable(ScriptedReader(), Scope(parse(scope).tree))

    assert table.condition(Everything()).is_unindexed is is_unindexed
    assert LogTable(ScriptedReader()).condition(parse(scope).tree).is_unindexed is is_unindexed


def test_density_is_cached_for_each_scope() -> None:
    reader = ScriptedReader(result_of)
    queries = QueryService(LogTable(reader), now_ns=lambda: NOW_NS, clock=lambda: 0.0)
    for service in ("a", "b", "a"):
        seen = queries.within(Scope(parse(f"service:{service}").tree))
        seen.facets.fields(Everything(), seen.span("now-1h", "now"), prefix="", limit=5, timeout_secs=1)

    densities = [statement.parameters for statement in reader.statements if statement.sql.startswith(COUNTS)]
    assert densities == [{"scope_0": "a"}, {"scope_0": "b"}]
