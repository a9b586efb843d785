"""Queries on the real engine: the SQL finds what a plain Python evaluator finds, by the index where there is one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.backends.clickhouse.attributes import DEFAULTS, attribute_columns
from app.backends.clickhouse.client import connect
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.rows import SCHEMA, concatenate
from app.query.attribute_reference import resolved
from app.query.condition import condition_of
from app.query.fields import FIELDS, Kind
from app.query.language import MAX_BYTES, MAX_DEPTH, MAX_TERMS, parse
from app.query.tree import Node, Words
from app.query.words import lowered, words_of
from app.settings import ClickHouseSettings
from tests.query.evaluate import Row, finds
from tests.query.generated import TIME_NS, attribute_terms, rows, terms_about, texts, trees
from tests.query.show import show
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

NEVER_MS = 10_000_000_000_000  # in the year 2286
PARTS = 3
ROWS_PER_PART = 300
KNOWN_FIELDS = [field for field in FIELDS if field.name != "_ingested"]  # the table fills that one in


MANY_QUERIES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Logs:
    """A table of its own and what was stored in it."""

    def __init__(self, engine: RunningEngine) -> None:
        self._settings = ClickHouseSettings.model_validate(
            {
                "url": engine.url,
                "user": engine.user or "default",
                "password": engine.password,
                "database": "contract",
                "table": f"query_{uuid.uuid4().hex[:12]}",
                "retention_days": 3650,  # the rows are of long ago
            }
        )
        self.stored: list[Row] = []
        self._writer = ClickHouseWriter(self._settings)
        self._client = connect(self._settings, timeout_secs=60)
        self._table = f"`{self._settings.database}`.`{self._settings.table}`"
        ensure_table(self._settings)
        names = {"database": self._settings.database, "of_table": self._settings.table}
        self._columns = attribute_columns(
            (name, expression) for name, expression in self._client.query(DEFAULTS, parameters=names).result_rows
        )

    def store(self, added: Sequence[dict[str, Any]]) -> None:
        blocks = [pa.record_batch([_column(row, field) for field in SCHEMA], schema=SCHEMA) for row in added]
        self._writer.insert(concatenate(blocks), uuid.uuid4().hex, NEVER_MS)
        self.stored.extend(added)

    def found_by(self, tree: Node, **settings: Any) -> list[int]:
        """Offsets of the rows that the engine finds."""
        condition = condition_of(tree)
        sql = resolved(condition.sql, condition.parameters, self._columns)
        answer = self._client.query(
            f"SELECT _offset FROM {self._table} WHERE {sql} ORDER BY _offset",
            parameters=dict(condition.parameters),
            settings=settings,
        )
        return [offset for (offset,) in answer.result_rows]

    def holding(self, tree: Node) -> list[int]:
        """Offsets of the rows that the evaluator finds."""
        return [row["_offset"] for row in self.stored if finds(tree, row)]

    def plan(self, tree: Node) -> str:
        """How the engine would go about it."""
        condition = condition_of(tree)
        where = resolved(condition.sql, condition.parameters)
        sql = f"EXPLAIN indexes = 1, projections = 1 SELECT Body FROM {self._table} WHERE {where}"
        answer = self._client.query(sql, parameters=dict(condition.parameters))
        return "\n".join(line for (line,) in answer.result_rows)

    def tokens(self, text: str) -> list[str]:
        """The words of the text, as the index of the table makes them."""
        sql = "SELECT tokens(lower({text:String}), 'splitByNonAlpha')"
        [[found]] = self._client.query(sql, parameters={"text": text}).result_rows
        return list(found)

    def drop(self) -> None:
        self._client.command(f"DROP TABLE IF EXISTS {self._table}")
        self._client.close()


def _column(row: dict[str, Any], field: pa.Field) -> pa.Array:
    if field.name == "record_time_ms":
        return pa.array([TIME_NS // 10**6], field.type)
    value = row[field.name]
    if pa.types.is_map(field.type):
        value = list(value.items())
    return pa.array([value.encode() if field.name == "_raw" else value], field.type)


@pytest.fixture(scope="module")
def logs(engine: RunningEngine) -> Iterator[Logs]:
    made = Logs(engine)
    for part in range(PARTS):
        first = part * ROWS_PER_PART
        made.store([{**row, "_offset": first + row["_offset"]} for row in rows(ROWS_PER_PART, seed=part)])
    yield made
    made.drop()


@settings(MANY_QUERIES, max_examples=300)
@given(text=texts(), is_open=st.booleans())
def test_the_engine_finds_the_words(logs: Logs, text: str, is_open: bool) -> None:
    tree = Words(text, is_open)

    assert logs.found_by(tree) == logs.holding(tree)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
@MANY_QUERIES
@given(data=st.data())
def test_the_engine_finds_the_fields(logs: Logs, kind: Kind, data: st.DataObject) -> None:
    tree = data.draw(terms_about([field for field in KNOWN_FIELDS if field.kind is kind]))

    assert logs.found_by(tree) == logs.holding(tree)


@MANY_QUERIES
@given(tree=attribute_terms())
def test_the_engine_finds_the_attributes(logs: Logs, tree: Node) -> None:
    assert logs.found_by(tree) == logs.holding(tree)


@MANY_QUERIES
@given(tree=trees(KNOWN_FIELDS), in_quotes=st.booleans())
def test_the_engine_finds_what_was_typed(logs: Logs, tree: Node, in_quotes: bool) -> None:
    asked = parse(show(tree, in_quotes=in_quotes)).tree

    assert logs.found_by(asked) == logs.holding(tree)


@MANY_QUERIES
@given(text=texts(), is_open=st.booleans())
def test_words_are_the_same_with_the_index_and_without(logs: Logs, text: str, is_open: bool) -> None:
    tree = Words(text, is_open)

    assert logs.found_by(tree) == logs.found_by(tree, use_skip_indexes=0)


@MANY_QUERIES
@given(text=texts())
def test_a_word_is_what_the_tokenizer_of_the_index_takes_for_one(logs: Logs, text: str) -> None:
    assert words_of(lowered(text)) == logs.tokens(text)


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        ("timeout", '["timeout"]'),
        ("-timeout", '["timeout"]'),
        ("payment-service", '["payment", "service"]'),
        ('"card declined"*', '["card"]'),
    ],
)
def test_words_are_looked_up_in_the_index(logs: Logs, typed: str, tokens: str) -> None:
    plan = logs.plan(parse(typed).tree)

    assert "body_words" in plan
    assert tokens in plan


def test_a_prefix_is_looked_up_among_the_words_of_the_index(logs: Logs) -> None:
    plan = logs.plan(parse("timeo*").tree)

    assert "body_words" in plan, "the engine no longer scans the dictionary for LIKE '%...%'"


@pytest.mark.parametrize(
    ("typed", "index"), [("trace_id:abc", "trace_id"), ("user_id:123", "user_id"), ("offset:[5 TO 9]", "offset_range")]
)
def test_a_field_with_an_index_is_looked_up_there(logs: Logs, typed: str, index: str) -> None:
    assert f"Name: {index}" in logs.plan(parse(typed).tree)


def test_a_service_reads_its_own_stretch_of_the_table(logs: Logs) -> None:
    assert "ServiceName in ['pay', 'paz')" in logs.plan(parse("service:pay*").tree)


def test_when_a_row_was_stored_can_be_asked_for(logs: Logs) -> None:
    everything = [row["_offset"] for row in logs.stored]

    assert logs.found_by(parse("_ingested:>2023-11-24").tree) == everything
    assert logs.found_by(parse("-_ingested:>2023-11-24").tree) == []


LARGEST = [
    " ".join(f"a{number}:[1 TO 9]" for number in range(MAX_TERMS)),
    "(" * MAX_DEPTH + "timeout" + ")" * MAX_DEPTH,
    "".join(f"-(x{depth} " for depth in range(MAX_DEPTH)) + "y" + ")" * MAX_DEPTH,
    "-" * (MAX_BYTES - 1) + "a",
    '"' + ". " * (MAX_BYTES // 2 - 1) + '"',
    "a-" * (MAX_BYTES // 2 - 1) + "a",
    "-".join(f"{number}" for number in range(1700)),
    "x" * MAX_BYTES,
]


@pytest.mark.parametrize("typed", LARGEST, ids=lambda typed: typed[:12])
def test_the_largest_query_that_may_be_asked_is_answered(logs: Logs, typed: str) -> None:
    tree = parse(typed).tree

    assert logs.found_by(tree) == logs.holding(tree)
