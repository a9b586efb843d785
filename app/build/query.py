"""The role `query`: the API and the explorer, and the watch over whether ClickHouse answers."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from app.api.admission import Admission, StreamSlots
from app.api.endpoint import Endpoint
from app.api.explain_api import ExplainApi
from app.api.explorer_routes import explorer_routes
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.tail_routes import TailApi
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.kafka.single_records import KafkaRecords
from app.build.access import OPEN, AccessParts
from app.build.explainer import build_explainer
from app.component import Component, Repeating
from app.explain.stored import StoredExplainer
from app.health import Health
from app.metrics import Metrics
from app.query.hour_counts import HourCounts
from app.query.log_table import LogTable
from app.query.service import QueryService
from app.query.watch import QueryWatch
from app.settings import Settings
from app.telemetry.query import PART, QueryTelemetry


class QueryParts(Struct, frozen=True):
    """The component, which ends live tails when it stops, and the routes."""

    component: Component
    routes: Sequence[Sequence[Endpoint[Any]]]


def build_query(
    settings: Settings, metrics: Metrics, access: AccessParts = OPEN, described: Iterable[Endpoint[Any]] = ()
) -> QueryParts:
    """The routes, and the component that watches the ClickHouse they depend on.

    `described` are other endpoints of this instance that the document of the API describes.
    """
    limits = settings.query
    health = Health(problems={PART: "not connected yet"})
    table = LogTable(ClickHouseReader(settings.clickhouse, limits))
    hour_counts = HourCounts(table, time.time_ns, time.monotonic)
    watch = QueryWatch(table, QueryTelemetry(health), hour_counts)
    component = Repeating("query", watch.check, health)

    described = list(described)
    queries = QueryService(table, rows_in=hour_counts.rows_in)
    admission = Admission(limits.max_concurrent, wait_secs=limits.queue_secs, max_share=limits.max_share_percent / 100)
    streams = StreamSlots(limits.max_streams, metrics.query_streams, max_share=limits.max_share_percent / 100)
    api = QueryApi(queries, limits, admission, streams, time.monotonic)
    explainer = StoredExplainer(build_explainer(settings), KafkaRecords(settings.kafka))
    explain = ExplainApi(queries, explainer, limits, time.monotonic)
    tail = TailApi(queries, streams, is_stopping=lambda: component.is_stopping)
    return QueryParts(
        component,
        [
            explorer_routes(access.login, is_open=access.is_open, receives=bool(described)),
            query_routes(api, tail, explain, admission, metrics, described),
        ],
    )
