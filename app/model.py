"""The nouns that all rooms share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class RecordChunk:
    """Records of one partition in the order of their offsets, as parallel sequences of equal length.

    `timestamps_ms` are Kafka's, unix epoch; a value of None is a tombstone; `next_offset` is where reading goes on
    (not always the last offset + 1: transaction markers take up offsets too).
    """

    partition: Partition
    topic_id: str
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]
    values: Sequence[bytes | None]
    headers: Sequence[Headers]
    next_offset: int


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll of the source brought.

    `assigned` is None as long as the partitions stay the same. Otherwise it names all partitions that are ours from
    now on, each with its topic id and the offset after the last committed one; they yield nothing until started.
    """

    chunks: Sequence[RecordChunk] = ()
    assigned: Mapping[Partition, "Position"] | None = None


class Position(NamedTuple):
    """Where a partition stands: the id of its topic and the next offset to read."""

    topic_id: str
    next_offset: int


class LogEvent(BaseModel):
    """A log event as JSON, by its canonical names; aliases are in `pipeline/aliases.py`.

    Every other key is kept as an attribute. `timestamp` is RFC 3339 text or a unix epoch number in s, ms, us or ns,
    told apart by magnitude; without it the event takes the time of its Kafka record.
    """

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)

    message: str = Field(description="What happened.")
    timestamp: str | int | float | None = Field(None, description="When it happened.")
    service: str = Field("", description="Name of the program or team that logs.")
    level: str = Field("", description="TRACE, DEBUG, INFO, WARN, ERROR or FATAL, in any spelling that is usual.")
    user_id: str = Field("", description="User on whose behalf it happened.")
    response_time_ms: float | None = Field(None, description="How long a request took, in milliseconds.")
    trace_id: str = Field("", description="Trace that the event belongs to.")
    span_id: str = Field("", description="Span within the trace.")
    host: str = Field("", description="Machine or container that the event comes from.")
    attributes: dict[str, object] = Field({}, description="Anything else.")
