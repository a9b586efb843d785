"""The bench's history is as documented, and each kind of query returns rows from it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from random import Random
from typing import Any, cast

import pytest
from flask.testing import FlaskClient

from bench.history import DAYS, SERVICES, load_history, merge_days, merging_a_day
from bench.query_kinds import KINDS, Kind, SearchValues, sample_search_values
from bench.stack import DATABASE, BenchStack
from tests.e2e.pipeline import wait_until
from tests.e2e.query_table import api_over
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

ROWS = 30_000


class History:
    """A small history on the shared engine."""

    def __init__(self, engine: RunningEngine) -> None:
        self.stack = BenchStack(cast(Any, None), cast(Any, engine), cast(Any, None))
        self.table = f"history_{uuid.uuid4().hex[:8]}"
        self.stack.create_table(self.table)
        load_history(self.stack, self.table, ROWS)
        merge_days(self.stack, self.table)
        self.api: FlaskClient = api_over(self.stack.clickhouse_settings(self.table))
        self.values: SearchValues = sample_search_values(self.stack, self.table, ROWS, Random(1))

    def number(self, expression: str) -> float:
        return float(self.stack.query(f"SELECT {expression} FROM `{DATABASE}`.`{self.table}`"))


@pytest.fixture(scope="module")
def history(engine: RunningEngine) -> Iterator[History]:
    made = History(engine)
    yield made
    made.stack.drop_table(made.table)


def test_it_has_its_rows_each_with_a_unique_identity(history: History) -> None:
    assert history.number("count()") == ROWS
    assert history.number("uniqExact(_topic_id, _partition, _offset, _item)") == ROWS
    assert history.number("uniqExact(ServiceName)") == SERVICES
    assert history.number("dateDiff('day', min(Timestamp), now())") in (DAYS - 1, DAYS)
    assert 0.01 < history.number("countIf(SeverityText = 'ERROR') / count()") < 0.2
    assert history.number("countIf(Body LIKE '%{%' OR Body = '')") == 0


def test_a_day_is_merged_while_something_else_is_measured(history: History) -> None:
    with merging_a_day(history.stack, history.table) as merging:
        wait_until(lambda: merging.count >= 2, "a day was not merged twice")

    assert history.number("count()") == ROWS


def test_there_are_search_values(history: History) -> None:
    assert min(len(history.values.ids), len(history.values.traces), len(history.values.rare_words)) > 10


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_each_kind_of_query_returns_rows(history: History, kind: Kind) -> None:
    parameters = dict(kind.parameters(Random(1), history.values))
    path = kind.path.replace("{id}", parameters.pop("id", ""))

    answer = history.api.get(f"/api/v1{path}", query_string=parameters)

    assert answer.status_code == 200, answer.json
    assert cast(Any, answer.json)["rows"]
