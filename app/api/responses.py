"""The responses of each endpoint. Descriptions are part of the OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.api.row_schemas import TIME, Bar, FieldCount, Group, Log, ValueCount


class Statistics(BaseModel):
    """The cost of a query."""

    took_ms: int = Field(description="Duration of the query in milliseconds.")
    rows_read: int = Field(description="Rows that ClickHouse read for it.")
    bytes_read: int = Field(description="Bytes that ClickHouse read for it, uncompressed.")


class HintResponse(BaseModel):
    """What may have been meant instead."""

    message: str = Field(description="A message for people.")
    query: str | None = Field(None, description="The whole query for it, ready to be sent; absent if there is none.")


class ListResponse(BaseModel):
    """A response that is a list."""

    rows: list[dict[str, Any]] = Field(description="The results.")
    complete: bool = Field(description="False if the query timed out, or if a limit left out groups, fields or values.")
    hints: list[HintResponse] | None = Field(
        None, description="What may have been meant instead: typos, and for `/logs` without a row what was misread."
    )
    statistics: Statistics


class LogsResponse(ListResponse):
    """Logs, newest first."""

    rows: list[Log]
    next_cursor: str | None = Field(None, description="Cursor of the next page; absent if there is none.")


class ContextResponse(ListResponse):
    """Logs, oldest first, including the requested one."""

    rows: list[Log]


class LogResponse(BaseModel):
    """One log."""

    log: Log
    statistics: Statistics


class SourceOfField(BaseModel):
    """What a field was read from."""

    field: str = Field(description="The field.")
    source: str = Field(description="Where its value was read, such as `key level_name`, `the header of the line`.")
    text: str = Field(description="What is written there; empty if it is the value itself, or all of the record.")
    rule: str = Field(description="Why it counts, if that is not obvious; empty otherwise.")


class ExplainResponse(BaseModel):
    """How one log was read."""

    basis: Literal["record", "raw", "message"] = Field(
        description="What it is explained from: its record, read again from Kafka, or what the row has of it."
    )
    note: str = Field(description="What has to be known about the explanation, in sentences; empty if nothing.")
    form: list[str] = Field(description="What the record is, from the outside to the inside: `CRI`, `JSON`.")
    time_from: Literal["written", "assumed", "record"] | None = Field(
        None,
        description="Whether the time was written with its zone, without one, or is that of the record in Kafka;"
        " absent if that cannot be told.",
    )
    sources: list[SourceOfField] = Field(description="What each field was read from; empty if that cannot be told.")
    settings: dict[str, str] = Field(
        description="The settings with which the row would be another if they had other values, and their values."
    )
    differences: list[str] = Field(description="Fields that would have another value if it were stored today.")
    reader: str = Field(description="Version and settings by which it was stored; empty if the row does not say so.")
    reader_now: str = Field(description="Those of today, by which it is explained.")
    statistics: Statistics


class HistogramResponse(ListResponse):
    """A row for each bar that is not empty: `time` (its start), the fields grouped by, `count`."""

    rows: list[Bar]
    interval_secs: int = Field(description="Length of a bar.")
    start: str = Field(description="Start of the range, included.", json_schema_extra=TIME)
    end: str = Field(description="End of the range, not included.", json_schema_extra=TIME)


class StatsResponse(ListResponse):
    """A row for each group, and with an interval for each time step: `time`, the fields grouped by, the aggregates."""

    rows: list[Group]
    approximate: dict[str, str] = Field(description="The error bound of each function that is not exact.")


class FieldsResponse(ListResponse):
    """A row for each field: `name`, and the `count` of logs that have it."""

    rows: list[FieldCount]
    looked_at: int = Field(description="Number of logs examined: the newest matching ones of the range.")


class ValuesResponse(ListResponse):
    """A row for each value: `value`, `count`."""

    rows: list[ValueCount]
