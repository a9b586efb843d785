"""Queries on the real engine: the SQL finds the same rows as a Python evaluator, and uses indexes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.columns import Kind
from app.query.fields import FIELDS
from app.query.language import MAX_BYTES, MAX_TERMS, parse
from app.query.syntax import MAX_DEPTH
from app.query.tree import Node, Words
from app.query.words import lowered, words_of
from tests.query.generated import attribute_terms, rows, terms_about, texts, trees
from tests.query.show import show
from tests.query.stored_logs import Logs
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

PARTS = 3
ROWS_PER_PART = 300
KNOWN_FIELDS = [field for field in FIELDS if field.name != "_ingested"]  # filled in by the table


MANY_QUERIES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


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
    parsed = parse(show(tree, in_quotes=in_quotes)).tree

    assert logs.found_by(parsed) == logs.holding(tree)


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


def test_a_service_reads_its_own_range_of_the_primary_key(logs: Logs) -> None:
    assert "ServiceName in ['pay', 'paz')" in logs.plan(parse("service:pay*").tree)


def test_the_time_of_storage_can_be_queried(logs: Logs) -> None:
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
def test_the_largest_allowed_query_runs(logs: Logs, typed: str) -> None:
    tree = parse(typed).tree

    assert logs.found_by(tree) == logs.holding(tree)
