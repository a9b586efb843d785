"""Access logs as JSON: the HTTP status is the level of an event that has none. Pure."""

import re
from collections.abc import Iterable
from typing import Any, Final

from app.domain.event import Event
from app.domain.keys import one_spelling
from app.domain.notes import Note
from app.formats.access_logs import level_of_status

# All in one spelling: in lower case, without underlines and dashes.
_HTTP_STATUS: Final = frozenset(
    (
        *("statuscode", "httpstatus", "httpstatuscode", "responsecode", "responsestatus", "scstatus", "elbstatuscode"),
        *("downstreamstatus", "edgeresponsestatus", "httpresponsecode", "responsestatuscode"),
        *("http.status", "http.statuscode", "http.response.statuscode", "http.response.status", "httprequest.status"),
        *("response.status", "response.statuscode", "res.status", "res.statuscode", "resp.status"),
    )
)
_STATUS: Final = _HTTP_STATUS | {"status", "code"}
_METHOD: Final = frozenset(
    (
        *("method", "requestmethod", "httpmethod", "httprequestmethod", "csmethod", "verb", "requestverb"),
        *("http.method", "http.request.method", "request.method", "req.method", "httprequest.requestmethod"),
        *("clientrequestmethod",),
    )
)
_REQUEST: Final = frozenset(("request", "requestline", "httprequest", "http.request"))
_URL: Final = frozenset(
    (
        *("uri", "url", "requesturi", "requesturl", "requestpath", "httppath", "httpurl", "csuristem"),
        *("http.url", "http.target", "http.path", "http.route", "url.path", "url.full", "url.original"),
        *("request.uri", "request.url", "request.path", "req.url", "req.path", "httprequest.requesturl"),
        *("clientrequesturi", "clientrequestpath"),
    )
)
_PATH: Final = frozenset(("path", "resourcepath", "route"))

_VERB: Final = re.compile("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND")
_LINE: Final = re.compile(r"[A-Z]{3,12} \S{1,4000} HTTP/[\d.]{1,5}")
_ADDRESS: Final = re.compile(r"/|https?://|wss?://")
_CODE: Final = re.compile("[1-5][0-9][0-9]")


def may_be_access(names: Iterable[str]) -> bool:
    """Whether these are names of an access log's values; then it depends on the values."""
    spelt = {one_spelling(name) for name in names}
    return not (_STATUS.isdisjoint(spelt) or (_METHOD | _REQUEST | _URL | _PATH).isdisjoint(spelt))


def take_status(event: Event) -> None:
    """Give an event without a level that of its HTTP status, if it is one of an access log.

    It is one if it has a status beside a method, a request line or an address. A plain `path` may be that of a file,
    and needs a status whose name says that it is one of HTTP.
    """
    if event.severity_number or event.fields.get("level") not in (None, ""):
        return
    status, is_http, has_request, has_path = "", False, False, False
    name_of_status = ""
    for name, value in event.attributes:
        spelt = one_spelling(name)
        if spelt in _STATUS and not status and _CODE.fullmatch(text := _text(value)):
            status, is_http, name_of_status = text, spelt in _HTTP_STATUS, name
        elif not has_request:
            has_request = _says_request(spelt, value)
            has_path = has_path or (spelt in _PATH and isinstance(value, str) and value.startswith("/"))
    if status and (has_request or (has_path and is_http)):
        event.fields["level"] = level_of_status(status)
        if event.notes:
            event.notes.fields["level"] = Note.of(f"key {name_of_status}", status, "the HTTP status of an access log")


def _says_request(spelt: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if spelt in _METHOD:
        return _VERB.fullmatch(value) is not None
    if spelt in _REQUEST:
        return _LINE.match(value) is not None
    return spelt in _URL and _ADDRESS.match(value) is not None


def _text(value: Any) -> str:
    return str(value) if type(value) is int and value < 1000 else value if isinstance(value, str) else ""
