"""Loggers whose events are known by several of their keys: what short names mean there, and the scale of their levels.

A table; `docs/events.md` shows it. The first dialect that fits is taken.
"""

from collections.abc import Mapping, Set
from typing import Final

from msgspec import Struct, field

from app.domain.level_scales import Scale


class Dialect(Struct, frozen=True):
    """The events of a logger.

    `marks` are keys (of the first level, or dotted) that such an event has, all of them; of each set in `any_of` it
    has at least one. `names` are fields by the keys that mean them there.
    """

    name: str
    marks: frozenset[str]
    scale: Scale | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    any_of: frozenset[str] = frozenset()

    def fits(self, keys: Set[str]) -> bool:
        """Whether these are the keys of such an event."""
        return self.marks <= keys and (not self.any_of or not self.any_of.isdisjoint(keys))


def _dialect(
    name: str, marks: str, scale: Scale | None = None, any_of: str = "", names: Mapping[str, str] | None = None
) -> Dialect:
    return Dialect(name, frozenset(marks.split()), scale, names or {}, frozenset(any_of.split()))


_NAME_IS_THE_SERVICE: Final = {"name": "service"}

_WINDOWS_NAMES: Final = {"EventType": "level"}
_ENTITY_NAMES: Final = dict.fromkeys(("created", "created_at", "createdAt", "creation_time", "createdTime"), "")

_MONGO_TIMES: Final = ("t", "t.$date", "t.$date.$numberLong")

DIALECTS: Final = (
    _dialect("OpenTelemetry", "", Scale.OTEL, "severityNumber severity_number SeverityNumber"),
    _dialect("journald", "", Scale.SYSLOG, "__REALTIME_TIMESTAMP _SYSTEMD_UNIT SYSLOG_IDENTIFIER _TRANSPORT"),
    _dialect("GELF", "short_message", Scale.SYSLOG),
    _dialect("GELF", "version host", Scale.SYSLOG, "message full_message"),
    _dialect(
        "syslog",
        "",
        Scale.SYSLOG,
        "facility facility_label syslog_facility syslogfacility log.syslog programname appname",
    ),
    _dialect("syslog-ng", "PROGRAM PRIORITY", Scale.SYSLOG, names={"PROGRAM": "service", "DATE": "timestamp"}),
    _dialect("MongoDB", "t s c msg", names={"s": "level", **dict.fromkeys(_MONGO_TIMES, "timestamp")}),
    _dialect("MySQL", "prio err_code", Scale.MYSQL, names={"label": "level", "prio": "level", "time": "timestamp"}),
    _dialect("Monolog", "channel datetime", Scale.MONOLOG),
    _dialect("Nextcloud", "reqId app", Scale.NEXTCLOUD),
    _dialect("loguru", "record text", Scale.PYTHON, names={"record.message": "message"}),
    _dialect(
        "Python",
        "",
        Scale.PYTHON,
        "levelno levelname asctime lineno funcName taskName processName exc_info stack_info",
    ),
    _dialect("Logback and Log4j 1", "", Scale.LOG4J1, "level_value"),
    _dialect("java.util.logging", "", Scale.JUL, "loggerClassName sourceMethodName sourceClassName"),
    _dialect("Log4j 2", "", Scale.LOG4J2, "loggerFqcn endOfBatch contextMap instant"),
    _dialect("Google Cloud Logging", "", Scale.GOOGLE, "textPayload jsonPayload protoPayload insertId"),
    _dialect("Windows", "Id LevelDisplayName", Scale.WINDOWS, "LogName ProviderName", {"LevelDisplayName": ""}),
    _dialect("Windows", "EventID", Scale.WINDOWS, "Channel ProviderName SourceName ProviderGuid", _WINDOWS_NAMES),
    _dialect(".NET", "", Scale.DOTNET, "@t @mt @i LogLevel EventId MessageTemplate RenderedMessage SourceContext"),
    _dialect("bunyan", "v", Scale.BUNYAN, "hostname pid", names=_NAME_IS_THE_SERVICE),
    _dialect("pino", "time msg", Scale.BUNYAN, "hostname pid", names=_NAME_IS_THE_SERVICE),
    _dialect("slog", "time level msg source", Scale.SLOG),
    _dialect("pino", "time level msg", Scale.BUNYAN),
    _dialect("Falco", "priority rule output", names={"output": "message", "priority": "level"}),
    _dialect("Datadog", "", names={"status": "level"}, any_of="ddsource ddtags"),
    _dialect("zap", "L M", names={"L": "level", "M": "message", "T": "timestamp"}),
    _dialect("log15", "t msg", names={"t": "timestamp", "lvl": "level"}, any_of="lvl level"),
    _dialect("Kubernetes audit", "auditID stage", names={"stageTimestamp": "timestamp", "level": ""}),
    _dialect("Kubernetes event", "involvedObject reason", names={"type": "level", "lastTimestamp": "timestamp"}),
    _dialect("Kubernetes event", "regarding reason note", names={"type": "level", "note": "message"}),
    _dialect(
        "Application Insights",
        "SeverityLevel",
        Scale.APP_INSIGHTS,
        names={"SeverityLevel": "level", "AppRoleName": "service", "OperationId": "trace_id"},
    ),
    _dialect("Roarr", "context.logLevel message", Scale.BUNYAN, names={"context.logLevel": "level"}),
    _dialect(
        "tslog",
        "_meta.logLevelName",
        names={"_meta.logLevelName": "level", "_meta.date": "timestamp", "_meta.hostname": "host"},
    ),
    _dialect("Vector", "metadata.level metadata.target", names={"metadata.level": "level"}),
    _dialect("CockroachDB", "channel_numeric severity_numeric", Scale.COCKROACH, names={"severity_numeric": "level"}),
    _dialect(
        "CockroachDB, compact",
        "c t s g message",
        Scale.COCKROACH,
        names={"t": "timestamp", "s": "level", "sev": "level"},
    ),
    _dialect("Apple", "eventMessage messageType", names={"eventMessage": "message", "messageType": "level"}),
    _dialect(
        "osquery",
        "hostIdentifier unixTime",
        Scale.GLOG,
        names={"hostIdentifier": "host", "unixTime": "timestamp"},
    ),
    _dialect("lager", "log_level source data", Scale.LAGER),
    _dialect("Sentry", "event_id platform", names={"server_name": "host"}),
    _dialect("an entity", "", any_of="updated updated_at updatedAt modified_at modifiedAt", names=_ENTITY_NAMES),
    _dialect("Auth0", "log_id data", names={"data.date": "timestamp", "data.description": "message"}),
)


def dialect_of(keys: Set[str]) -> Dialect | None:
    """The dialect of an event with these keys."""
    return next((dialect for dialect in DIALECTS if dialect.fits(keys)), None)
