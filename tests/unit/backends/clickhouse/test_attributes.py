"""Attributes with a column of their own."""

from __future__ import annotations

import pytest

from app.backends.clickhouse.attributes import attribute_columns
from app.query.fields import Attribute, AttributeSource


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
