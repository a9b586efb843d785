"""The layouts of text logs: how a line begins, and the fields of its header. A table that `text_line.py` uses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain.severity import severity_of

Fields = dict[str, str | None]
"""The text that each named group of a layout's patterns matched."""


ATTRIBUTE_OF: Final = {
    "agent": "user_agent.original",
    "client": "client.address",
    "file": "code.file.path",
    "function": "code.function.name",
    "host": "host.name",
    "line": "code.line.number",
    "log_file": "log.file.name",
    "logger": "log.logger",
    "method": "http.request.method",
    "msg_id": "log.syslog.msgid",
    "path": "url.path",
    "pid": "process.pid",
    "port": "client.port",
    "query": "url.query",
    "referer": "http.request.header.referer",
    "size": "http.response.body.size",
    "status": "http.response.status_code",
    "stream": "log.iostream",
    "thread": "thread.name",
    "tid": "thread.id",
    "user": "user.name",
    "vhost": "server.address",
}
"""The attribute that a named group of a pattern becomes; the other groups are for time, severity and service."""

# Pieces of patterns. A group that holds a part of the time has a name that `unix_ns` knows.
_HMS = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?"
# Abbreviations stand for different offsets in different places: matched, so that they are not taken for UTC.
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT)| ?[+-]\d\d:?\d\d|[+-]\d\d| (?:[ECMP][SD]T|[CEW]ES?T|[BIJK]ST|MSK|A[EC][SD]T))"
_ISO = rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ]{_HMS}{_ZONE}?(?!\w)"
_EPOCH = r"(?P<epoch>[12]\d{9}(?:\d{3}|\.\d{1,9})?)"  # seconds or milliseconds, of the years 2001 to 2065
MONTH_NAMES = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MONTH = rf"(?P<month>{MONTH_NAMES})"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
# Whether a word is a level is checked after the match, which is cheaper. Where only blanks set it apart,
# it must be in capitals: "alert manager: started" is prose.
_LEVEL = r"(?P<level>[A-Z]{3,13}\d?)"
_LEVEL_IN_ANY_CASE = r"(?P<level>[A-Za-z]{3,13}\d?)"
_LOGGER = r"(?P<logger>[\w.$/:<>-]{0,200}[\w$>])"
_THREAD = r"\[ *(?P<thread>[^\]\s](?:[^\]]{0,198}[^\]\s])?) *\]"
_PRI = r"<(?P<pri>\d|[1-9]\d|1[0-8]\d|19[01])>"
_TAG = (  # prog, prog[pid], prog(module)[pid], prog 1.2.3
    r"(?P<service>[^\s:\[\]()<>]{1,64})(?:\((?P<logger>[^\s()]{1,64})\))?"
    r"(?: [\d.]{1,20})?(?:\[(?P<pid>\d{1,10})\])?"
)
_AFTER_LOGGER = r"(?: \[[^\]]*\])? ?[-:] "
_IN_QUOTES = r'[^"\\]*(?:\\.[^"\\]*)*'
_QUOTED = f'"{_IN_QUOTES}"'
_REQUEST = r'"(?P<method>[A-Z]{1,32}) (?P<path>[^\s"?]*)(?:\?(?P<query>[^\s"]*))?(?: HTTP/[\d.]+)?"'


def level_is_known(fields: Fields) -> bool:
    """Whether the text where a level is expected is one; true if the layout has no level."""
    level = fields.get("level")
    return level is None or severity_of(level) != ""


