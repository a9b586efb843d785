"""The HTTP API over any reader, wired for tests."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask
from prometheus_client import CollectorRegistry

from app.api.admission import Admission, StreamSlots
from app.api.app import create_app
from app.api.authentication import Authenticator
from app.api.origin import OriginGuard
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.tail_routes import TailApi
from app.health import Health
from app.metrics import Metrics
from app.ports import LogReader
from app.query.log_table import LogTable
from app.query.service import QueryService
from app.settings import QuerySettings
from tests.support.explaining import explain_api
from tests.support.receivers import Receivers


def query_application(
    reader: LogReader,
    guard: OriginGuard | None = None,
    clock: Callable[[], float] = time.monotonic,
    authenticator: Authenticator | None = None,
) -> Flask:
    """The API with the default limits; its tails end at once, and what is sent to it goes nowhere."""
    metrics = Metrics(CollectorRegistry(), version="0")
    limits, queries = QuerySettings(), QueryService(LogTable(reader))
    admission = Admission(limits.max_concurrent, wait_secs=1)
    streams = StreamSlots(limits.max_streams, metrics.query_streams)
    api = QueryApi(queries, limits, admission, streams, clock)
    tail = TailApi(queries, streams, is_stopping=lambda: True)
    receiving = Receivers().described
    routes = query_routes(api, tail, explain_api(queries), admission, metrics, receiving)
    return create_app(Health(), metrics.registry, routes, receiving, guard=guard, authenticator=authenticator)
