"""Resolution of references to attributes."""

from __future__ import annotations

from app.query.attribute_reference import resolved
from app.query.condition import condition_of
from app.query.fields import Attribute, AttributeSource
from app.query.language import parse

ROUTE = Attribute("http.route")


def read(typed: str, columns: dict[Attribute, str]) -> str:
    condition = condition_of(parse(typed).tree)
    return resolved(condition.sql, condition.parameters, columns)


def test_an_attribute_without_a_column_is_read_from_the_maps() -> None:
    key = "{query_0:String}"
    anywhere = f"if(LogAttributes[{key}] != '', LogAttributes[{key}], ResourceAttributes[{key}])"

    assert read("http.route:x", {}) == f"({anywhere} = {{query_1:String}})"
    assert read("attributes.a:*", {}) == f"(LogAttributes[{key}] != '')"
    assert read("host:*", {}) == f"(ResourceAttributes[{key}] != '')"


def test_an_attribute_with_a_column_is_read_from_it() -> None:
    assert read("http.route:x", {ROUTE: "c"}) == "(`c` = {query_1:String})"
    assert read("resource.a:x", {Attribute("a", AttributeSource.RESOURCE): "c"}) == "(`c` = {query_1:String})"
    assert read("http.route:[1 TO 2]", {ROUTE: "c"}).count("`c`") == 2


def test_an_attribute_is_searched_in_the_requested_map() -> None:
    untouched = read("http.route:x", {})

    assert read("attributes.http.route:x", {ROUTE: "c"}) == "(LogAttributes[{query_0:String}] = {query_1:String})"
    assert read("http.route:x", {Attribute("http.route", AttributeSource.LOG): "c"}) == untouched.replace(
        "LogAttributes[{query_0:String}]", "`c`"
    )
    assert read("other:x", {ROUTE: "c"}) == read("other:x", {})


def test_a_value_that_is_called_like_an_attribute_stays_a_value() -> None:
    assert read("service:http.route", {ROUTE: "c"}) == "(ServiceName = {query_0:String})"
