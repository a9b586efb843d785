"""The JSON event that producers send, as a model: the contract that the decoder is tested against."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.domain.columns import SENT, Column, Kind


def _field(column: Column) -> tuple[Any, Any]:
    """Type and default of a field."""
    match column.kind:
        case Kind.WORDS:
            return str, Field(description=column.meaning)
        case Kind.TIME:
            return str | int | float | None, Field(None, description=column.meaning)
        case Kind.NUMBER:
            return float | None, Field(None, description=column.meaning)
        case _:
            return str, Field("", description=column.meaning)


_FIELDS: Final[dict[str, Any]] = {column.name: _field(column) for column in SENT.values()}

LogEvent: Final[type[BaseModel]] = create_model(
    "LogEvent",
    __config__=ConfigDict(extra="allow", strict=True, allow_inf_nan=False),
    __doc__="""A log event as JSON, by its canonical names; `columns.py` has the aliases.

    Every other key is kept as an attribute. `timestamp` is RFC 3339 text or a unix epoch number in s, ms, us or ns,
    distinguished by magnitude; without it the event takes the time of its Kafka record.
    """,
    **_FIELDS,
    attributes=(dict[str, object], Field({}, description="Anything else.")),
)
