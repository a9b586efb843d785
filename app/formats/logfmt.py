"""`key=value key="value"` in a line of text. Pure."""

import re
from typing import Final

from app.domain.level_scales import Scale
from app.domain.severity import severity_of
from app.formats.field_names import Fields
from app.formats.json_levels import severity_of_value
from app.formats.level_words import level_of

OPENING: Final = re.compile(r"[A-Za-z_@][\w.@-]{0,63}=(?=[^\s=]|\Z)")

_PAIR: Final = re.compile(
    r"(?<![\w.@-])(?:(ts|time|timestamp|level|lvl|severity|loglevel|log_level|log\.level|pri|service|app|service\.name|"
    r"service_name|logger|host|hostname|pid|caller|trace_id|traceID|traceId|span_id|spanID|spanId)|[A-Za-z_@][\w.@-]{0,63})"
    r"=(?:'([^']{0,1000})(?:'|(?<!\n)\Z)"  # pairs within it are auditd's of another: msg='op=login hostname=remote'
    r'|"([^"\\]{0,300}(?:\\.[^"\\]{0,300}){0,40})"|([^\s"]{0,300}))'
)
_LEVELS: Final = frozenset(("level", "lvl", "severity", "loglevel", "log_level", "log.level"))
_FIELD_OF: Final = (
    dict.fromkeys(("service", "app", "service.name", "service_name"), "service")
    | dict.fromkeys(("trace_id", "traceID", "traceId"), "trace_id")
    | dict.fromkeys(("span_id", "spanID", "spanId"), "span_id")
    | {"logger": "logger", "host": "host", "hostname": "host", "pid": "pid"}
)
_CALLER: Final = re.compile(r"([\w./@-]{1,200}):(\d{1,7})\Z", re.ASCII)
_DURATION: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|s)\Z", re.ASCII)
_ROUTER: Final = re.compile(r" connect=\d{1,9}ms service=\d{1,9}ms(?!\S)", re.ASCII)  # Heroku's
_HEX: Final = re.compile(r"(?!0*\Z)[0-9a-f]{16}(?:[0-9a-f]{16})?\Z")


def read_pairs(line: str, start: int = 0) -> Fields:
    """The fields that the pairs from `start` on give, the first of a key counts; `level` is a severity."""
    fields: Fields = {}
    for key, single, double, plain in _PAIR.findall(line, start):
        if key:
            _take(fields, key, single or double or plain)
    if "host" in fields and "service" not in fields and _ROUTER.search(line, start):
        del fields["host"]  # that of the request
    return fields


def pair_of_level(line: str, start: int) -> str:
    """The pair that gives the level of `read_pairs`, "" if none does."""
    for pair in _PAIR.finditer(line, start):
        key, single, double, plain = pair.groups()
        fields: Fields = {}
        if key:
            _take(fields, key, single or double or plain or "")
        if "level" in fields:
            return pair[0]
    return ""


def _take(fields: Fields, key: str, value: str) -> None:
    if key in _LEVELS:
        if "level" not in fields and (level := severity_of(value) or level_of(value)):
            fields["level"] = level
    elif key == "pri":
        if "level" not in fields and (level := severity_of(value) or severity_of_value(value, Scale.SYSLOG)):
            fields["level"] = level
    elif key == "caller":
        if match := _CALLER.match(value):
            fields["file"], fields["line"] = match.groups()
    elif (field := _FIELD_OF.get(key)) and value and field not in fields and _fits(field, value):
        fields[field] = value


def _fits(field: str, value: str) -> bool:
    if field == "service":
        return _DURATION.match(value) is None  # Heroku's router writes what it took: service=18ms
    if field == "pid":
        return value.isdecimal() and len(value) < 11
    if field == "trace_id":
        return len(value) == 32 and _HEX.match(value) is not None
    return field != "span_id" or (len(value) == 16 and _HEX.match(value) is not None)
