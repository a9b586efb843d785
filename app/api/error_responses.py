"""Every error becomes the same JSON here."""

import logging
from typing import Any

from flask import Flask, Response
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from app.api.admission import TooBusy
from app.errors import AskForLess, Refused, TryAgainLater
from app.query.errors import BadParameter, NoSuchLog, QueryError

_log = logging.getLogger(__name__)

_CLICKHOUSE_BACK_SECS = 5  # after so long it is worth asking again


class Error(BaseModel):
    """What went wrong."""

    status: int = Field(description="The HTTP status.")
    code: str = Field(description="A word for programs.")
    message: str = Field(description="A sentence for people.")
    parameter: str | None = Field(None, description="The parameter to change.")
    position: int | None = Field(None, description="Where in the query, in characters from 0.")
    expected: list[str] | None = Field(None, description="What could stand there.")
    suggestion: str | None = Field(None, description="What was probably meant.")


class ErrorAnswer(BaseModel):
    """The answer to everything that cannot be done."""

    error: Error


def register_error_responses(app: Flask) -> None:
    """Answer every error of every route as {"error": {"status", "code", "message", ...}}."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(BadParameter, _bad_parameter)
    app.register_error_handler(QueryError, _bad_query)
    app.register_error_handler(NoSuchLog, _no_such_log)
    app.register_error_handler(AskForLess, _ask_for_less)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(TooBusy, _too_busy)
    app.register_error_handler(TryAgainLater, _try_again_later)
    app.register_error_handler(Exception, _unforeseen)


def _http_error(error: HTTPException) -> Response:
    response = _answer(error.code or 500, _code(error.name), error.description or error.name)
    # Headers such as Allow and Retry-After are part of the answer.
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _bad_parameter(error: BadParameter) -> Response:
    return _answer(400, "bad_parameter", str(error), parameter=error.parameter)


def _bad_query(error: QueryError) -> Response:
    return _answer(
        400,
        "bad_query",
        str(error),
        parameter="query",
        position=error.position,
        expected=list(error.expected) or None,
        suggestion=error.suggestion or None,
    )


def _no_such_log(error: NoSuchLog) -> Response:
    return _answer(404, "no_such_log", str(error))


def _ask_for_less(error: AskForLess) -> Response:
    advice = "ask about a shorter time, or for something narrower"
    if error.what == "time":
        return _answer(504, "time_is_up", f"The time was up before there was an answer: {advice}, or set timeout_ms.")
    return _answer(422, f"too_much_{error.what}", f"The question takes more {error.what} than it may: {advice}.")


def _refused(error: Refused) -> Response:
    return _answer(422, "cannot_be_answered", str(error))


def _too_busy(error: TooBusy) -> Response:
    return _answer(429, "too_busy", str(error), retry_after_secs=error.retry_after_secs)


def _try_again_later(error: TryAgainLater) -> Response:
    return _answer(503, "try_again_later", str(error), retry_after_secs=_CLICKHOUSE_BACK_SECS)


def _unforeseen(error: Exception) -> Response:
    _log.error("A request failed in a way that nobody foresaw", exc_info=error)
    return _answer(500, "internal_server_error", "The service failed; its log says more.")


def _code(name: str) -> str:
    return name.lower().replace(" ", "_")


def _answer(status: int, code: str, message: str, *, retry_after_secs: int | None = None, **details: Any) -> Response:
    error = ErrorAnswer(error=Error(status=status, code=code, message=message, **details))
    response = Response(error.model_dump_json(exclude_none=True), status, content_type="application/json")
    if retry_after_secs is not None:
        response.headers["Retry-After"] = str(retry_after_secs)
    return response
