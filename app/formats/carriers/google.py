"""Google Cloud Logging's LogEntry, as sinks export it.

Source: cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry.
"""

import re
from collections.abc import Sequence
from typing import Final

from app.domain.event import Event
from app.domain.level_scales import Scale
from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

_PAYLOADS: Final = ("textPayload", "jsonPayload", "protoPayload")
MARKS: Final = (*_PAYLOADS, "httpRequest")
_OF_ENTRY: Final = frozenset(("logName", "insertId"))
_OF_REQUEST: Final = ("requestMethod", "requestUrl", "status")
_SECONDS: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s", re.ASCII)


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"textPayload" or "jsonPayload" or "protoPayload": ..., "severity": ..., "resource": ..., "httpRequest": ...}."""
    request = parsed.get("httpRequest")
    line = _request_line(request) if isinstance(request, dict) and not _OF_ENTRY.isdisjoint(parsed) else ""
    for name in _PAYLOADS:
        payload = parsed.get(name)
        inner = payload if isinstance(payload, dict) and payload else text_inside(payload)
        if inner and not (line and _is_only_about_request(inner)):
            outer = known(parsed, reading, name, scale=Scale.GOOGLE)
            _take_latency(outer, request)
            return [Carried(outer, _with_message(inner))]
    if not line:
        return None
    outer = known(parsed, reading, scale=Scale.GOOGLE)
    outer.fields["message"] = f"{line} {_details(parsed.get('jsonPayload'))}".rstrip()
    _take_latency(outer, request)
    return [Carried(outer, None)]


def _request_line(request: Object) -> str:
    """`GET https://example.org/ 200`."""
    return " ".join(str(request[name]) for name in _OF_REQUEST if isinstance(request.get(name), str | int))


def _is_only_about_request(payload: str | Object) -> bool:
    """Whether it is what a load balancer says besides the request."""
    return isinstance(payload, dict) and str(payload.get("@type")).endswith(".LoadBalancerLogEntry")


def _details(payload: object) -> str:
    """What a load balancer says of the response: `response_sent_by_backend`, `failed_to_connect_to_backend`."""
    details = payload.get("statusDetails") if isinstance(payload, dict) else None
    return details if isinstance(details, str) else ""


def _with_message(payload: str | Object) -> str | Object:
    """The payload; that of an audit log with a message made of what was done to what, and of the error if any."""
    if isinstance(payload, str) or "message" in payload or not str(payload.get("@type")).endswith(".AuditLog"):
        return payload
    status = payload.get("status")
    error = status.get("message") if isinstance(status, dict) else None
    done = " ".join(str(payload[name]) for name in ("methodName", "resourceName") if payload.get(name))
    return {**payload, "message": f"{done}: {error}" if error else done} if done else payload


def _take_latency(event: Event, request: object) -> None:
    latency = request.get("latency") if isinstance(request, dict) else None
    if isinstance(latency, str) and (found := _SECONDS.fullmatch(latency)):
        event.fields.setdefault("response_time_ms", float(found[1]) * 1000)
