"""Access logs of servers, proxies and clouds: their fields, and the status that is their level. A table."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from app.formats.field_names import Fields

_IN_QUOTES: Final = r'[^"\\]{0,1000}(?:\\.[^"\\]{0,1000}){0,200}'
_REQUEST: Final = (
    r'"(?P<method>[A-Z]{1,32}) (?P<path>[^\s"?]{0,1000})(?:\?(?P<query>[^\s"]{0,1000}))?(?: HTTP/[\d.]{1,8})?"'
)
_URL: Final = (
    r'"(?P<method>[A-Z]{1,32}|-) (?:https?://[^/\s"]{1,255})?(?P<path>[^\s"?]{0,1000})(?:\?(?P<query>[^\s"]{0,1000}))?'
    r'(?: (?:HTTP/[\d.]{1,8}|-) ?)?"'
)
_STATUS: Final = r"(?P<status>[1-5]\d\d)"
_IP: Final = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]{2,39}:[0-9A-Fa-f:.]{0,39})"
_VERB: Final = r"(?P<method>GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND|[A-Z_]{3,20})"
_END: Final = (
    rf"\[[^\]]{{17,40}}\] (?:{_REQUEST}|\"{_IN_QUOTES}\") {_STATUS} (?P<size>\d{{1,20}}|-)"
    rf'(?: "(?P<referer>{_IN_QUOTES})" "(?P<agent>{_IN_QUOTES})")?'
)
_STAMP: Final = r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) )?"  # docker logs -t
_NO_USER: Final = r"(?!- [^\[]|[|])"  # what follows is not at its end: further addresses stand in front
_COMMON: Final = (
    rf"(?P<client>(?!\d{{4}}-\d\d-\d\dT)[\w.:-]{{1,255}}) (?!{_IP})\S{{1,64}}"
    rf' (?P<user>{_NO_USER}[^\[\]",]{{1,128}}) {_END}'
)
_COMMON_OF_HOST: Final = (
    rf"{_STAMP}(?:(?P<vhost>(?!{_IP} )[\w.-]{{1,255}})(?::\d{{1,5}})? )?"
    rf"(?P<client>{_IP})(?:, ?[\w.:-]{{1,255}}| {_IP}){{0,10}}"
    rf' \S{{1,64}} (?P<user>{_NO_USER}[^\[\]"]{{1,128}}) {_END}'
)
_HOST_PORT: Final = rf"(?P<vhost>[\w.-]{{1,255}}):\d{{1,5}} {_COMMON}"

QUOTED: Final = (
    _HOST_PORT,
    _COMMON,
    _COMMON_OF_HOST,
    # Django's runserver, Envoy
    rf"\[[^\]]{{17,40}}\] {_REQUEST} {_STATUS} "
    r'(?:(?:-|[A-Z][A-Za-z,]{1,40}) (?:\S{1,80} \S{1,80} "[^"]{0,300}" )?\d{1,20} )?(?P<size>\d{1,20}|-)',
    # php-fpm
    rf"(?P<client>{_IP}) \S{{1,64}} (?P<user>\S{{0,64}}) \d\d/[A-Z][a-z]{{2}}/\d{{4}}:[\d:]{{8}} [+-]\d{{4}} "
    rf"{_REQUEST} {_STATUS}",
    # HAProxy, http
    rf"(?P<client>[\w.:-]{{2,80}}):(?P<port>\d{{1,5}}) \[[^\]]{{17,40}}\] \S{{1,128}} \S{{1,128}} [\d/+-]{{5,60}} "
    rf'{_STATUS} \+?(?P<size>\d{{1,20}}) [^"]{{1,300}}(?:{_REQUEST}|"<BADREQ>"|"[A-Z]{{1,32}} [^"]{{1,1000}}\Z)',
    # S3
    rf"[0-9a-zA-Z-]{{1,64}} (?P<bucket>[\w.-]{{1,63}}) \[[^\]]{{17,40}}\] (?P<client>\S{{1,64}}) \S{{1,300}} "
    rf"\S{{1,64}} [A-Z]{{1,12}}\.\S{{1,64}} \S{{1,1000}} {_URL} {_STATUS} \S{{1,80}} (?P<size>\d{{1,20}}|-)",
    # Load balancers of AWS, classic and of applications
    r"(?:https?|h2|wss?|grpcs?) \S{20,40} \S{1,128} (?P<client>[\w.:]{2,64}):(?P<port>\d{1,5}) \S{1,80} "
    rf"(?:[\d.-]{{1,20}} ){{3}}{_STATUS} (?:\d{{3}}|-) \d{{1,20}} (?P<size>\d{{1,20}}) {_URL}",
    r"\d\d\d\d-\d\d-\d\dT\S{8,30} \S{1,128} (?P<client>[\w.:]{2,64}):(?P<port>\d{1,5}) \S{1,80} "
    rf"(?:[\d.-]{{1,20}} ){{3}}{_STATUS} (?:\d{{3}}|-) \d{{1,20}} (?P<size>\d{{1,20}}) {_URL}",
)
"""Lines that hold a request in quotes."""

UNQUOTED: Final = (
    # W3C extended, as IIS writes it
    rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d (?:[A-Z0-9]{{3,20}} )?(?:[\w-]{{1,63}} )?{_IP} {_VERB} (?P<path>/\S{{0,500}}) "
    rf"(?P<query>\S{{1,500}}) \d{{1,5}} (?P<user>\S{{1,128}}) (?P<client>{_IP}) \S.{{0,500}}? {_STATUS} "
    rf"\d{{1,4}} \d{{1,10}}(?: \d{{1,20}}){{0,3}}(?: (?:-|{_IP}(?:,\+?{_IP}){{0,10}}))?\s*\Z",
    # HTTPERR
    rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d (?P<client>{_IP}) (?P<port>\d{{1,5}}) {_IP} \d{{1,5}} HTTP/[\d.]{{1,4}} "
    rf"{_VERB} (?P<path>\S{{1,500}}) {_STATUS} ",
    # Gin
    rf"\[GIN\] [\d/]{{10}} - [\d:]{{8}} \| +{_STATUS} \| +\S{{1,20}} \| +(?P<client>\S{{1,64}}) \| "
    r'(?P<method>[A-Z]{1,12}) +"(?P<path>[^\s"?]{0,1000})',
    # Squid
    rf"\d{{10}}\.\d{{3}} {{1,8}}\d{{1,10}} (?P<client>\S{{1,64}}) [A-Z_]{{1,40}}/{_STATUS} (?P<size>\d{{1,20}}) "
    r"(?P<method>[A-Z]{1,32}) (?P<path>\S{1,1000})",
    # CloudFront
    rf"\d{{4}}-\d\d-\d\d\t\d\d:\d\d:\d\d\t\S{{1,20}}\t(?P<size>\d{{1,20}})\t(?P<client>\S{{1,64}})\t(?P<method>[A-Z]{{1,32}})\t"
    rf"(?P<vhost>\S{{1,255}})\t(?P<path>\S{{1,500}})\t{_STATUS}\t",
)
"""Lines of columns that blanks or tabs set apart."""

_OPENINGS: Final = frozenset("12[")
_LEVEL_OF_STATUS: Final = {"5": "ERROR", "4": "WARN"}


def read_access(line: str, start: int = 0) -> Fields | None:
    """The fields of a line of an access log, None for any other. The record may begin behind a header of syslog."""
    if '"' in line and ('] "' in line or "HTTP/" in line or '"<BADREQ>"' in line or '0 "' in line):
        for pattern in _quoted():
            if match := pattern.match(line, start):
                return match.groupdict()
        return None
    if line[start : start + 1] in _OPENINGS and _has_method(line):
        for pattern in _unquoted():
            if match := pattern.match(line, start):
                return match.groupdict()
    return None


# Compiled for the first line that may be one: they are long, and most services never see such a line.
@cache
def _quoted() -> Sequence[re.Pattern[str]]:
    return [re.compile(pattern, re.ASCII) for pattern in QUOTED]


@cache
def _unquoted() -> Sequence[re.Pattern[str]]:
    return [re.compile(pattern, re.ASCII) for pattern in UNQUOTED]


def _has_method(line: str) -> bool:
    return ("GET" in line or "POST" in line or "HEAD" in line or "PUT" in line or "CONNECT" in line) or (
        "DELETE" in line or "OPTIONS" in line or "PATCH" in line or "PROPFIND" in line or "NONE" in line
    )


def level_of_status(status: str) -> str:
    """The severity of an HTTP status."""
    return _LEVEL_OF_STATUS.get(status[:1], "INFO")
