"""Attributes that have a column of their own: which these are.

A column `MATERIALIZED LogAttributes['http.route']` holds one value of the map, which takes a fraction of the time to
read. The table tells which there are, so an operator adds one and questions take it. In parts without it ClickHouse
works the value out.
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
    """The attributes that columns hold, from names of columns and the expressions that they are made by."""
    found = ((_attribute_of(expression), name) for name, expression in defaults)
    return {attribute: name for attribute, name in found if attribute is not None}


def _attribute_of(expression: str) -> Attribute | None:
    key = _KEY.search(expression)
    if key is None:
        return None
    for source in AttributeSource:
        attribute = Attribute(_ESCAPED.sub(r"\1", key[1]), source)
        # ClickHouse has its own way with parentheses and spaces.
        wanted = attribute_sql(attribute, f"'{key[1]}'")
        if wanted.translate(_PUNCTUATION) == expression.translate(_PUNCTUATION):
            return attribute
    return None
