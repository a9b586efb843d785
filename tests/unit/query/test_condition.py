"""The SQL of a query. That it finds the right rows is tested on the real engine (contract/test_query_condition.py)."""

import re
from typing import Any

import pytest
from hypothesis import given, settings

from app.domain.columns import COLUMNS
from app.query.condition import condition_of
from app.query.language import parse
from app.query.tree import Node
from tests.query.generated import trees

EDGE = r"[\x00-\x2f\x3a-\x60\x7b-\x7f]"
STATUS = "{query_0:AnyAttribute}"


def in_messages(condition: str, *, of_forms: str = "") -> str:
    """The SQL of a condition on messages, `COLUMN` being theirs; the same on their forms unless another is given."""
    of_messages = condition.replace("COLUMN", "lower(Body)")
    return f"((_words = '' AND {of_messages}) OR {(of_forms or condition).replace('COLUMN', '_words')})"


# All parts of a statement, whatever was typed.
VOCABULARY = re.compile(
    r"(?:\{query_\d+:(?:String|Array\(String\)|Float64|UInt64|UInt8|Int64|(?:Any|Log|Resource)Attribute)\}"
    r"|true|AND|OR|NOT|LIKE|''|'UTC'|0|!=|[<>]=?|=|[ (),\[\]]"
    r"|lower\(Body\)|Body|_words|lower\(SeverityText\)|hasAllTokens|match|startsWith|isNotNull|ifNull|toFloat64OrNull"
    r"|fromUnixTimestamp64Nano"
    # Longest first, otherwise `_topic` would match the beginning of `_topic_id`.
    rf"|{'|'.join(sorted({column.column for column in COLUMNS if not column.is_map}, key=len, reverse=True))})*"
)


@pytest.mark.parametrize(
    ("typed", "sql", "parameters"),
    [
        ("", "true", []),
        ("Timeout", in_messages("hasAllTokens(COLUMN, {query_0:Array(String)})"), [["timeout"]]),
        (
            "payment-service",
            in_messages("(hasAllTokens(COLUMN, {query_0:Array(String)}) AND match(COLUMN, {query_1:String}))"),
            [["payment", "service"], rf"(?:\A|{EDGE})payment\-service(?:{EDGE}|\z)"],
        ),
        (
            '"(a, a)"',
            in_messages("(hasAllTokens(COLUMN, {query_0:Array(String)}) AND match(COLUMN, {query_1:String}))"),
            [["a"], r"\(a\,\ a\)"],
        ),
        (
            "timeo*",
            in_messages("(COLUMN LIKE {query_0:String} AND match(COLUMN, {query_1:String}))"),
            ["%timeo%", rf"(?:\A|{EDGE})timeo"],
        ),
        (
            '"card decl"*',
            in_messages("(hasAllTokens(COLUMN, {query_0:Array(String)}) AND match(COLUMN, {query_1:String}))"),
            [["card"], rf"(?:\A|{EDGE})card\ decl"],
        ),
        ('"=>"', in_messages("(match(COLUMN, {query_0:String}))"), [r"\=\>"]),
        (
            "über",
            in_messages("hasAllTokens(COLUMN, {query_0:Array(String)})"),
            [["über"]],
        ),
        (
            "Über*",
            in_messages(
                "((COLUMN LIKE {query_0:String} AND match(COLUMN, {query_1:String}))"
                " OR (COLUMN LIKE {query_2:String} AND match(COLUMN, {query_3:String})))",
                of_forms="(COLUMN LIKE {query_2:String} AND match(COLUMN, {query_3:String}))",
            ),
            ["%Über%", rf"(?:\A|{EDGE})Über", "%über%", rf"(?:\A|{EDGE})über"],
        ),
        (
            "超",
            in_messages("hasAllTokens(COLUMN, {query_0:Array(String)})"),
            [["超"]],
        ),
        (
            "超时",
            in_messages(
                "hasAllTokens(COLUMN, {query_0:Array(String)})",
                of_forms="(hasAllTokens(COLUMN, {query_1:Array(String)}) AND match(COLUMN, {query_2:String}))",
            ),
            [["超时"], ["超", "时"], "\\\x1b超\\\x1b时\\\x1b"],
        ),
        ('"\u200b"', "true", []),
        (
            "a (b OR -c)",
            f"({in_messages('hasAllTokens(COLUMN, {query_0:Array(String)})')}"
            f" AND ({in_messages('hasAllTokens(COLUMN, {query_1:Array(String)})')}"
            f" OR (NOT {in_messages('hasAllTokens(COLUMN, {query_2:Array(String)})')})))",
            [["a"], ["b"], ["c"]],
        ),
        ("service:pay", "(ServiceName = {query_0:String})", ["pay"]),
        ("service:pay*", "startsWith(ServiceName, {query_0:String})", ["pay"]),
        ('user_id:""', "(NOT (UserId != ''))", []),
        ("level:err", "(lower(SeverityText) = {query_0:String})", ["error"]),
        ("level:>=warn", "(SeverityNumber >= {query_0:UInt8})", [13]),
        ("level:>warn", "(SeverityNumber >= {query_0:UInt8})", [17]),
        ("level:<warn", "(SeverityNumber >= {query_0:UInt8} AND SeverityNumber < {query_1:UInt8})", [1, 13]),
        ("level:[info TO error]", "(SeverityNumber >= {query_0:UInt8} AND SeverityNumber < {query_1:UInt8})", [9, 21]),
        ("-response_time_ms:>500", "(NOT ifNull(ResponseTimeMs > {query_0:Float64}, 0))", [500.0]),
        ("response_time_ms:5", "ifNull(ResponseTimeMs = {query_0:Float64}, 0)", [5.0]),
        ("response_time_ms:*", "isNotNull(ResponseTimeMs)", []),
        ("offset:{1 TO 5]", "(_offset > {query_0:UInt64} AND _offset <= {query_1:UInt64})", [1, 5]),
        ("partition:*", "true", []),
        (
            "timestamp:>=2026-11-23",
            "(Timestamp >= fromUnixTimestamp64Nano({query_0:Int64}, 'UTC'))",
            [1_795_392_000_000_000_000],
        ),
        ("http.status_code:500", f"({STATUS} = {{query_1:String}})", ["http.status_code", "500"]),
        (
            "http.status_code:>=500",
            f"ifNull(toFloat64OrNull({STATUS}) >= {{query_1:Float64}}, 0)",
            ["http.status_code", 500.0],
        ),
        ("attributes.a:*", "({query_0:LogAttribute} != '')", ["a"]),
        ("resource.a:b", "({query_0:ResourceAttribute} = {query_1:String})", ["a", "b"]),
        ("host:web-1", "({query_0:ResourceAttribute} = {query_1:String})", ["host.name", "web-1"]),
    ],
)
def test_a_query_becomes_a_condition(typed: str, sql: str, parameters: list[Any]) -> None:
    condition = condition_of(parse(typed).tree)

    assert condition.sql == sql
    assert list(condition.parameters.values()) == parameters


