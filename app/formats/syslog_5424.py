"""Lines of syslog as RFC 5424 defines them, with structured data. Pure."""

import re
from typing import Final, NamedTuple

from app.formats.before_time import PRI_SEVERITY
from app.formats.field_names import Fields

_HEADER: Final = re.compile(
    r"(?:\d{1,7} )?<(?P<pri>\d|[1-9]\d|1[0-8]\d|19[01])>1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) "
    r"(?P<service>\S{1,255}) (?P<pid>\S{1,128}) (?P<msg_id>\S{1,128})(?!\S)",
    re.ASCII,
)
_ELEMENT: Final = re.compile(r'\[([^\s="\]]{1,100})((?: [^\s="\]]{1,100}="(?:[^"\\\]]|\\.){0,1000}"){0,40})\]')
_PARAMETER: Final = re.compile(r' ([^\s="\]]{1,100})="((?:[^"\\\]]|\\.){0,1000})"')
_ESCAPED: Final = re.compile(r'\\(["\\\]])')
_HEROKU: Final = (("host", "app"), ("host", "heroku"))  # all that it sends has a PRI of the same few, whatever happened
_MOST_ELEMENTS: Final = 16


class Syslog(NamedTuple):
    """The header of a line, where its message begins, and where its time does."""

    fields: Fields
    level: str
    data: list[tuple[str, str]]  # parameters of structured data by id and name
    content: int
    time_at: int


def read_5424(line: str) -> Syslog | None:
    """The header of a line that begins as RFC 5424 demands, None for any other.

    Heroku and others leave out the structured data; then the message follows at once.
    """
    if ">1 " not in line[:15] or (match := _HEADER.match(line)) is None:
        return None
    fields: Fields = match.groupdict()
    del fields["time"]
    level = PRI_SEVERITY[int(fields.pop("pri") or 0) % 8]
    if (fields["host"], fields["service"]) in _HEROKU:
        level = ""
    if not (fields["pid"] or "").isdecimal():
        fields["proc_id"] = fields.pop("pid")
    data: list[tuple[str, str]] = []
    at = match.end()
    if line.startswith(" - ", at) or line[at:].strip(" \r\n") == "-":
        at += 2
    elif line.startswith(" [", at):
        at = _read_data(line, at + 1, data)
    while line[at : at + 1] in (" ", "\ufeff"):
        at += 1
    return Syslog(fields, level, data, at, match.start("time"))


def _read_data(line: str, at: int, data: list[tuple[str, str]]) -> int:
    """Read the elements from `at` on, and return where they end."""
    for _ in range(_MOST_ELEMENTS):
        element = _ELEMENT.match(line, at)
        if element is None:
            break
        name, at = element[1], element.end()
        for key, value in _PARAMETER.findall(element[2]):
            data.append((f"log.syslog.structured_data.{name}.{key}", _ESCAPED.sub(r"\1", value)))
    return at
