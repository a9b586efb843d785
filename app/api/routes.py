"""Serves endpoints with Flask. Every request passes through here: behaviour that all endpoints share belongs here."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

from flask import Flask, Response, current_app, request
from pydantic import BaseModel
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from app.access.errors import IssuerUnavailable
from app.access.principal import Principal, Right
from app.api.access_log import current_access
from app.api.authentication import Authenticator, NotAllowed, client_of
from app.api.endpoint import FORM, Endpoint, Request
from app.api.error_responses import JSON_ERRORS
from app.api.problems import Problem, problem_of
from app.api.request_head import RequestHead, current_head
from app.api.request_parameters import read_parameters
from app.api.responses import ListResponse, LogResponse
from app.domain.cancellation import Cancellation
from app.http.bridge import ON_CLIENT_GONE

_log = logging.getLogger(__name__)


def add_routes(app: Flask, endpoints: Iterable[Endpoint[Any]], authenticator: Authenticator) -> None:
    """Serve endpoints; the authenticator is for those that have none of their own.

    A request without an endpoint (an unknown path, another method) gets an error in the form of the API.
    """
    for endpoint in endpoints:
        rule = _rule(endpoint.prefix + endpoint.path)
        view = _view(endpoint, endpoint.authenticator or authenticator)
        methods = {*endpoint.methods, "OPTIONS"}
        strict = not endpoint.takes_slash
        app.add_url_rule(rule, _rule_name(endpoint), view, False, methods=methods, strict_slashes=strict)
    app.register_error_handler(Exception, lambda error: JSON_ERRORS.render(_problem_of(error), current_head()))


def matcher(app: Flask, endpoints: Iterable[Endpoint[Any]]) -> Callable[[str, str], bool]:
    """Whether a request, by method and path, is for one of these endpoints, which the application serves."""
    adapter, names = app.url_map.bind("localhost"), {_rule_name(endpoint) for endpoint in endpoints}

    def matches(method: str, path: str) -> bool:
        try:
            return adapter.match(path, method)[0] in names
        except HTTPException:
            return False

    return matches


def _rule_name(endpoint: Endpoint[Any]) -> str:
    return f"{','.join(endpoint.methods)} {_rule(endpoint.prefix + endpoint.path)}"


def _view(endpoint: Endpoint[Any], authenticator: Authenticator) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        began_at = time.monotonic()
        head = current_head()
        current_access().is_for(endpoint.name, endpoint.right)
        try:
            response = _respond(endpoint, authenticator, head, path, began_at)
        except Exception as error:
            response = endpoint.errors.render(_problem_of(error), head)
        response.headers.update(endpoint.headers)
        endpoint.on_response(endpoint.name, response.status_code, time.monotonic() - began_at)
        return response

    return view


def _problem_of(error: Exception) -> Problem:
    """The problem for an exception; what clients do not see of it is logged with the id of the request."""
    problem = problem_of(error)
    if problem.cause:
        _log.info("Request %s failed: %s", current_head().request_id, problem.cause)
    current_access().fails_with(problem.message)
    return problem


def _respond(
    endpoint: Endpoint[Any], authenticator: Authenticator, head: RequestHead, path: Mapping[str, str], began_at: float
) -> Response:
    """The response. Checks rights, parameters, slots and the body in this order: an early refusal costs nothing."""
    if head.method == "OPTIONS" and "OPTIONS" not in endpoint.methods:
        return current_app.make_default_options_response()
    access = current_access()
    try:
        principal = authenticator.authenticate(head, endpoint.right)
    except NotAllowed as error:
        access.is_by(error.principal)
        raise
    access.is_by(principal)
    parameters = read_parameters(endpoint.parameters, _given(endpoint, head), path)
    access.asks_for(parameters)
    if head.method == "HEAD" and endpoint.slots:  # a query would be run for nothing
        return Response(status=endpoint.success.status, content_type=next(iter(endpoint.success.content), None))

    def handle() -> Response:
        with endpoint.body.held(head, request.stream) if endpoint.body else nullcontext(b"") as body:
            return respond_to(body)

    def respond_to(body: bytes) -> Response:
        is_still_allowed = partial(_is_still_allowed, authenticator, head, endpoint.right, principal)
        given = Request(
            *(head, principal, parameters, body, _cancellation()),
            count_rows=access.count_rows,
            is_still_allowed=is_still_allowed,
            is_login_of=access.is_login_of,
            began_at=began_at,
        )
        result = endpoint.handle(given)
        if isinstance(result, ListResponse | LogResponse):
            access.count_rows(len(result.rows) if isinstance(result, ListResponse) else 1)
        return _response(result, endpoint.success.status)

    begin: Callable[[], Response] = handle
    for slots in reversed(endpoint.slots):
        begin = partial(slots.hold, client_of(principal, head), begin)
    return begin()


def _is_still_allowed(authenticator: Authenticator, head: RequestHead, right: Right, principal: Principal) -> bool:
    """Whether the request would be from the same principal, with the same rights and limits, if it came now."""
    try:
        return authenticator.authenticate(head, right) == principal
    except (HTTPException, IssuerUnavailable):  # who is refused may ask again, and is told why
        return False


def _cancellation() -> Cancellation:
    """The cancellation of the request that Flask is serving; a server that does not tell never cancels it."""
    cancellation = Cancellation()
    if on_client_gone := request.environ.get(ON_CLIENT_GONE):
        on_client_gone(cancellation.cancel)
    return cancellation


def _given(endpoint: Endpoint[Any], head: RequestHead) -> "MultiDict[str, str]":
    """The parameters of the URL, and those of a form where a POST without another body may send them."""
    if head.method != "POST" or endpoint.body is not None:
        return request.args
    if head.media_type not in ("", FORM):
        raise UnsupportedMediaType(f"Content-Type is {head.media_type}; it may be {FORM}.")
    return CombinedMultiDict([request.args, request.form])


def _response(result: BaseModel | Response | None, status: int) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        response = Response(status=status)
        del response.headers["Content-Type"]
        return response
    return Response(result.model_dump_json(exclude_none=True), status, content_type="application/json")


def _rule(path: str) -> str:
    """The path in Flask's syntax."""
    return re.sub(r"\{(\+?)(\w+)\}", lambda found: f"<{'path:' if found[1] else ''}{found[2]}>", path)
