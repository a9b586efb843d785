"""A scope on the real engine: no query finds, counts, lists or follows anything outside of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from app.backends.clickhouse.reader import ClickHouseReader
from app.query.density_estimate import Density
from app.query.errors import NoSuchLog
from app.query.fields import FIELDS
from app.query.functions import Function
from app.query.language import parse
from app.query.log_id import LogId
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.service import QueryService
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything, Node, Not
from app.settings import QuerySettings
from tests.query.evaluate import Row, finds
from tests.query.generated import DAY_NS, TIME_NS, rows, trees
from tests.query.stored_logs import Logs
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

KNOWN_FIELDS = [field for field in FIELDS if field.name != "_ingested"]  # filled in by the table
SPAN = TimeRange(TIME_NS - SECOND_NS, TIME_NS + 3 * DAY_NS)
SECS = 60.0
# Scopes on columns of rollups and projections, on others, on attributes in maps and columns, on both, and on nothing.
SCOPES: Final = {
    text: Scope(parse(text).tree)
    for text in (
        "service:*",
        "level:error",
        'user_id:""',
        "http.status_code:*",
        "host:* -level:info",
        "a OR b",
        "NOT *",
    )
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A table of generated logs, and its query service."""

    logs: Logs
    table: LogTable
    queries: QueryService

    def holding(self, *wanted: Node) -> list[Row]:
        """The logs that match all of these."""
        return [row for row in self.logs.stored if all(finds(tree, row) for tree in wanted)]


def id_of(row: Row) -> LogId:
    return LogId(row["Timestamp"], row["_topic_id"], row["_partition"], row["_offset"], row["_item"])


@pytest.fixture(scope="module")
def stored(engine: RunningEngine) -> Iterator[Stored]:
    logs = Logs(engine)
    logs.store(rows(300, seed=3))
    table = LogTable(ClickHouseReader(logs.settings, QuerySettings(max_threads=1)))  # few logs need no threads
    yield Stored(logs, table, QueryService(table, now_ns=lambda: SPAN.end_ns))
    logs.drop()


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(scope=trees(KNOWN_FIELDS), tree=trees(KNOWN_FIELDS))
def test_a_query_finds_and_counts_what_is_in_the_scope(stored: Stored, scope: Node, tree: Node) -> None:
    queries, shown = stored.queries.within(Scope(scope)), stored.holding(scope, tree)

    page = queries.page(queries.search(tree, SPAN, fields=["offset"], limit=1000, cursor=""), timeout_secs=SECS)
    count = queries.stats(tree, SPAN, functions=[Function("count")], by=[], interval="", limit=10)
    services = queries.stats(tree, SPAN, functions=[Function("count")], by=["service"], interval="", limit=1000)

    assert sorted(row.id for row in page.rows) == sorted(map(id_of, shown))
    assert [row[0] for row in queries.aggregates(count, timeout_secs=SECS).rows] == [len(shown)]
    by_service = {row[0]: row[1] for row in queries.aggregates(services, timeout_secs=SECS).rows}
    assert by_service == Counter(row["ServiceName"] for row in shown)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("typed", ["", "level:error", "user_id:*"])
def test_nothing_outside_of_the_scope_is_counted_over_time_or_listed(stored: Stored, scope: str, typed: str) -> None:
    queries, tree = stored.queries.within(SCOPES[scope]), parse(typed).tree
    shown = stored.holding(SCOPES[scope].tree, tree)

    bars = queries.aggregates(queries.histogram(tree, SPAN, by=["level"], interval="1d"), timeout_secs=SECS).rows
    fields = queries.facets.fields(tree, SPAN, prefix="", limit=1000, timeout_secs=SECS)
    values = queries.facets.values("http.status_code", tree, SPAN, prefix="", limit=1000, timeout_secs=SECS)

    assert sum(count for *_, count in bars) == fields.looked_at == len(shown)
    assert dict(fields.counts).get("user_id", 0) == sum(row["UserId"] != "" for row in shown)
    keys = {key for row in shown for key in row["LogAttributes"]}
    assert {name for name, _ in fields.counts if name in keys | {"two words", "ключ"}} == keys - {"level"}
    codes = [
        row["LogAttributes"].get("http.status_code") or row["ResourceAttributes"].get("http.status_code")
        for row in shown
    ]
    assert dict(values.counts) == Counter(filter(None, codes))


@pytest.mark.parametrize("scope", SCOPES)
def test_a_log_outside_of_the_scope_is_none_and_is_around_none(stored: Stored, scope: str) -> None:
    surroundings = stored.queries.within(SCOPES[scope]).surroundings
    shown = [id_of(row) for row in stored.holding(SCOPES[scope].tree)]

    for row in stored.holding(Not(SCOPES[scope].tree))[:5]:
        with pytest.raises(NoSuchLog):
            surroundings.log(id_of(row), timeout_secs=SECS)
        with pytest.raises(NoSuchLog):
            surroundings.around(id_of(row), same="", before=5, after=5, timeout_secs=SECS)
    for log_id in shown[:5]:
        assert surroundings.log(log_id, timeout_secs=SECS)[0].id == log_id
        around = surroundings.around(log_id, same="", before=1000, after=1000, timeout_secs=SECS)
        near = [other for other in shown if -DAY_NS <= other.timestamp_ns - log_id.timestamp_ns < DAY_NS]
        assert [row.id for row in around.rows] == sorted(near)


@pytest.mark.parametrize("scope", SCOPES)
def test_nothing_outside_of_the_scope_is_followed(stored: Stored, scope: str) -> None:
    tail = stored.queries.within(SCOPES[scope]).tail(Everything(), fields=["offset"], last_id="start")

    followed = [row.id for row in tail.poll()]
    while tail.is_behind:
        followed += [row.id for row in tail.poll()]

    assert sorted(followed) == sorted(id_of(row) for row in stored.holding(SCOPES[scope].tree))


@pytest.mark.parametrize("scope", SCOPES)
def test_density_is_estimated_from_logs_in_the_scope(stored: Stored, scope: str) -> None:
    table = stored.table.within(SCOPES[scope])
    day = TimeRange(TIME_NS - SECOND_NS, TIME_NS + 60 * SECOND_NS)
    density = Density(lambda: SPAN.end_ns)

    per_sec = density.expected(table, day, table.condition(Everything())).rows_per_sec

    count = sum(row["Timestamp"] < day.end_ns for row in stored.holding(SCOPES[scope].tree))
    is_counted = scope in ("service:*", "level:error")
    assert per_sec == (count / 600 if is_counted else 0.0)
