"""What every request and every response of the application passes, whatever endpoint it is for."""

from urllib.parse import unquote_to_bytes

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest

from app.api.access_log import AccessLog
from app.api.origin import OriginGuard
from app.api.request_head import current_head
from app.http.refusal import SECURITY_HEADERS


def protect(app: Flask, guard: OriginGuard, access_log: AccessLog) -> None:
    """Refuse requests from pages of other sites and malformed URLs, set the security headers of responses, and log all.

    The log comes first, so that it has what the others refuse.
    """
    app.before_request(access_log.begin)
    app.after_request(access_log.answered)
    app.before_request(lambda: guard.check(current_head()))
    app.before_request(_require_utf8)
    app.after_request(_with_headers)


def _require_utf8() -> None:
    """Refuse a URL with other bytes: they would be replaced, and the query would be another one than was sent."""
    path = request.environ["PATH_INFO"].encode("latin-1")
    for part in (path, unquote_to_bytes(request.query_string.replace(b"+", b" "))):
        try:
            part.decode()
        except UnicodeDecodeError as error:
            wrong = "".join(f"%{byte:02X}" for byte in part[error.start : error.end])
            raise BadRequest(f"The URL is not UTF-8: {wrong}.") from error


def _with_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
