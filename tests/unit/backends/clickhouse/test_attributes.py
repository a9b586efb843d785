"""Attributes with a column of their own."""

from __future__ import annotations

import pytest

from app.backends.clickhouse.attributes import attribute_columns, read_from_columns
from app.domain.statement import Statement
from app.query.condition import condition_of
from app.query.fields import Attribute, AttributeSource
from app.query.language import parse

ROUTE = Attribute("http.route")


@pytest.mark.parametrize(
    ("expression", "attribute"),
    [
        ("LogAttributes['a']", Attribute("a", AttributeSource.LOG)),
        ("ResourceAttributes['host.name']", Attribute("host.name", AttributeSource.RESOURCE)),
        # As ClickHouse writes it.
        ("if((LogAttributes['a b']) != '', LogAttributes['a b'], ResourceAttributes['a b'])", Attribute("a b")),
        (r"LogAttributes['it\'s \\ all']", Attribute("it's \\ all", AttributeSource.LOG)),
    ],
)
def test_a_column_that_holds_an_attribute_is_known_by_its_expression(expression: str, attribute: Attribute) -> None:
    assert attribute_columns([("c", expression)]) == {attribute: "c"}


@pytest.mark.parametrize(
    "expression",
    [
        "lower(LogAttributes['a'])",
        "if((LogAttributes['a']) != '', LogAttributes['a'], ResourceAttributes['b'])",
        "length(Body)",
        "LogAttributes[ServiceName]",
    ],
)
def test_a_column_that_holds_something_else_is_none(expression: str) -> None:
    assert attribute_columns([("c", expression)]) == {}


def read(typed: str, columns: dict[Attribute, str]) -> str:
    condition = condition_of(parse(typed).tree)
    return read_from_columns(Statement(condition.sql, condition.parameters), columns)


def test_a_statement_reads_the_column() -> None:
    assert read("http.route:x", {ROUTE: "c"}) == "(`c` = {query_1:String})"
    assert read("resource.a:x", {Attribute("a", AttributeSource.RESOURCE): "c"}) == "(`c` = {query_1:String})"
    assert read("http.route:[1 TO 2]", {ROUTE: "c"}).count("`c`") == 2


def test_an_attribute_is_looked_for_where_it_was_asked_for() -> None:
    untouched = read("http.route:x", {})

    assert read("attributes.http.route:x", {ROUTE: "c"}) == "(LogAttributes[{query_0:String}] = {query_1:String})"
    assert read("http.route:x", {Attribute("http.route", AttributeSource.LOG): "c"}) == untouched.replace(
        "LogAttributes[{query_0:String}]", "`c`"
    )
    assert read("other:x", {ROUTE: "c"}) == read("other:x", {})


def test_a_value_that_is_called_like_an_attribute_stays_a_value() -> None:
    assert read("service:http.route", {ROUTE: "c"}) == "(ServiceName = {query_0:String})"
