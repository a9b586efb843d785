"""A query whose request is cancelled while a statement runs: it ends, and no other begins."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.domain.cancellation import Cancellation
from app.domain.statement import Result, Statement
from app.errors import Abandoned, QueryTooExpensive, TryAgainLater
from app.query.functions import Function
from app.query.language import parse
from app.query.log_id import LogId
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.service import QueryService
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything
from tests.fakes import ScriptedReader
from tests.query.results import NOW_NS, result_of

DAY = TimeRange(NOW_NS - 24 * 3600 * SECOND_NS, NOW_NS)
LOG = LogId(NOW_NS - SECOND_NS, "topic-id", 2, 100, 0)
TREE, BY_USER, NOTHING = Everything(), parse("user_id:abc").tree, parse("servce:web")


def page(queries: QueryService) -> object:
    return queries.page(queries.search(TREE, DAY, fields=[], limit=1000, cursor=""), timeout_secs=10)


def sparse_page(queries: QueryService) -> object:
    return queries.page(queries.search(BY_USER, DAY, fields=[], limit=1000, cursor=""), timeout_secs=10)


def context(queries: QueryService) -> object:
    return queries.surroundings.around(LOG, same="", before=50, after=50, timeout_secs=10)


def stats(queries: QueryService) -> object:
    query = queries.stats(TREE, DAY, functions=[Function("count")], by=["user_id"], interval="", limit=5)
    return queries.aggregates(query, timeout_secs=10)


def fields(queries: QueryService) -> object:
    return queries.facets.fields(TREE, DAY, prefix="", limit=10, timeout_secs=10)


def values(queries: QueryService) -> object:
    return queries.facets.values("level", TREE, DAY, prefix="", limit=10, timeout_secs=10)


def hints(queries: QueryService) -> object:
    return queries.second_look.hints(NOTHING, DAY, timeout_secs=10)


def tail(queries: QueryService) -> object:
    return [row for _ in range(2) for row in queries.tail(TREE, fields=[], last_id="start").poll()]


QUERIES = [page, sparse_page, context, stats, fields, values, hints, tail]


class Client:
    """Goes while the statement with this number runs, from 1; ClickHouse then ends it with an error."""

    def __init__(self, goes_during: int, error: Exception) -> None:
        self.cancellation = Cancellation()
        self.reader = ScriptedReader(self._answer)
        self._goes_during, self._error = goes_during, error
        table = LogTable(self.reader)
        self.queries = QueryService(table, now_ns=lambda: NOW_NS).until(self.cancellation)

    def _answer(self, statement: Statement) -> Result:
        if len(self.reader.statements) < self._goes_during:
            return result_of(statement)
        going = threading.Thread(target=self.cancellation.cancel, daemon=True)
        going.start()
        while going.is_alive() and not self.reader.ended:
            going.join(0.001)
        raise self._error


@pytest.mark.parametrize(
    "error",
    [TryAgainLater("the query was cancelled", code="394"), QueryTooExpensive("time", "in the same moment")],
    ids=["killed", "timed out"],
)
@pytest.mark.parametrize("goes_during", [1, 2])
@pytest.mark.parametrize("query", QUERIES)
def test_the_running_statement_is_ended_and_no_other_begins(
    query: Callable[[QueryService], object], goes_during: int, error: Exception
) -> None:
    client = Client(goes_during, error)
    if goes_during == 2 and query in (stats, values):  # these have one statement
        query(client.queries)

    with pytest.raises(Abandoned):
        query(client.queries)

    assert len(client.reader.statements) == goes_during
    assert set(map(id, client.reader.ended)) == {id(client.reader.statements[-1])}


@pytest.mark.parametrize("query", QUERIES)
def test_a_client_that_has_gone_costs_no_statement(query: Callable[[QueryService], object]) -> None:
    client = Client(1, AssertionError("nothing may begin"))
    client.cancellation.cancel()

    with pytest.raises(Abandoned):
        query(client.queries)

    assert client.reader.statements == []


def test_a_cancellation_stays_with_a_narrower_scope() -> None:
    client = Client(1, AssertionError("nothing may begin"))
    client.cancellation.cancel()

    with pytest.raises(Abandoned):
        page(client.queries.within(Scope(parse("service:web").tree)))


def test_other_requests_go_on() -> None:
    reader = ScriptedReader(result_of)
    shared, cancellation = QueryService(LogTable(reader), now_ns=lambda: NOW_NS), Cancellation()
    cancellation.cancel()

    with pytest.raises(Abandoned):
        page(shared.until(cancellation))
    page(shared)
    page(shared.until(Cancellation()))

    assert reader.statements
    assert reader.ended == []
