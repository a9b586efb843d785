"""Finds the attributes that have a column of their own.

A column `MATERIALIZED LogAttributes['http.route']` holds one value of the map, and takes a fraction of the time to
read. The columns are read from the table, so an operator can add one and queries use it. In parts without the column
ClickHouse computes the value.
"""

import re
from collections.abc import Iterable
from typing import Final

from app.query.attribute_reference import attribute_sql
from app.query.fields import Attribute, AttributeSource

_KEY: Final = re.compile(r"(?:Log|Resource)Attributes\['((?:[^'\\]|\\.)*)'\]")
_ESCAPED: Final = re.compile(r"\\(.)")
_PUNCTUATION: Final = str.maketrans("", "", "() ")

DEFAULTS: Final = (
    "SELECT name, default_expression FROM system.columns"
    " WHERE database = {database:String} AND table = {of_table:String} AND default_kind = 'MATERIALIZED'"
)


def attribute_columns(defaults: Iterable[tuple[str, str]]) -> dict[Attribute, str]:
    """The column of each attribute that has one, from pairs of column name and default expression."""
    found = ((_attribute_of(expression), name) for name, expression in defaults)
    return {attribute: name for attribute, name in found if attribute is not None}


def _attribute_of(expression: str) -> Attribute | None:
    key = _KEY.search(expression)
    if key is None:
        return None
    for source in AttributeSource:
        attribute = Attribute(_ESCAPED.sub(r"\1", key[1]), source)
        # ClickHouse formats parentheses and spaces in its own way.
        wanted = attribute_sql(attribute, f"'{key[1]}'")
        if wanted.translate(_PUNCTUATION) == expression.translate(_PUNCTUATION):
            return attribute
    return None
