"""The fields that the keys of JSON events are names of. Tables; `docs/events.md` has them.

The names that queries know too are in the registry of columns; those here are of loggers, agents and clouds.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.domain.columns import SENT
from app.domain.keys import one_spelling, remember
from app.formats.origin import app_label_rank

LEVEL_NUMBER: Final = "severity_number"
"""Not a column that events carry, but a number of OpenTelemetry's scale beside the level."""
TRACE_CONTEXT: Final = "trace_context"
"""A text that holds the ids of trace and span: traceparent, b3, X-Amzn-Trace-Id, X-Cloud-Trace-Context."""
SCOPES: Final = "scopes"
"""A list of objects of which one may hold the ids: what .NET's console logger writes of the activity."""
DATADOG_TRACE: Final = "datadog_trace_id"
DATADOG_SPAN: Final = "datadog_span_id"
LAST_MESSAGE: Final = "last_message"
"""The message of an error inside the event, which is the event's if it has no other."""

IDS: Final = ("trace_id", "span_id", TRACE_CONTEXT, DATADOG_TRACE, DATADOG_SPAN, SCOPES)

_FURTHER: Final[Mapping[str, tuple[str, ...]]] = {
    "timestamp": (
        *("@t", "time_iso8601", "time_local", "instant", "timeMillis", "epochMillis", "timestampMillis"),
        *("timestamp_ms", "ts_ms", "StartUTC", "EdgeStartTimestamp", "requestReceivedTimestamp", "timeUnixNano"),
        *("__REALTIME_TIMESTAMP", "timereported", "ISODATE", "TimeCreated", "TimeGenerated", "record.time.timestamp"),
        *("syslog.timestamp", "ibm_datetime", "reqTimeSec", "observedTimeUnixNano", "receiveTimestamp"),
    ),
    "level": (
        *("LogLevel", "log_level", "@level", "severity_label", "level_label", "error_severity", "level.name"),
        *("record.level.name", "level.levelStr", "level_text", "log_severity", "levelno", "level_value", "level.no"),
        *("record.level.no", "log.syslog.severity.name", "syslog.severity", "syslog_severity", "syslogseverity-text"),
        *("log.syslog.severity.code", "syslogseverity", "PRIORITY"),
    ),
    LEVEL_NUMBER: ("severityNumber", "severity_number", "otel.severity_number"),
    "message": (
        *("short_message", "MESSAGE", "@mt", "fields.message", "textPayload", "jsonPayload.message", "record.message"),
        *("RenderedMessage", "MessageTemplate", "rendered", "log_message", "log.message", "message.text"),
        *("formatted_message", "event.original", "full_message", "logEvent.message", "event_message", "displayMessage"),
    ),
    LAST_MESSAGE: (
        *("error.message", "err.message", "exception.message", "error.msg", "err.msg", "exception.msg"),
        *("error", "err", "exception", "@x", "output"),
    ),
    "service": (
        *("resource.attributes.service.name", "ResourceAttributes.service.name", "resource.service.name"),
        *("otelServiceName", "entity.name", "serviceContext.service", "dd.service", "app_name", "application_name"),
        *("app.name",),
        *("application.name", "kubernetes.labels", "kubernetes.container_name", "kubernetes.container.name"),
        *("resource.labels.service_name", "resource.labels.container_name", "container.name", "container_name"),
        *("SYSLOG_IDENTIFIER", "programname", "log.syslog.appname", "ident"),
    ),
    "host": (
        *("_HOSTNAME", "host_name", "host.hostname", "resource.attributes.host.name", "ResourceAttributes.host.name"),
        *(
            "resource.host.name",
            "syslog.hostname",
            "machine_name",
            "computer",
            "ComputerName",
            "source_host",
            "nodename",
        ),
    ),
    "user_id": ("usr.id",),
    "trace_id": (
        *("@tr", "otelTraceID", "logging.googleapis.com/trace", "trace", "trace.trace_id", "xrayTraceId"),
        *("xray_trace_id", "AWS-XRAY-TRACE-ID", "x-b3-traceid", "b3.traceid"),
    ),
    "span_id": ("@sp", "otelSpanID", "logging.googleapis.com/spanId", "x-b3-spanid", "b3.spanid"),
    TRACE_CONTEXT: ("traceparent", "b3", "x-amzn-trace-id", "x-cloud-trace-context", "uber-trace-id"),
    SCOPES: ("Scopes",),
    DATADOG_TRACE: ("dd.trace_id", "dd_trace_id"),
    DATADOG_SPAN: ("dd.span_id", "dd_span_id"),
}


