"""A response that the server gives without the application, in the form of the API's errors."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from app.http.request_id import HEADER

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every response, unless an endpoint sets another value. Responses hold logs: no cache keeps them, no other
site embeds them, and no browser takes them for another type than the declared one."""


def refusal(
    status: HTTPStatus, message: str, request_id: str, retry_after_secs: int = 0
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an error, after which the connection is closed.

    What is left of a request's body would otherwise be taken for the next request.
    """
    error = {"status": status, "code": status.name.lower(), "message": message, "request_id": request_id}
    body = json.dumps({"error": error}).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        HEADER: request_id,
        **({"Retry-After": str(retry_after_secs)} if retry_after_secs else {}),
        **SECURITY_HEADERS,
    }
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()], body