def test_a_repeated_value_is_bound_once() -> None:
    condition = condition_of(parse("x:1 OR x:2 OR y:1").tree)

    assert list(condition.parameters.values()) == ["x", "1", "2", "y"]


def test_a_number_and_the_text_of_it_are_two_parameters() -> None:
    condition = condition_of(parse("x:5 x:>5").tree)

    assert list(condition.parameters.values()) == ["x", "5", 5.0]


@settings(deadline=None)
@given(trees())
def test_nothing_that_was_typed_becomes_a_part_of_the_statement(tree: Node) -> None:
    condition = condition_of(tree)

    assert VOCABULARY.fullmatch(condition.sql)
    assert set(re.findall(r"query_\d+", condition.sql)) == set(condition.parameters)


@pytest.mark.parametrize("typed", ["'", "\\'", "`", "') OR 1 = 1 --", "{query_0:String}", "%", "\0"])
@pytest.mark.parametrize("before", ["", "message:", "x:", "service:", "level:", "x\\'\\`:"])
def test_a_quote_gets_into_parameters_only(before: str, typed: str) -> None:
    written = typed.replace("\\", "\\\\")

    condition = condition_of(parse(f'{before}"{written}"').tree)

    assert VOCABULARY.fullmatch(condition.sql)


@pytest.mark.parametrize(
    ("typed", "columns"),
    [
        ("user_id:7", {"UserId": "7"}),
        ("user_id:7 level:error (service:a timeout)", {"UserId": "7", "ServiceName": "a"}),
        ("trace_id:abc -user_id:7", {"TraceId": "abc"}),
        ("user_id:7 OR user_id:8", {}),
        ("user_id:7*", {}),
        ("level:error http.route:x offset:3 timeout", {}),
    ],
)
def test_a_condition_knows_columns_with_a_single_value(typed: str, columns: dict[str, str]) -> None:
    condition = condition_of(parse(typed).tree)

    held = {column: value.strip("{}").partition(":")[0] for column, value in condition.equal.items()}
    assert {column: condition.parameters[name] for column, name in held.items()} == columns
