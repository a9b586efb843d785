"""/api/v1: the endpoints as routes, each counted and let in in its turn, and the document that describes them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, g, jsonify, request, send_from_directory

from app.api.admission import Admission
from app.api.endpoint import Endpoint, add_route
from app.api.openapi import openapi
from app.api.query_api import QueryApi
from app.api.tail_routes import TailApi
from app.metrics import Metrics

PREFIX: Final = "/api/v1"
_STATIC: Final = Path(__file__).parent / "static"


def query_routes(api: QueryApi, tail: TailApi, admission: Admission, metrics: Metrics) -> Blueprint:
    """The routes."""
    routes = Blueprint("query", __name__, url_prefix=PREFIX)
    endpoints: list[Endpoint[Any]] = [*api.endpoints(), tail.endpoint()]

    def let_in(call: Callable[[], Any]) -> Any:
        with admission.place(), metrics.query_running.track_inprogress():
            return call()

    for endpoint in endpoints:
        add_route(routes, endpoint, let_in)
    document = openapi(endpoints, PREFIX)

    @routes.get("/openapi.json")
    def describe() -> Response:
        """OpenAPI 3.1."""
        return jsonify(document)

    @routes.get("/docs")
    @routes.get("/<any('docs.css', 'docs.js'):name>")
    def browse(name: str = "docs.html") -> Response:
        """The same for people."""
        page = send_from_directory(_STATIC, name)
        page.headers["Content-Security-Policy"] = "default-src 'self'"
        return page

    @routes.before_request
    def begin() -> None:
        g.asked_at = time.monotonic()

    @routes.after_request
    def count(response: Response) -> Response:
        name = (request.endpoint or "").removeprefix("query.")
        metrics.query_answers.labels(name, response.status_code).inc()
        metrics.query_duration.labels(name).observe(time.monotonic() - g.asked_at)
        return response

    return routes
