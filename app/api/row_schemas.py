"""The schemas of rows in the OpenAPI document. Rows themselves are plain dicts: thousands are sent in a response."""

from typing import Annotated, Any, Final

from pydantic import WithJsonSchema

from app.domain.columns import COLUMNS, Column, Kind

_COUNT: Final = {"type": "integer", "minimum": 0}
_TIME: Final = {"type": "string", "format": "date-time"}
_OF_KIND: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TIME: _TIME,
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.WHOLE: {"type": "integer"},
}


def _of_column(column: Column) -> dict[str, Any]:
    if column.is_map:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    return _OF_KIND.get(column.kind, {"type": "string"})


def _row(title: str, description: str, required: dict[str, Any], **others: Any) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "object",
            "title": title,
            "description": description,
            "properties": {**required, **others},
            "required": list(required),
            "additionalProperties": True,
        }
    )


Log = Annotated[
    dict[str, Any],
    _row(
        "Log",
        "One log. Fields that were requested by name are further properties.",
        {"id": {"type": "string"}},
        **{column.name: _of_column(column) for column in COLUMNS if column.is_shown},
    ),
]
Bar = Annotated[
    dict[str, Any],
    _row("Bar", "One bar; the fields grouped by are further properties.", {"time": _TIME, "count": _COUNT}),
]
Group = Annotated[
    dict[str, Any],
    _row("Group", "One group; the fields grouped by and the aggregates are properties.", {}, time=_TIME),
]
FieldCount = Annotated[dict[str, Any], _row("FieldCount", "A field.", {"name": {"type": "string"}, "count": _COUNT})]
ValueCount = Annotated[dict[str, Any], _row("ValueCount", "A value.", {"value": {"type": "string"}, "count": _COUNT})]
