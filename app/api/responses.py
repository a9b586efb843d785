"""What each endpoint answers. Descriptions end up in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, Field


class Statistics(BaseModel):
    """What an answer took."""

    took_ms: int = Field(description="Time from the question to the answer.")
    rows_read: int = Field(description="Rows that ClickHouse has read for it.")
    bytes_read: int = Field(description="Bytes that ClickHouse has read for it, uncompressed.")


class Answer(BaseModel):
    """Every answer that is a list."""

    rows: list[dict[str, Any]] = Field(description="What was found.")
    complete: bool = Field(description="False if the time was up before everything had been looked at.")
    hints: list[str] | None = Field(None, description="What the query may have meant otherwise; missing if nothing.")
    statistics: Statistics


class LogsAnswer(Answer):
    """Logs, newest first."""

    next_cursor: str | None = Field(None, description="For the next page; missing if there is none.")


class ContextAnswer(Answer):
    """Logs, oldest first, the one asked about among them."""


class LogAnswer(BaseModel):
    """One log."""

    log: dict[str, Any]
    statistics: Statistics


class HistogramAnswer(Answer):
    """A row for each bar that is not empty: `time` (its start), the field asked for, `count`."""

    interval_secs: int = Field(description="Length of a bar.")
    start: str = Field(description="Start of the range, as it was understood (RFC 3339).")
    end: str = Field(description="End of the range, not included.")


class StatsAnswer(Answer):
    """A row for each group, and step of time if asked for: `time`, the fields grouped by, a figure a function."""

    approximate: dict[str, str] = Field(description="For each function that is not exact, how far it may be off.")


class FieldsAnswer(Answer):
    """A row for each field: `name`, `count` of the logs that have it."""

    looked_at: int = Field(description="Logs that were looked at: the newest ones of the range.")


class ValuesAnswer(Answer):
    """A row for each value: `value`, `count`."""
