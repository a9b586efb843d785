"""The column registry: the single list of a log's fields, from which all other lists of them are derived.

The decoder's fields, the Arrow schema, the event that producers send, the fields of the query language, the rows of the
API and the explorer's list come from here. `schema.sql` is written by hand, and a test checks it against this list.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import pyarrow as pa
from msgspec import Struct


class Kind(Enum):
    """How a field is searched. The values are names for people."""

    WORDS = "words"
    TEXT = "text"
    LEVEL = "level"
    NUMBER = "number"  # Float32, and may be missing
    WHOLE = "whole number"
    TIME = "time"


class Column(Struct, frozen=True):
    """One field of a log.

    `name` is its name in events, queries and the API. `column` is its column in the table, and `key` its key there if
    that column is a map. `arrow` is its type in the rows to insert, None if it is not a column of those.
    """

    name: str
    column: str
    arrow: pa.DataType | None
    kind: Kind
    meaning: str
    key: str = ""
    aliases: tuple[str, ...] = ()
    """Other names of the field in events, after flattening, so "log.level" is also {"log": {"level": ...}}.

    In order of precedence. Other spellings of them count too (`formats/json_names.py`), and an unknown name is never
    lost: it becomes an attribute.
    """
    is_sent: bool = False
    """Events may carry it; the decoder fills the column from there."""
    is_shown: bool = False
    """The API returns it if the request chooses no fields."""
    is_facet: bool = False
    """A facet: its cardinality is low enough to count its values; that of most ids and numbers is not."""

    @property
    def is_map(self) -> bool:
        """Whether the column is a map of attributes by key."""
        return self.arrow is not None and pa.types.is_map(self.arrow)


_TEXT: Final = pa.string()
_ATTRIBUTES: Final = pa.map_(pa.string(), pa.string())

COLUMNS: Final = (
    Column(
        *("timestamp", "Timestamp", pa.timestamp("ns", tz="UTC"), Kind.TIME, "when it happened"),
        aliases=("ts", "time", "@timestamp", "Timestamp", "datetime", "asctime", "eventTime"),
        is_sent=True,
        is_shown=True,
    ),
    Column(
        *("level", "SeverityText", _TEXT, Kind.LEVEL, "trace < debug < info < warn < error < fatal, in any case"),
        aliases=(
            *("severity", "severityText", "SeverityText", "severity_text", "log.level", "lvl", "loglevel"),
            *("levelname", "level_name", "@l"),
        ),
        is_sent=True,
        is_shown=True,
        is_facet=True,
    ),
    Column(
        *("service", "ServiceName", _TEXT, Kind.TEXT, "the service that wrote it"),
        aliases=("service.name", "serviceName", "service_name", "ServiceName", "app", "application"),
        is_sent=True,
        is_shown=True,
        is_facet=True,
    ),
    Column(
        *("message", "Body", _TEXT, Kind.WORDS, "the text of the event"),
        aliases=("msg", "log", "body", "Body", "@message", "text", "event", "@m"),
        is_sent=True,
        is_shown=True,
    ),
    Column(
        *("user_id", "UserId", _TEXT, Kind.TEXT, "the user it is about"),
        aliases=("userId", "userid", "user.id", "enduser.id", "UserId"),
        is_sent=True,
        is_shown=True,
        is_facet=True,
    ),
    Column(
        *("response_time_ms", "ResponseTimeMs", pa.float32(), Kind.NUMBER, "response time in milliseconds"),
        aliases=(
            *("duration_ms", "durationMs", "responseTime", "response_time", "responseTimeMs", "ResponseTimeMs"),
            *("latency_ms", "elapsed_ms"),
        ),
        is_sent=True,
        is_shown=True,
    ),
    Column(
        *("trace_id", "TraceId", _TEXT, Kind.TEXT, "trace it belongs to"),
        aliases=("traceId", "trace.id", "traceid", "TraceId"),
        is_sent=True,
        is_shown=True,
    ),
    Column(
        *("span_id", "SpanId", _TEXT, Kind.TEXT, "span it belongs to"),
        aliases=("spanId", "span.id", "spanid", "SpanId"),
        is_sent=True,
        is_shown=True,
    ),
    Column(
        *("host", "ResourceAttributes", None, Kind.TEXT, "the machine that it comes from"),
        key="host.name",
        aliases=("hostname", "host.name", "HOSTNAME"),
        is_sent=True,
        is_facet=True,
    ),
    Column("attributes", "LogAttributes", _ATTRIBUTES, Kind.TEXT, "all other values of the event", is_shown=True),
    Column("resource", "ResourceAttributes", _ATTRIBUTES, Kind.TEXT, "where it ran", is_shown=True),
    Column(
        "parse_error",
        "ParseError",
        _TEXT,
        Kind.TEXT,
        "why it was not understood completely",
        is_shown=True,
        is_facet=True,
    ),
    Column("topic", "_topic", _TEXT, Kind.TEXT, "Kafka topic it came from", is_shown=True, is_facet=True),
    Column("partition", "_partition", pa.uint16(), Kind.WHOLE, "partition it came from", is_shown=True, is_facet=True),
    Column("offset", "_offset", pa.uint64(), Kind.WHOLE, "offset it came from", is_shown=True),
    Column(
        *("severity_number", "SeverityNumber", pa.uint8(), Kind.WHOLE),
        "OpenTelemetry's number of the level, 0 for none",
    ),
    Column("topic_id", "_topic_id", _TEXT, Kind.TEXT, "id of that topic"),
    Column("_item", "_item", pa.uint16(), Kind.WHOLE, "its number within a record of several events"),
    Column("_items", "_items", pa.uint16(), Kind.WHOLE, "how many rows its record has; 0 if not known"),
    Column("_reader", "_reader", _TEXT, Kind.TEXT, "which version and settings read the record"),
    Column("_ingested", "_ingested", None, Kind.TIME, "when it was stored"),
    Column("_raw", "_raw", pa.binary(), Kind.TEXT, "the bytes that were not understood"),
)
"""In the order in which the API shows them."""

SENT: Final[Mapping[str, Column]] = {column.name: column for column in COLUMNS if column.is_sent}
"""The fields that events carry, by name."""

ALIASES: Final[Mapping[str, str]] = {alias: column.name for column in COLUMNS for alias in column.aliases}
"""The canonical name of each alias."""
