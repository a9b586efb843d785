"""The host and the tag of syslog behind a time, and the levels that network devices write. Pure."""

import re
from typing import Final, NamedTuple

from app.formats.before_time import PRI_SEVERITY
from app.formats.field_names import Fields
from app.formats.level_words import level_of

_TAG: Final = (  # prog, prog[pid], prog(module)[pid], prog 1.2.3
    r"(?P<service>(?![\d-]{1,64}:)[^\s:\[\]()<>%]{1,64})(?:\((?P<logger>[^\s()]{1,64})\))?(?: [\d.]{1,20})?"
    r"(?:\[(?P<pid>\d{1,10})(?:[.:]\d{1,10})?\])?"
)
_FACILITY: Final = r"(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7])"
_LEVEL: Final = r"(?:emerg|alert|crit|err|error|warning|warn|notice|info|debug)"
_PRIORITY: Final = rf"{_FACILITY}(?:\|[a-z]{{2,9}})?[.:](?P<word>{_LEVEL}) "
_HOST: Final = rf"(?P<host>(?!{_FACILITY}[.:]{_LEVEL} )[\w:][^\s\[\]]{{0,254}})(?<!:)"
_HOST_TAG: Final = re.compile(
    rf" {{1,2}}{_HOST} {{1,2}}(?:{_PRIORITY}|(?P<bare>{_LEVEL}) (?=\S{{1,64}}\[\d))?{_TAG}"
    r"(?: (?P<of>\([^\s()]{1,128}\))|\((?P<behind>[a-z]{4,9})\))?:(?!\S)",
    re.ASCII,
)
_HOST_APP: Final = re.compile(  # macOS: Google Chrome[77]
    r" (?P<host>[\w.-]{1,255}) (?P<service>[A-Z][\w.]{0,30}(?: [A-Z][\w.]{0,30}){1,3})\[(?P<pid>\d{1,10})\]: ", re.ASCII
)
_REPEATED: Final = re.compile(r" (?P<host>\w[^\s\[\]]{0,254}) (?:last message repeated |message repeated |-- MARK --)")
_TAG_ONLY: Final = re.compile(rf" {{1,2}}(?:{_PRIORITY})?{_TAG}:(?!\S)", re.ASCII)
_TOPICS_TEXT: Final = r"(?=\S{0,100}(?:info|error|warning|critical|debug))[a-z-]{2,20}(?:,[a-z!-]{2,20}){1,6} "
_HOST_ONLY: Final = re.compile(
    r" {1,2}(?P<host>[A-Za-z0-9][\w.-]{0,254}) {1,2}:? ?"
    r"(?=%(?:%\d\d)?[A-Z]|\d,\d{4}/\d\d/\d\d |CEF:|LEEF:|@cee:|\{|date=|[a-z]\w*=|" + _TOPICS_TEXT + ")",
    re.ASCII,
)
_HOST_PID: Final = re.compile(
    r" (?P<host>\w[^\s\[\]:]{0,254}) {1,2}(?P<service>[^\s:\[\]()]{1,64})\[(?P<pid>\d{1,10})\]: ", re.ASCII
)
_SERVICE_PID: Final = re.compile(
    r" (?:(?P<word>[a-z]{4,8}) )?(?P<service>[A-Za-z][\w./-]{0,63})\[(?P<pid>\d{1,10})\](?:: | (?=\[Originator))",
    re.ASCII,
)
_ESXI: Final = re.compile(  # Er(163) Hostd[77]: of ESXi 8, whose severities are of two letters
    r" (?P<severity>Em|Al|Cr|Er|Wa|No|In|Db)\(\d{1,3}\)\+? "
    r"(?:(?P<service>[A-Za-z][\w./-]{0,63})(?:\[(?P<pid>\d{1,10})\])?: )?",
    re.ASCII,
)
_OF_ESXI: Final = {"Em": "FATAL", "Al": "FATAL", "Cr": "FATAL", "Er": "ERROR", "Wa": "WARN", "Db": "DEBUG"}
_COUNTED: Final = re.compile(  # Cisco's count of messages behind the host: 10.0.0.1 45: *Dec  1 10:15:00.123: %SYS-3-X:
    r" {1,2}(?P<host>[A-Za-z0-9][\w.:-]{0,254}) {1,2}\d{1,10}: (?=[^%\n]{0,80}%[A-Z][A-Z0-9_]{1,40}-)", re.ASCII
)
_CLOSED_TAG: Final = re.compile(  # systemd's (nginx)[77] before it runs the program, sssd[nss][7]
    rf" {{1,2}}{_HOST} {{1,2}}(?:\((?P<of_unit>[\w.@-]{{1,64}})\)|(?P<service>[A-Za-z][\w.-]{{0,63}})"
    r"\[(?P<logger>[A-Za-z_][\w.-]{0,63}(?:\[[^\s\[\]]{0,64}\])?)\])\[(?P<pid>\d{1,10})\]:(?!\S)",
    re.ASCII,
)
_HEROKU: Final = re.compile(r" (?P<service>heroku|app)\[(?P<dyno>[\w.-]{1,64})\]: ", re.ASCII)
_CTIME: Final = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} [\d:.]{8,18} (?:[A-Z]{2,5} )?\d{4}\Z", re.ASCII)
_PRIORITY_NEXT: Final = re.compile(rf" {{1,2}}{_PRIORITY}")
_MNEMONIC: Final = re.compile(  # %ASA-3-106014, %%01IFNET/4/LINK_STATE
    r"%(?:[A-Z][A-Z0-9_]{1,40}(?:-[A-Z0-9_]{1,40}){0,3}?-([0-7])-|%\d\d[A-Z][A-Z0-9_]{1,40}/([0-7])/)[A-Z0-9_]{1,60}",
    re.ASCII,
)
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,40}/([0-7])/[A-Z0-9_]{2,60}\Z|LOG([0-7])\Z", re.ASCII)  # H3C, stunnel
_LEVELS: Final = ("word", "bare", "behind")  # groups that hold a level
_SOLARIS: Final = re.compile(rf"\[ID \d{{1,8}} {_FACILITY}\.([a-z]{{3,9}})\]")


