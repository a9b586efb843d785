"""Every error becomes the same JSON here."""

import logging

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

_log = logging.getLogger(__name__)


def register_error_responses(app: Flask) -> None:
    """Answer every error of every route as {"error": {"status", "code", "message"}}."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = _answer(status, error.name, error.description or error.name)
    # Headers such as Allow and Retry-After are part of the answer.
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> Response:
    _log.error("A request failed in a way that nobody foresaw", exc_info=error)
    return _answer(500, "Internal Server Error", "The service failed; its log says more.")


def _answer(status: int, name: str, message: str) -> Response:
    code = name.lower().replace(" ", "_")
    response = jsonify({"error": {"status": status, "code": code, "message": message}})
    response.status_code = status
    return response
