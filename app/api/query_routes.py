"""/api/v1: the endpoints of queries, each counted and in a slot, and the document that describes them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from app.api.admission import Admission, QuerySlots
from app.api.docs_routes import docs_routes
from app.api.endpoint import Endpoint
from app.api.query_api import QueryApi
from app.api.tail_routes import TailApi
from app.metrics import Metrics

PREFIX: Final = "/api/v1"
_PROBLEMS: Final = {
    400: "The question is not understood; the message says where and what was probably meant.",
    404: "There is no such log.",
    422: "The question takes more memory or rows than it may.",
    429: "Too many questions at the same time; Retry-After says when to ask again.",
    503: "ClickHouse does not answer; Retry-After says when to ask again.",
    504: "The time is up and nothing was found so far.",
}


def query_routes(api: QueryApi, tail: TailApi, admission: Admission, metrics: Metrics) -> list[Endpoint[Any]]:
    """The endpoints."""
    slots = QuerySlots(admission, metrics.query_running)
    queries = [
        replace(endpoint, prefix=PREFIX, slots=(slots, *endpoint.slots), problems=_PROBLEMS)
        for endpoint in [*api.endpoints(), tail.endpoint()]
    ]
    docs = [replace(endpoint, prefix=PREFIX) for endpoint in docs_routes(queries)]
    return list(_counted([*queries, *docs], metrics))


def _counted(endpoints: Iterable[Endpoint[Any]], metrics: Metrics) -> Iterable[Endpoint[Any]]:
    def count(name: str, status: int, secs: float) -> None:
        metrics.query_answers.labels(name, status).inc()
        metrics.query_duration.labels(name).observe(secs)

    return (replace(endpoint, on_answered=count) for endpoint in endpoints)
