"""The layouts of text logs, and what can be read of one record: time, severity and who wrote it."""

import re
from calendar import isleap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from app.domain.severity import severity_of

Fields = dict[str, str | None]
"""What the named groups of a layout's patterns held."""

_HEAD_CHARS: Final = 1000  # any header fits in here, so that a record of megabytes costs no more than a short one
_WORD_CHARS: Final = 100  # further in, a level word is more likely to be part of the message
_SECOND_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _SECOND_NS
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
# The whole years that fit into 64 bits of nanoseconds.
_EARLIEST_NS: Final = (date(1678, 1, 1).toordinal() - _EPOCH_ORDINAL) * _DAY_NS
_LATEST_NS: Final = (date(2262, 1, 1).toordinal() - _EPOCH_ORDINAL) * _DAY_NS


@dataclass(frozen=True, slots=True)
class TextLine:
    """What was found in a text record. `body` is always the whole text, unchanged."""

    timestamp_ns: int | None  # unix epoch, None where the text has no time that can be trusted
    severity: str  # "", "TRACE", "DEBUG", "INFO", "WARN", "ERROR" or "FATAL"
    service: str  # the program that wrote it, "" where the text does not say
    attributes: dict[str, str]  # the rest of the header, under OpenTelemetry's names where they exist
    body: str


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
"""The attribute in which a named group of a pattern ends up; the other groups are for time and severity."""

# Pieces of patterns. A group that holds a part of the time has a name that `_unix_ns` knows.
_HMS = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?"
# Abbreviations stand for different offsets in different places: matched, so that they are not taken for UTC.
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT)| ?[+-]\d\d:?\d\d|[+-]\d\d| (?:[ECMP][SD]T|[CEW]ES?T|[BIJK]ST|MSK|A[EC][SD]T))"
_ISO = rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ]{_HMS}{_ZONE}?(?!\w)"
_EPOCH = r"(?P<epoch>[12]\d{9}(?:\d{3}|\.\d{1,9})?)"  # seconds or milliseconds, of the years 2001 to 2065
_MONTH_NAMES = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MONTH = rf"(?P<month>{_MONTH_NAMES})"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
# Whether a word is known as a level is asked after the match, that is cheaper. Where only blanks set it apart,
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


def _groups(match: re.Match[str]) -> Fields:
    return match.groupdict()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a family of records opens, and what may follow the opening.

    The first pattern in `rests` that fits, with a word as `level` that is known as one, adds its groups.
    """

    name: str
    starts: str  # the characters that such a record may begin with
    opening: str
    rests: tuple[str, ...] = ()
    needs_rest: bool = False  # the opening alone is too weak a sign
    holds: str = ""  # a text without which the layout cannot fit: looking for it is cheaper than the pattern
    fields: Callable[[re.Match[str]], Fields] = _groups


def _logfmt_fields(match: re.Match[str]) -> Fields:
    """The fields of `key=value key="value"`."""
    fields: Fields = {}
    for key, value in _PAIR.findall(match.string):
        if field := _LOGFMT_FIELD_OF.get(key):
            fields.setdefault(field, value.strip('"'))
    if not _level_is_known(fields):
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


@dataclass(frozen=True, slots=True)
class _Reader:
    """A layout made ready: its patterns compiled."""

    layout: Layout
    opening: re.Pattern[str]
    rests: tuple[re.Pattern[str], ...]

    def read(self, line: str) -> tuple[Fields, int] | None:
        """The fields of the line's header and where the header ends, None where the layout does not fit."""
        if self.layout.holds not in line or (opening := self.opening.match(line)) is None:
            return None
        fields, end = self.layout.fields(opening), opening.end()
        for pattern in self.rests:
            rest = pattern.match(line, end)
            if rest is not None and _level_is_known(found := rest.groupdict()):
                return fields | found, rest.end()
        if self.layout.needs_rest or not _level_is_known(fields):
            return None
        return fields, end


