"""/api/v1: the query endpoints, each with metrics and a slot, and the document of the API."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from app.api.admission import Admission, QuerySlots
from app.api.docs_routes import docs_routes
from app.api.endpoint import Endpoint
from app.api.explain_api import ExplainApi
from app.api.query_api import QueryApi
from app.api.tail_routes import TailApi
from app.metrics import Metrics

PREFIX: Final = "/api/v1"
_PROBLEMS: Final = {
    400: "The query or a parameter is invalid; the message gives the position and a suggestion.",
    404: "There is no log with this id.",
    422: "The query exceeds the limit of memory or rows.",
    429: "Too many concurrent queries; Retry-After says when to retry.",
    503: "ClickHouse is unavailable; Retry-After says when to retry.",
    504: "The query timed out before it found anything.",
}


def query_routes(
    api: QueryApi,
    tail: TailApi,
    explain: ExplainApi,
    admission: Admission,
    metrics: Metrics,
    described: Iterable[Endpoint[Any]] = (),
) -> list[Endpoint[Any]]:
    """The endpoints under /api/v1. `described` are others that the document describes besides them."""
    slots = QuerySlots(admission, metrics.query_running)
    queries = [
        replace(endpoint, prefix=PREFIX, slots=(slots, *endpoint.slots), problems=_PROBLEMS)
        for endpoint in [*api.endpoints(), explain.endpoint(), tail.endpoint()]
    ]
    docs = [replace(endpoint, prefix=PREFIX) for endpoint in docs_routes([*described, *queries])]
    return list(_counted([*queries, *docs], metrics))


def _counted(endpoints: Iterable[Endpoint[Any]], metrics: Metrics) -> Iterable[Endpoint[Any]]:
    def count(name: str, status: int, secs: float) -> None:
        metrics.query_responses.labels(name, status).inc()
        metrics.query_duration.labels(name).observe(secs)

    return (replace(endpoint, on_response=count) for endpoint in endpoints)
