"""What each endpoint may be asked, with the same names everywhere. Descriptions end up in the OpenAPI document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.query.functions import SUMMARY

_Names = Annotated[str, Field(max_length=1000)]


class Parameters(BaseModel):
    """Names that are not known are refused: a filter that has no effect would be worse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_ms: int | None = Field(
        None,
        ge=1,
        description="Time that the answer may take; without it QUERY_TIMEOUT_SECS, at most QUERY_MAX_TIMEOUT_SECS.",
    )


class Asked(Parameters):
    """A question about matching logs of a time range."""

    query: str = Field("", description="What to look for, such as `service:checkout level:>=error timeout`.")
    start: str = Field(
        "now-1h",
        max_length=100,
        description="From when on: `now-15m`, RFC 3339, or an epoch number in s, ms, us or ns.",
    )
    end: str = Field("now", max_length=100, description="Before when; written like `start`.")


class LogsParameters(Asked):
    """The newest logs."""

    limit: int = Field(100, ge=1, le=1_000_000, description="Rows; at most 10,000 in a JSON answer.")
    cursor: str = Field("", max_length=400, description="`next_cursor` of the answer before, for the page after it.")
    fields: _Names = Field("", description="Fields of a row, comma-separated; all of them without it.")
    format: Literal["json", "ndjson", "csv"] = Field(
        "json", description="One JSON object; or a stream of rows, a JSON object or a CSV line each."
    )


class LogParameters(Parameters):
    """One log."""

    id: str = Field(max_length=200, description="The `id` of a row.")


class ContextParameters(LogParameters):
    """What was logged around it."""

    same: Literal["service", "host", "trace", ""] | None = Field(
        None, description="What the logs around it must share with it, empty for nothing; its service where it has one."
    )
    before: int = Field(20, ge=0, le=1000, description="Rows before it.")
    after: int = Field(20, ge=0, le=1000, description="Rows after it.")


class HistogramParameters(Asked):
    """Counts over time."""

    interval: str = Field(
        "", max_length=20, description="Length of a bar, such as `30s` or `1h`; without it as fits the range."
    )
    by: str = Field("level", max_length=200, description="Field to split the counts by; empty for none.")


class StatsParameters(Asked):
    """Figures."""

    function: _Names = Field("count", description=f"{SUMMARY}; some, comma-separated.")
    field: str = Field("", max_length=200, description="Field that the functions are of.")
    by: _Names = Field("", description="Fields to group by, comma-separated.")
    interval: str = Field("", max_length=20, description="For figures over time: length of a step, such as `5m`.")
    limit: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Rows: the groups with the greatest first figure (100 without it), or with an interval the newest.",
    )


class FieldsParameters(Asked):
    """Which fields there are."""

    prefix: str = Field("", max_length=200, description="Only names that begin like this, in any case.")
    limit: int = Field(100, ge=1, le=1000, description="Names.")


class ValuesParameters(FieldsParameters):
    """Values of one field."""

    name: str = Field(max_length=200, description="The field.")
    limit: int = Field(20, ge=1, le=1000, description="Values, the most frequent first.")


class TailParameters(BaseModel):
    """Logs as they are stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field("", description="What to look for, as with `/logs`.")
    fields: _Names = Field("", description="Fields of a row, comma-separated; all of them without it.")
    last_id: str = Field(
        "", max_length=100_000, description="The id of an event to go on after; a header Last-Event-ID comes first."
    )