def _level_is_known(fields: Fields) -> bool:
    level = fields.get("level")
    return level is None or severity_of(level) != ""


def _readers_by_start() -> dict[str, tuple[_Reader, ...]]:
    readers = [
        _Reader(
            layout,
            re.compile("(?a)" + layout.opening),
            tuple(re.compile("(?a)" + rest) for rest in layout.rests),
        )
        for layout in LAYOUTS
    ]
    starts = {start for layout in LAYOUTS for start in layout.starts}
    return {start: tuple(reader for reader in readers if start in reader.layout.starts) for start in starts}


_READERS: Final = _readers_by_start()


def read_text_line(text: str, record_time_ms: int) -> TextLine:
    """What the first line of a text record tells: by its header, or the severity by a level word in the text.

    A time without a zone is UTC. A time without a year gets the one that puts it nearest to `record_time_ms`
    (unix epoch) and at most a day after it. Never raises.
    """
    line = _first_line(text)
    fields, end = _header(line)
    return TextLine(
        timestamp_ns=_unix_ns(fields, record_time_ms),
        severity=_severity(fields) or _severity_from_words(line, end),
        service=_unless_nil(fields.get("service")),
        attributes={
            ATTRIBUTE_OF[field]: value
            for field, value in fields.items()
            if value and value != "-" and field in ATTRIBUTE_OF
        },
        body=text,
    )


_COLOUR: Final = re.compile(r"\x1b\[[\d;]{0,20}m")
_BLANK: Final = " \t\r\n\v\f\0\ufeff"


def _first_line(text: str) -> str:
    """The first line that is not empty, without colours; ends in a newline unless `_HEAD_CHARS` cut it."""
    head = text[:_HEAD_CHARS]
    if "\x1b" in head:
        head = _COLOUR.sub("", head)
    line, newline, _ = head.lstrip(_BLANK).partition("\n")
    return line.rstrip("\r") + "\n" if newline or len(text) <= _HEAD_CHARS else line


def _header(line: str) -> tuple[Fields, int]:
    """The fields of the header of the first layout that fits, and where it ends."""
    for reader in _READERS.get(line[:1], ()):
        if found := reader.read(line):
            return found
    return {}, 0


def _unless_nil(value: str | None) -> str:
    return "" if value is None or value == "-" else value


# Severity

_PRI_SEVERITY: Final = ("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")
_FIRST_WORD: Final = re.compile(
    r"(?ai)[\s\])|-]{0,8}(error|warning|warn|fatal|panic|critical|debug\d?|info|notice|alert|emerg|severe):(?=\s)"
)
# Other words in capitals are common in messages (ALERT): they count before a colon or in brackets only.
_BARE_WORDS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE")
_MARKED_WORD: Final = re.compile(  # every alternative opens with a plain letter, which makes the search quick
    "|".join(
        [rf"{word}(?=[\s:\])>|])" for word in _BARE_WORDS]
        + [rf"{word}:(?=\s)" for word in ("NOTICE", "ALERT", "EMERG", "PANIC", "CRIT", "ERR", "FINE")]
        + [r"\[\s{0,4}([A-Za-z]{3,13}\d?)\s{0,4}\]"]
    ),
    re.ASCII,
)


def _severity(fields: Fields) -> str:
    """The severity that the header states."""
    if level := fields.get("level"):
        return severity_of(level)
    if pri := fields.get("pri"):
        return _PRI_SEVERITY[int(pri) % 8]
    if status := fields.get("status"):
        return {"5": "ERROR", "4": "WARN"}.get(status[0], "INFO")
    return ""


def _severity_from_words(line: str, start: int) -> str:
    """The severity of a level word near `start` that stands apart from prose: "[error]", "ERROR:", "WARN"."""
    if first := _FIRST_WORD.match(line, start):
        return severity_of(first[1])
    return next(filter(None, _marked_severities(line, start)), "")


