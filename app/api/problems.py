"""Maps exceptions to the statuses, codes and messages that clients see, the same for every protocol."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.api.admission import TooBusy
from app.errors import Abandoned, KafkaCode, QueryTooExpensive, Refused, TableMissing, TryAgainLater
from app.query.errors import BadParameter, NoSuchLog, QueryError
from app.receive.received import TooLarge, TooManyEvents, Unreadable

_log = logging.getLogger(__name__)

_RETRY_SECS: Final = 5  # after a backend was unavailable
_CANNOT_RUN: Final = "ClickHouse cannot run this query: change it. The log of the service has the reason."
_NOT_TAKEN: Final = (
    "Kafka does not take one of these logs; others may be stored. The log of the service has the reason."
)
_NO_TABLE: Final = "The table of logs does not exist yet: retry later."
_NO_ANSWER: Final = f"A system that this needs, ClickHouse or Kafka, is unavailable: retry in {_RETRY_SECS} s."
_NARROWER: Final = "query a shorter time range, or add conditions"


class Problem(Struct, frozen=True):
    """An error as a client sees it, before it is written in the form of a protocol.

    `code` is a word for programs, `message` a sentence for people; `details` are further fields of the API's error.
    """

    status: int
    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    cause: str = ""
    """What clients need not know, such as addresses, and ClickHouse's own words with parts of SQL; for the log."""


def problem_of(error: Exception) -> Problem:
    """The problem for an exception. An unknown exception is a bug of the service, and is logged."""
    match error:
        case HTTPException():
            return _of_http(error)
        case BadParameter():
            return Problem(400, "bad_parameter", str(error), {"parameter": error.parameter})
        case QueryError():
            return _of_query(error)
        case NoSuchLog():
            return Problem(404, "no_such_log", str(error))
        case TooLarge():
            return Problem(413, "request_entity_too_large", str(error))
        case Unreadable():
            return Problem(400, "unreadable", str(error))
        case TooManyEvents():
            return Problem(413, "too_many_events", str(error))
        case QueryTooExpensive():
            return _of_limit(error)
        case Refused(code=KafkaCode()):
            return Problem(422, "refused", _NOT_TAKEN, cause=str(error))
        case Refused():
            return Problem(422, "cannot_be_answered", _CANNOT_RUN, cause=str(error))
        case TooBusy():
            return Problem(429, "too_busy", str(error), headers=_retry_after(error.retry_after_secs))
        case Abandoned():  # nobody reads this; the status, which nginx made usual, is for the metrics
            return Problem(499, "cancelled", "The client has closed the connection.")
        case TryAgainLater():
            message = _NO_TABLE if isinstance(error, TableMissing) else _NO_ANSWER
            headers = _retry_after(_RETRY_SECS)
            return Problem(503, "try_again_later", message, headers=headers, cause=str(error))
    _log.error("A request failed unexpectedly", exc_info=error)
    return Problem(500, "internal_server_error", "Internal error; the log of the service has details.")


def _of_http(error: HTTPException) -> Problem:
    # Headers such as Allow, Retry-After and WWW-Authenticate are part of the response.
    headers = [header for header in error.get_headers() if header[0].lower() not in ("content-type", "content-length")]
    code = error.name.lower().replace(" ", "_")
    message = error.description or error.name
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        message = f"This path takes {', '.join(sorted(error.valid_methods))}."
    return Problem(error.code or 500, code, message, headers=tuple(headers))


def _of_query(error: QueryError) -> Problem:
    details = {
        "parameter": "query",
        "position": error.position,
        "expected": list(error.expected) or None,
        "suggestion": error.suggestion or None,
        "hints": [{"message": hint.message, "query": hint.query or None} for hint in error.hints] or None,
    }
    return Problem(400, "bad_query", str(error), details)


def _of_limit(error: QueryTooExpensive) -> Problem:
    if error.resource == "time":
        message = f"The query timed out without a result: {_NARROWER}, or raise timeout_ms."
        return Problem(504, "time_is_up", message, cause=str(error))
    message = f"The query needs more {error.resource} than it may use: {_NARROWER}."
    return Problem(422, f"too_much_{error.resource}", message, cause=str(error))


def _retry_after(secs: int) -> tuple[tuple[str, str], ...]:
    return (("Retry-After", str(secs)),)
