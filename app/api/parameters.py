"""The parameters of each endpoint, with the same names everywhere. Descriptions are part of the OpenAPI document."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.query.functions import SUMMARY

# Patterns are for readers of the OpenAPI document: an error of our own parsers explains more than "does not match".
_DURATION: Final = r"^\d+(s|m|h|d|w)$"
_TIME: Final = r"^(now([+-]\d+(s|m|h|d|w))?|\d+(\.\d+)?|\d{4}-\d{2}-\d{2}.*)$"
_ID: Final = r"^\d+-\d+-\d+-\d+-.+$"
_RESUME: Final = r"^[0-9A-Za-z_:,-]+$"
_CURSOR: Final = r"^\d+~[^~]+~[0-9a-f]+$"


def _like(pattern: str, *, may_be_empty: bool = False) -> dict[str, Any]:
    return {"pattern": f"^$|{pattern}" if may_be_empty else pattern}


_Names = Annotated[str, Field(max_length=1000)]
_Rows = Annotated[int | None, Field(ge=1, le=1_000_000)]


class Parameters(BaseModel):
    """Unknown names are rejected: a filter without effect would be worse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_ms: int | None = Field(
        None,
        ge=1,
        description="Timeout in milliseconds; by default QUERY_TIMEOUT_SECS, at most QUERY_MAX_TIMEOUT_SECS.",
    )


class QueryParameters(Parameters):
    """A query over the logs of a time range."""

    query: str = Field("", description="The query, such as `service:checkout level:>=error timeout`.")
    start: str = Field(
        "now-1h",
        max_length=100,
        json_schema_extra=_like(_TIME),
        description="Start of the range, included: `now-15m`, RFC 3339, or an epoch number in s, ms, us or ns.",
    )
    end: str = Field(
        "now",
        max_length=100,
        json_schema_extra=_like(_TIME),
        description="End of the range, not included; written like `start`.",
    )


class LogsParameters(QueryParameters):
    """The newest logs.

    The OpenAPI document has each format as an operation of its own, with one media type, since a generated client reads
    only one. So it omits `format`, and `escape_formulas` except for CSV.
    """

    limit: _Rows = Field(None, description="Maximum number of rows: by default 100, at most 10,000.")
    cursor: str = Field(
        "",
        max_length=400,
        json_schema_extra=_like(_CURSOR, may_be_empty=True),
        description="`next_cursor` of the previous page, for the page after it.",
    )
    fields: _Names = Field("", description="Fields of a row, comma-separated; by default all of them.")
    format: SkipJsonSchema[Literal["json", "ndjson", "csv"] | None] = None
    escape_formulas: SkipJsonSchema[bool] = True


class NdjsonParameters(LogsParameters):
    """The newest logs as NDJSON."""

    limit: _Rows = Field(None, description="Maximum number of rows: by default all.")
    format: SkipJsonSchema[Literal["ndjson"]] = "ndjson"


class CsvParameters(LogsParameters):
    """The newest logs as CSV."""

    limit: _Rows = Field(None, description="Maximum number of rows: by default all.")
    format: SkipJsonSchema[Literal["csv"]] = "csv"
    escape_formulas: bool = Field(
        True, description="Put an apostrophe before texts that a spreadsheet would run as a formula."
    )


class LogParameters(Parameters):
    """One log."""

    id: str = Field(max_length=200, json_schema_extra=_like(_ID), description="The `id` of a row.")


class ContextParameters(LogParameters):
    """The logs before and after a log."""

    same: Literal["service", "host", "trace", ""] | None = Field(
        None, description="Field that the other logs must share with this one; empty for none; by default the service."
    )
    before: int = Field(20, ge=0, le=1000, description="Maximum number of rows before it.")
    after: int = Field(20, ge=0, le=1000, description="Maximum number of rows after it.")


class HistogramParameters(QueryParameters):
    """Counts over time."""

    interval: str = Field(
        "",
        max_length=20,
        json_schema_extra=_like(_DURATION, may_be_empty=True),
        description="Length of a bar, such as `30s` or `1h`; by default chosen to suit the range.",
    )
    by: str = Field("level", max_length=200, description="Field to group the counts by; empty for none.")


class StatsParameters(QueryParameters):
    """Aggregates."""

    function: _Names = Field("count", description=f"Functions, comma-separated: {SUMMARY}.")
    field: str = Field("", max_length=200, description="Field to apply the functions to.")
    by: _Names = Field("", description="Fields to group by, comma-separated.")
    interval: str = Field(
        "",
        max_length=20,
        json_schema_extra=_like(_DURATION, may_be_empty=True),
        description="For aggregates over time: length of a step, such as `5m`.",
    )
    limit: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Maximum number of rows. Without an interval: the groups with the greatest first aggregate, by"
        " default 100. With one: the newest time steps, by default 10,000 rows.",
    )


class FieldsParameters(QueryParameters):
    """The fields of matching logs."""

    prefix: str = Field("", max_length=200, description="Only names or values that begin with this text, in any case.")
    limit: int = Field(100, ge=1, le=1000, description="Maximum number of fields.")


class ValuesParameters(FieldsParameters):
    """Values of one field."""

    name: str = Field(max_length=200, description="The field.")
    limit: int = Field(20, ge=1, le=1000, description="Maximum number of values, the most frequent first.")


class TailParameters(BaseModel):
    """Logs as they are stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field("", description="The query, as for `/logs`.")
    fields: _Names = Field("", description="Fields of a row, comma-separated; by default all of them.")
    last_id: str = Field(
        "",
        max_length=20_000,  # three times that, as it can be in a URL, is still less than the server's limit of a head
        json_schema_extra=_like(_RESUME, may_be_empty=True),
        description="Resume after the event with this id; a Last-Event-ID header wins over it, and may be longer.",
    )