def _marked_severities(line: str, start: int) -> Iterator[str]:
    for match in _MARKED_WORD.finditer(line, start, start + _WORD_CHARS):
        before = line[max(0, match.start() - 1) : match.start()]
        if match[1]:
            yield severity_of(match[1])
        elif before in _WORD_EDGES and line[max(0, match.start() - 3) : match.start()].lower() != "no ":
            yield severity_of(match[0].rstrip(":"))


_WORD_EDGES: Final = frozenset(["", " ", "\t", "[", "(", "<", "|", ":"])


# Time

_MONTHS: Final = {name: number for number, name in enumerate(_MONTH_NAMES.split("|"), start=1)}


def _unix_ns(fields: Fields, record_time_ms: int) -> int | None:
    """The time that the groups of a header make, None where there is none or it is not possible."""
    try:
        if epoch := fields.get("epoch"):
            time_ns = _from_epoch(epoch)
        elif fields.get("hour"):
            time_ns = _from_calendar(fields, record_time_ms)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return time_ns if _EARLIEST_NS <= time_ns < _LATEST_NS else None


def _from_epoch(text: str) -> int:
    whole, _, fraction = text.partition(".")
    if len(whole) == 13:
        return int(whole) * 1_000_000
    return int(whole) * _SECOND_NS + _fraction_ns(fraction)


def _from_calendar(fields: Fields, record_time_ms: int) -> int:
    """The time of a date and time of day; raises ValueError or OverflowError for one that is not possible."""
    hour, minute, second = int(fields["hour"] or ""), int(fields["minute"] or ""), int(fields["second"] or "")
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second, to Unix the first second of the next minute
        raise ValueError(f"no such time of day: {hour}:{minute}:{second}")
    secs = hour * 3600 + minute * 60 + second - _offset_secs(fields.get("zone"))
    time_of_day_ns = secs * _SECOND_NS + _fraction_ns(fields.get("fraction"))
    month_text, day = fields["month"] or "", int(fields["day"] or "")
    month = _MONTHS.get(month_text) or int(month_text)
    if year := fields.get("year"):
        days = _epoch_day(_full_year(year), month, day)
    else:
        latest_ns = record_time_ms * 1_000_000 + _DAY_NS
        days = _latest_day(month, day, (latest_ns - time_of_day_ns) // _DAY_NS)
    return days * _DAY_NS + time_of_day_ns


def _fraction_ns(digits: str | None) -> int:
    return int(digits[:9].ljust(9, "0")) if digits else 0


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= 70 else 2000)


def _offset_secs(zone: str | None) -> int:
    """How far a zone is ahead of UTC."""
    if not zone:
        return 0
    zone = zone.strip()
    if zone in ("Z", "UTC", "GMT"):
        return 0
    if zone[0] not in "+-":
        raise ValueError(f"{zone} stands for different offsets in different places")
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {zone}")
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


@lru_cache(maxsize=1024)  # neighbouring records share their day
def _epoch_day(year: int, month: int, day: int) -> int:
    """Days from the start of the Unix epoch; raises ValueError for a day that is not in the calendar."""
    return date(year, month, day).toordinal() - _EPOCH_ORDINAL


_LONGEST_WAIT_YEARS: Final = 8  # from one 29 February to the next, across a year such as 1900


@lru_cache(maxsize=1024)
def _latest_day(month: int, day: int, last_day: int) -> int:
    """The last time that this day of the year came, as an epoch day and at most `last_day`.

    Raises ValueError for a day that no year has, OverflowError where `last_day` is out of the calendar.
    """
    this_year = date.fromordinal(last_day + _EPOCH_ORDINAL).year
    for year in range(this_year, this_year - _LONGEST_WAIT_YEARS - 1, -1):
        if month == 2 and day == 29 and not isleap(year):
            continue
        if (days := _epoch_day(year, month, day)) <= last_day:
            return days
    raise ValueError(f"no such day: {month}-{day}")