_TOPICS: Final = re.compile(" ?" + _TOPICS_TEXT, re.ASCII)


class Origin(NamedTuple):
    """Host, program and process of a line, and where its message begins."""

    fields: Fields
    level: str
    end: int


def is_of_syslog(line: str, start: int, end: int) -> bool:
    """Whether a time that stands from `start` to `end` is of syslog: with the name of a month, or an offset.

    `Tue Dec  1 10:15:01 2026`, as C's ctime() writes it, is that of any program, unless a priority of syslog follows.
    """
    if line[start].isalpha():
        is_ctime = line[end - 5] == " " and _CTIME.match(line, start, end) is not None
        return not is_ctime or _PRIORITY_NEXT.match(line, end) is not None
    return line[end - 6 : end - 4] in _SIGNS or line[end - 5 : end - 3] in _SIGNS


def read_origin(line: str, end: int, is_certain: bool) -> Origin | None:
    """The host and the tag behind a time that ends at `end`; None if there are none for sure.

    Behind a time of syslog, or with a PRI in front, `host tag:` is enough. Behind any other the tag must have the
    number of a process, since two words and a colon could be anything.
    """
    for pattern in _CERTAIN if is_certain else _UNCERTAIN:
        match = pattern.match(line, end)
        if match is not None:
            return _origin(match, line)
    return None


_SIGNS: Final = frozenset(("+0", "+1", "-0", "-1"))
_CERTAIN: Final = (
    _HEROKU,
    _ESXI,
    _COUNTED,
    _CLOSED_TAG,
    _HOST_TAG,
    _HOST_APP,
    _REPEATED,
    _HOST_ONLY,
    _SERVICE_PID,
    _TAG_ONLY,
)
_UNCERTAIN: Final = (_HEROKU, _ESXI, _CLOSED_TAG, _HOST_PID, _SERVICE_PID)


def _origin(match: re.Match[str], line: str) -> Origin | None:
    fields: Fields = match.groupdict()
    fields.pop("of", None)
    word = next(filter(None, [fields.pop(name, None) for name in _LEVELS]), None)
    level, end = level_of(word) if word else "", match.end()
    if severity := fields.pop("severity", None):
        return Origin(fields, _OF_ESXI.get(severity, "INFO"), end)
    if unit := fields.pop("of_unit", None):
        fields["service"] = unit
    if (logger := fields.get("logger")) and logger.isdecimal():  # auth-worker(77)
        fields["pid"] = fields.get("pid") or fields.pop("logger")
    if (service := fields.get("service")) and (code := _CODE.match(service)):
        return Origin({"host": fields.get("host")}, PRI_SEVERITY[int(code[1] or code[2])], end)
    if (match.re is _TAG_ONLY and level_of(match["service"])) or level_of(fields.get("host") or ""):
        return None
    if match.re is _SERVICE_PID and word and not level:
        return None
    if service and service.endswith(".service"):
        fields["unit"], fields["service"] = service, service.removesuffix(".service")
    if not level and (found := _SOLARIS.search(line, end, end + 40)):
        level = level_of(found[1])
    return Origin(fields, level, end)


def level_of_mnemonic(line: str, start: int) -> str:
    """The severity of a message's code such as %ASA-3-106014 near the start of the message."""
    if line.find("%", start, start + 80) < 0:
        return ""
    match = _MNEMONIC.search(line, start, start + 160)
    return PRI_SEVERITY[int(match[1] or match[2])] if match else ""


def level_of_topics(line: str, end: int) -> str:
    """The severity among the topics that MikroTik writes: system,error,critical."""
    match = _TOPICS.match(line, end)
    return next(filter(None, map(level_of, match[0].strip().split(","))), "") if match else ""
