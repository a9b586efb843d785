"""References to attributes in SQL: placeholders, like those of values, that the reader replaces before it runs the SQL.

`{query_0:AnyAttribute}` is the value of the attribute whose key is bound to `query_0`, "" where a log does not have it.
"""

import re
from collections.abc import Mapping
from typing import Final

from app.query.fields import Attribute, AttributeSource

_TYPES: Final = {
    AttributeSource.ANY: "AnyAttribute",
    AttributeSource.LOG: "LogAttribute",
    AttributeSource.RESOURCE: "ResourceAttribute",
}
_SOURCES: Final = {of_type: source for source, of_type in _TYPES.items()}
_REFERENCE: Final = re.compile(rf"\{{(\w+):({'|'.join(_SOURCES)})\}}")
_NO_COLUMNS: Final[Mapping[Attribute, str]] = {}


def reference(source: AttributeSource, parameter: str) -> str:
    """The placeholder of an attribute whose key is bound to a parameter."""
    return f"{{{parameter}:{_TYPES[source]}}}"


def resolved(sql: str, parameters: Mapping[str, object], columns: Mapping[Attribute, str] = _NO_COLUMNS) -> str:
    """Replace each reference with SQL that reads the attribute from its own column if it has one, else the maps."""

    def value(found: re.Match[str]) -> str:
        name, of_type = found.groups()
        return attribute_sql(Attribute(str(parameters[name]), _SOURCES[of_type]), f"{{{name}:String}}", columns)

    return _REFERENCE.sub(value, sql)


def attribute_sql(attribute: Attribute, key: str, columns: Mapping[Attribute, str] = _NO_COLUMNS) -> str:
    """The value of an attribute as SQL; `key` is its key as SQL."""
    if attribute in columns:
        return f"`{columns[attribute]}`"
    if attribute.source is AttributeSource.LOG:
        return f"LogAttributes[{key}]"
    if attribute.source is AttributeSource.RESOURCE:
        return f"ResourceAttributes[{key}]"
    of_log, of_resource = (
        attribute_sql(Attribute(attribute.key, source), key, columns)
        for source in (AttributeSource.LOG, AttributeSource.RESOURCE)
    )
    return f"if({of_log} != '', {of_log}, {of_resource})"