def _each(names: str, of: str) -> tuple[str, ...]:
    """Names that are made of two words, in one spelling."""
    return tuple(one + other for one in names.split() for other in of.split())


_POSSIBLE: Final[Mapping[str, tuple[str, ...]]] = {
    "timestamp": (
        *("date", "data.date"),
        *_each("event log record message entry", "timestamp time datetime date ts at timems timestampms timeutc"),
        *_each("occurred logged emitted", "at time on"),
        *_each("request req query access audit action activity", "timestamp time ts at timems timestampms timeepoch"),
        *_each("start started begin", "time timestamp ts at timems"),
        *_each("unix epoch calendar system server", "time timestamp"),
        *_each("generated reported published written sent created creation", "at time timestamp on date"),
        *("created", "published", "timecreated", "timegenerated"),
        *_each("observed received collected", "at time timestamp"),
    )
}
"""Names that programs use for other things as well: they count only with a value that can be nothing else."""
LABELS: Final = "kubernetes.labels"
"""Stands for the labels of Kubernetes that name a service, in the order of names of the service."""
_FIRST: Final = {"service": ("service.name", "service")}
TEMPLATES: Final = frozenset({"@mt", "MessageTemplate"})
"""Messages with names in braces, which the event's other values fill."""

# Objects that hold what loggers carry along; a message or an id in one of them is that of the event.
_CONTAINERS: Final = frozenset(
    (
        *("mdc", "contextmap", "context", "ctx", "extra", "metadata", "properties", "attributes", "fields", "data"),
        *("spancontext", "tracecontext", "otel", "labels", "payload", "record", "jsonpayload", "body", "log", "span"),
        *("request", "headers", "tags", "resource", "scope", "state", "event", "details", "logentry", "trace"),
    )
)
_WITHIN: Final = {
    **dict.fromkeys(("traceid", "oteltraceid"), "trace_id"),
    **dict.fromkeys(("spanid", "otelspanid"), "span_id"),
    "traceparent": TRACE_CONTEXT,
}
_MESSAGE_WITHIN: Final = frozenset(
    {"fields", "data", "payload", "properties", "record", "jsonpayload", "body", "details", "event", "structured"}
)
_WITHIN_RANK: Final = 500.0
POSSIBLE_RANK: Final = 1000
"""The rank from which on a name is one that may mean something else."""


class Meaning(NamedTuple):
    """The field that a key is a name of, and its rank among the field's names; the lowest with a value wins."""

    field: str
    rank: float


def _ranks() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for field in dict.fromkeys((*SENT, *_FURTHER)):
        own = (field, *SENT[field].aliases) if field in SENT else ()
        names = dict.fromkeys((*_FIRST.get(field, ()), *own, *_FURTHER.get(field, ())))
        for rank, name in enumerate(names):
            found.setdefault(name, Meaning(field, rank))
        for rank, name in enumerate(_POSSIBLE.get(field, ()), POSSIBLE_RANK):
            found.setdefault(name, Meaning(field, rank))
    return found


_EXACT: Final = _ranks()
_SPELT: Final = {
    one_spelling(name): Meaning(meaning.field, meaning.rank + 0.5) for name, meaning in reversed(_EXACT.items())
}
RANK_OF_OTHER_SERVICES: Final = _EXACT["entity.name"].rank
"""The rank of the first name that does not say in so many words which service it is."""
_MEANINGS_KEPT: Final = 20_000
_LONGEST_KEPT: Final = 200  # characters
_meanings: Final[dict[str, Meaning | None]] = {}


def meaning_of(name: str) -> Meaning | None:
    """What a dotted name is a name of: exactly, in another spelling, or as the last part of a container's key."""
    try:
        return _meanings[name]
    except KeyError:
        found = _EXACT.get(name) or _SPELT.get(one_spelling(name)) or _meaning_within(one_spelling(name))
        if len(name) <= _LONGEST_KEPT:
            remember(_meanings, name, found, _MEANINGS_KEPT)
        return found


def _meaning_within(name: str) -> Meaning | None:
    label = app_label_rank(name)
    if label is not None:
        return Meaning("service", _EXACT[LABELS].rank + label / 10)
    path, _, last = name.rpartition(".")
    container = path.rpartition(".")[2]
    if container in _CONTAINERS and last in _WITHIN:
        return Meaning(_WITHIN[last], _WITHIN_RANK)
    if container in _MESSAGE_WITHIN and path == container and last in ("message", "msg"):
        return Meaning("message", _WITHIN_RANK)
    return None
