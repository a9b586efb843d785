"""The schemas of rows in the OpenAPI document. Rows themselves are plain dicts: thousands are sent in a response.

Each is a named alias, so that the document holds it once, and a client made from it has one class for a log.
"""

from typing import Annotated, Any, Final

from pydantic import WithJsonSchema
from typing_extensions import TypeAliasType

from app.domain.columns import COLUMNS, Column, Kind

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_OF_KIND: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TIME: TIME,
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.WHOLE: {"type": "integer"},
}


def _of_column(column: Column) -> dict[str, Any]:
    if column.is_map:
        return {"type": "object", "additionalProperties": _TEXT}
    return _OF_KIND.get(column.kind, _TEXT)


def _row(description: str, required: dict[str, Any], **others: Any) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "object",
            "description": description,
            "properties": {**required, **others},
            "required": list(required),
            "additionalProperties": True,
        }
    )


_SHOWN: Final = {column.name: _of_column(column) for column in COLUMNS if column.is_shown}
_LOG: Final = _row("One log. Fields that were requested by name are further properties.", {"id": _TEXT}, **_SHOWN)
_BAR: Final = _row("One bar; the fields grouped by are further properties.", {"time": TIME, "count": _COUNT})
_GROUP: Final = _row("One group; the fields grouped by and the aggregates are properties.", {}, time=TIME)
_FIELD_COUNT: Final = _row("A field.", {"name": _TEXT, "count": _COUNT})
_VALUE_COUNT: Final = _row("A value.", {"value": _TEXT, "count": _COUNT})

Log = TypeAliasType("Log", Annotated[dict[str, Any], _LOG])
Bar = TypeAliasType("Bar", Annotated[dict[str, Any], _BAR])
Group = TypeAliasType("Group", Annotated[dict[str, Any], _GROUP])
FieldCount = TypeAliasType("FieldCount", Annotated[dict[str, Any], _FIELD_COUNT])
ValueCount = TypeAliasType("ValueCount", Annotated[dict[str, Any], _VALUE_COUNT])