def _groups(match: re.Match[str]) -> Fields:
    return match.groupdict()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a family of records begins, and what may follow the opening.

    The first pattern in `rests` that fits adds its groups; its `level`, if it has one, must be a known level word.
    """

    name: str
    starts: str  # the characters that such a record may begin with
    opening: str
    rests: tuple[str, ...] = ()
    needs_rest: bool = False  # the opening alone does not identify the layout
    holds: str = ""  # a text without which the layout cannot fit: searching for it is cheaper than the pattern
    fields: Callable[[re.Match[str]], Fields] = _groups


def _logfmt_fields(match: re.Match[str]) -> Fields:
    """The fields of `key=value key="value"`."""
    fields: Fields = {}
    for key, value in _PAIR.findall(match.string):
        if field := _LOGFMT_FIELD_OF.get(key):
            fields.setdefault(field, value.strip('"'))
    if not level_is_known(fields):
        del fields["level"]
    time = _PAIR_TIME.fullmatch(fields.get("time") or "")
    return fields | time.groupdict() if time else fields


_PAIR: Final = re.compile(rf"(?a)(?<![\w.-])([A-Za-z_][\w.-]{{0,63}})=({_QUOTED}|[^\s\"]*)")
_PAIR_TIME: Final = re.compile(rf"(?a){_ISO}|{_EPOCH}")
_LOGFMT_FIELD_OF: Final = (
    dict.fromkeys(("time", "ts", "timestamp", "t"), "time")
    | dict.fromkeys(("level", "lvl", "severity"), "level")
    | dict.fromkeys(("service", "app", "service.name", "service_name"), "service")
    | {"logger": "logger", "host": "host", "hostname": "host"}
)

_DIGITS: Final = "0123456789"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_AFTER_ISO: Final = (
    # Spring Boot
    rf" +{_LEVEL} (?P<pid>\d+) --- (?:\[(?P<service>[^\s\]]+)\] )?{_THREAD} (?:\[[-\w ]*\] )?{_LOGGER} *: ",
    # Python
    rf" - {_LOGGER} - {_LEVEL} - ",
    # log4j and logback: level first (also Hadoop, Flink, Rust's tracing), thread first
    rf" +{_LEVEL} +(?:{_THREAD} )?{_LOGGER}{_AFTER_LOGGER}",
    rf" {_THREAD} {_LEVEL} +{_LOGGER}{_AFTER_LOGGER}",
    # syslog with an ISO time (rsyslog, journald); without offset or pid, "host tag:" could be any two words
    rf"(?:(?<=[+-]\d\d:\d\d)|(?<=[+-]\d{{4}})) (?P<host>[^\s\[\]:]{{1,255}}) {_TAG}: ",
    r" (?P<host>[^\s\[\]:]{1,255}) (?P<service>[^\s:\[\]()]{1,64})\[(?P<pid>\d{1,10})\]: ",
    # ZooKeeper
    rf" (?:\[myid:\d*\] )?- {_LEVEL} +\[(?P<thread>.{{1,200}}):(?P<logger>[\w.$]{{1,80}})@(?P<line>\d+)\] - ",
    # OpenStack
    rf" (?P<pid>\d+) {_LEVEL} {_LOGGER} ",
    # nginx error log
    rf" \[{_LEVEL_IN_ANY_CASE}\] (?P<pid>\d+)#(?P<tid>\d+): ",
    # loguru
    rf" \| {_LEVEL} +\| {_LOGGER}:(?P<function>[\w<>]+):(?P<line>\d+) - ",
    # Go: zap, log with Lshortfile
    rf"\t{_LEVEL_IN_ANY_CASE}\t(?:{_LOGGER}\t)?(?P<file>[\w./-]+\.go):(?P<line>\d+)\t",
    r" (?P<file>[\w./-]+\.go):(?P<line>\d+): ",
    # a container's log on Kubernetes
    r" (?P<stream>stdout|stderr) [FP] ",
)
_AFTER_SYSLOG_TIME: Final = (
    rf" (?P<host>[^\s\[\]]{{1,255}})(?<!:) {_TAG}:(?!\S)",
    r" (?P<host>[^\s\[\]]{1,255}) (?:last message repeated |message repeated |-- MARK --)",
    rf" {_TAG}:(?!\S)",
)

LAYOUTS: Final = (
    Layout(
        "Apache and nginx access logs, common and combined",
        _DIGITS + _LETTERS + ":",
        r"(?:(?P<vhost>[\w.-]{1,255}):\d{1,5} )?"
        r"(?P<client>[\w.:-]{1,255}) \S{1,64} (?P<user>[^\[\]\"]{1,128}) "
        rf"\[(?P<day>\d\d)/{_MONTH}/(?P<year>\d{{4}}):{_HMS}{_ZONE}\] "
        rf"(?:{_REQUEST}|{_QUOTED}) "
        r"(?P<status>[1-5]\d\d) (?P<size>\d+|-)"
        rf'(?: "(?P<referer>{_IN_QUOTES})" "(?P<agent>{_IN_QUOTES})")?',
        holds='] "',
    ),
    Layout("a time and then anything", _DIGITS, _ISO, _AFTER_ISO),
    Layout(
        "a time in brackets, or a header in brackets that opens with a time",
        "[",
        rf"\[{_ISO}",
        (
            rf"\] {_LEVEL} .*\((?P<logger>[\w.$]+)\)\s*\Z",  # Kafka
            rf"\] \[(?P<pid>\d+)\] \[{_LEVEL_IN_ANY_CASE}\] ",  # gunicorn
            rf"\]\[{_LEVEL} *\]\[(?P<logger>[\w.$-]+) *\] ",  # Elasticsearch
            rf" {_LEVEL} +{_LOGGER}\] ",  # Rust's env_logger
            rf": {_LEVEL}/(?P<thread>[\w-]+)\] ",  # Celery
            rf"\] (?P<logger>[\w-]+)\.{_LEVEL}: ",  # Monolog
            rf"\] {_LEVEL} +{_THREAD} {_LOGGER}{_AFTER_LOGGER}",
        ),
    ),
    Layout(
        "syslog, RFC 5424",
        "<",
        rf"{_PRI}1 (?:-|{_ISO}) (?P<host>\S+) (?P<service>\S+) (?P<pid>\S+) (?P<msg_id>\S+)(?!\S)",
    ),
    Layout(
        "syslog, RFC 3164",
        "<JFMASOND",
        rf"(?:{_PRI})?{_MONTH}  ?(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?{_HMS}(?!\w)",
        _AFTER_SYSLOG_TIME,
    ),
    Layout("syslog, RFC 3164 with an ISO time", "<", rf"{_PRI}{_ISO}", _AFTER_SYSLOG_TIME),
    Layout("syslog without a time", "<", _PRI),
    Layout(
        "Apache error log",
        "[",
        rf"\[{_WEEKDAY} {_MONTH}  ?(?P<day>\d{{1,2}}) {_HMS} (?P<year>\d{{4}})\]",
        (
            rf" \[(?P<logger>\w*):{_LEVEL_IN_ANY_CASE}\] \[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\]"
            r"(?: \[client (?P<client>[^\s\]]+):(?P<port>\d+)\])?",
            rf" \[{_LEVEL_IN_ANY_CASE}\](?: \[client (?P<client>[^\s\]]+)\])?",
        ),
    ),
    Layout(
        "klog and glog",
        "IWEF",
        rf"(?P<level>[IWEF])(?P<year>\d{{4}})??(?P<month>\d\d)(?P<day>\d\d) {_HMS} +(?P<tid>\d+) "
        r"(?P<file>[^\s:\]]{1,200}):(?P<line>\d+)\]",
    ),
    Layout(
        "HDFS: yymmdd hhmmss",
        _DIGITS,
        r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)",
        (rf" (?P<pid>\d+) {_LEVEL} {_LOGGER}: ",),
        needs_rest=True,
    ),
    Layout(
        "Spark: yy/mm/dd",
        _DIGITS,
        rf"(?P<year>\d\d)/(?P<month>\d\d)/(?P<day>\d\d) {_HMS}",
        (rf" +{_LEVEL} +{_LOGGER}: ",),
        needs_rest=True,
    ),
    Layout("a Unix time", _DIGITS, rf"{_EPOCH}(?![\w.-])"),
    Layout("a Unix time in brackets", "[", rf"\[{_EPOCH}\]"),
    Layout(
        "logback without a date",  # which day is not known, so there is no time
        _DIGITS,
        r"\d\d:\d\d:\d\d[.,]\d{3}",
        (rf" {_THREAD} {_LEVEL} +{_LOGGER} - ",),
        needs_rest=True,
    ),
    Layout(
        "the name of a file, a time and then anything",
        _LETTERS,
        rf"(?P<log_file>[\w./-]{{0,200}}\.log[\w.:-]{{0,100}})[ :]{_ISO}",
        _AFTER_ISO,
        holds=".log",
    ),
    Layout("Python without a time", "DIWEC", rf"{_LEVEL}:(?P<logger>[\w.]{{1,200}}):(?!:)"),
    Layout("logfmt", _LETTERS + "_", r"(?=[A-Za-z_][\w.-]{0,63}=)", holds="=", fields=_logfmt_fields),
)
"""Every known layout; the first that fits is taken. A new one is an entry here and a case in the test."""
