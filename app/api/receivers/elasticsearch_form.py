"""What all responses of an Elasticsearch have: a header, a media type, and the form of errors."""

import json
import re
from collections.abc import Mapping
from typing import Final

from flask import Response

from app.api.error_responses import ErrorShape
from app.api.problems import Problem
from app.api.request_head import RequestHead

HEADERS: Final = {"X-Elastic-Product": "Elasticsearch"}
"""Elastic's own clients work with no server that does not send it."""

_COMPATIBLE: Final = re.compile(r"application/vnd\.elasticsearch\+json\s*;\s*compatible-with\s*=\s*(\d{1,2})")
_KINDS: Final[Mapping[int, str]] = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    404: "resource_not_found_exception",
    413: "content_too_long_exception",
    415: "media_type_header_exception",
    422: "illegal_argument_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}


def content_type_for(head: RequestHead) -> str:
    """The media type of a response: the one of a version, if the client accepts that."""
    found = _COMPATIBLE.search(head.headers.get("Accept", ""))
    return f"application/vnd.elasticsearch+json;compatible-with={found[1]}" if found else "application/json"


def _render(problem: Problem, head: RequestHead) -> Response:
    error = {"type": _KINDS.get(problem.status, "exception"), "reason": problem.message}
    text = json.dumps({"error": {"root_cause": [error], **error}, "status": problem.status})
    response = Response(text, problem.status, content_type=content_type_for(head))
    response.headers.extend(problem.headers)
    return response


ERRORS: Final = ErrorShape({"application/json": None}, _render)
"""{"error": {"root_cause": [...], "type", "reason"}, "status"}"""
