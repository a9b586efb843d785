"""Queries on the real engine: the SQL finds the same rows as a Python evaluator, and uses indexes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.columns import Kind
from app.query.fields import FIELDS
from app.query.language import MAX_BYTES, MAX_TERMS, parse
from app.query.syntax import MAX_DEPTH
from app.query.tree import Node, Words
from app.query.words import lowered, tokens_of
from tests.query.generated import attribute_terms, rows, terms_about, texts, trees
from tests.query.show import show
from tests.query.stored_logs import Logs
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

PARTS = 3
ROWS_PER_PART = 300
INDEX = re.compile(r"Name: (\w+)\n.*\n +Condition: \(mode: \w+; tokens: (\[.*\])\)")
GRANULES = re.compile(r"Granules: (\d+)/")
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


@settings(MANY_QUERIES, max_examples=200)
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
    assert tokens_of(lowered(text)) == logs.tokens(text)


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

    assert plan.count(f"tokens: {tokens}") == len(["body_words", "words"])


@pytest.mark.parametrize(
    ("typed", "of_messages", "of_forms"),
    [("数据库", '["数据库"]', '["数", "据", "库"]'), ("Ошибка", '["Ошибка", "ошибка"]', '["ошибка"]')],
)
def test_words_of_any_script_are_looked_up_in_both_indexes(
    logs: Logs, typed: str, of_messages: str, of_forms: str
) -> None:
    plan = logs.plan(parse(typed).tree)

    tokens = {name: set(re.findall('"(.+?)"', found)) for name, found in INDEX.findall(plan)}
    assert tokens == {"body_words": set(json.loads(of_messages)), "words": set(json.loads(of_forms))}


@pytest.mark.parametrize("typed", ["nowhere", "不存在", "nowhere不存在", '"nowhere at all"', "-level:error nowhere"])
def test_a_word_that_is_nowhere_reads_nothing(logs: Logs, typed: str) -> None:
    assert GRANULES.findall(logs.plan(parse(typed).tree))[-1] == "0"


MESSAGES = (
    "支付服务连接数据库超时，正在重试（第3次）",
    "データベースに接続できません: timeout after 30s",
    "ไม่สามารถเชื่อมต่อฐานข้อมูลได้",
    "فشل الاتصال بقاعدة البيانات: refused",
    "서버가 응답하지 않습니다",
    "Ошибка подключения к базе — повтор…",
    "\x1b[31mrefused\x1b[0m by \x1b[1mdb-1\x1b[0m",
    "✅ deploy finished🎉",
    "card\u00a0declined, time\u200bout",
    "Größe überschritten: “upload”",
    "Cafe\u0301 fermé",
    "错误code42: 10.0.0.1",
)


@pytest.fixture(scope="module")
def world(engine: RunningEngine) -> Iterator[Logs]:
    """One log of each of these messages."""
    made = Logs(engine)
    row = rows(1, seed=0)[0]
    made.store([{**row, "Body": body, "_offset": offset} for offset, body in enumerate(MESSAGES)])
    yield made
    made.drop()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        *(
            ("数据库", [0]),
            ("超时", [0]),
            ("第3次", [0]),
            ("次", [0]),
            ("数库", []),
            ("支付 重试", [0]),
            ("重试*", [0]),
        ),
        *(
            ("データベース", [1]),
            ("接続", [1]),
            ("できません", [1]),
            ('"接続できません: timeout"', [1]),
            ("ベーに", []),
        ),
        *(("เชื่อมต่อ", [2]), ("ฐานข้อมูล", [2]), ("الاتصال", [3]), ("الات*", [3]), ("اتصال", [])),
        *(("서버", [4]), ("응답", [4]), ("ошибка", [5]), ("ОШИБКА", [5]), ("базе", [5]), ("повтор", [5]), ("повт", [])),
        *(
            ('"базе — повтор"', [5]),
            ('"базе повтор"', []),
            ("—", [5]),
            ("…", [5]),
            ("refused", [3, 6]),
            ("refu*", [3, 6]),
        ),
        *(("31mrefused", []), ("31m", []), ("1", [6, 11]), ('"refused by db-1"', [6]), ("db-1", [6])),
        *(
            ("finished", [7]),
            ("✅", [7]),
            ("🎉", [7]),
            ("finished🎉", [7]),
            ("declined", [8]),
            ('"card declined"', [8]),
        ),
        *(("timeout", [1]), ('"time out"', [8]), ("out", [8]), ("größe", [9]), ("GRÖSSE", []), ("grösse", [])),
        *(("upload", [9]), ("“upload”", [9]), ("café", [10]), ("cafe", []), ("FERMÉ", [10]), ("Cafe\u0301", [10])),
        *(("错误", [11]), ("code42", [11]), ("错误code42", [11]), ("code4", []), ("code4*", [11]), ("误code*", [11])),
        ("错误 OR 接続 OR 서버", [1, 4, 11]),
        ("-错误 -接続 -refused", [0, 2, 4, 5, 7, 8, 9, 10]),
    ],
)
def test_words_of_any_script_are_found_as_people_type_them(world: Logs, typed: str, found: list[int]) -> None:
    tree = parse(typed).tree

    assert world.found_by(tree) == found
    assert world.holding(tree) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [("refused", [3]), ("数据库", []), ("31mrefused", [6]), ("Ошибка", [5]), ("ошибка", []), ("错误code42", [11])],
)
def test_rows_of_former_versions_are_found_as_those_found_them(
    engine: RunningEngine, typed: str, found: list[int]
) -> None:
    logs = Logs(engine)
    logs.store_without_forms(MESSAGES)

    assert logs.found_by(parse(typed).tree) == found

    logs.drop()


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
    "错" * (MAX_BYTES // 3),
    "ä—" * (MAX_BYTES // 5),
    "a-" * (MAX_BYTES // 2 - 1) + "a",
    "-".join(f"{number}" for number in range(1700)),
    "x" * MAX_BYTES,
]


@pytest.mark.parametrize("typed", LARGEST, ids=lambda typed: typed[:12])
def test_the_largest_allowed_query_runs(logs: Logs, typed: str) -> None:
    tree = parse(typed).tree

    assert logs.found_by(tree) == logs.holding(tree)
