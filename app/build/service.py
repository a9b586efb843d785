"""The components of one instance of the service, by its roles."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from prometheus_client import CollectorRegistry

from app.api.access_log import AccessLog
from app.api.app import create_app
from app.api.endpoint import Endpoint
from app.api.origin import OriginGuard
from app.api.routes import matcher
from app.api.status_routes import STATUS_PATHS
from app.backends.clickhouse.text_forms import TextForms
from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.access import build_access
from app.build.audit import build_audit
from app.build.clocks import build_clocks
from app.build.ingest import build_ingest
from app.build.query import build_query
from app.build.receive import build_receive, with_key
from app.build.retention import build_retention
from app.component import Component
from app.health import ServiceHealth
from app.http.lane import Lane
from app.http.server import HttpServer
from app.metrics import Metrics
from app.pipeline.delivery import Delivery
from app.ports import LogWriter
from app.query.service import names_in
from app.settings import ClickHouseSettings, Settings
from app.version import VERSION


def build(
    settings: Settings,
    *,
    new_writer: Callable[[ClickHouseSettings, TextForms | None], LogWriter] = ClickHouseWriter,
    new_delivery: type[Delivery] = Delivery,
) -> list[Component]:
    """Every component of these settings, in the order in which to start them. Opens no connection, starts no thread.

    `new_writer` and `new_delivery` can be replaced, so that bench/ can measure the cost of the delivery protocol.

    Raises:
        BadSettings: the tokens cannot be used, or it is not said who may do what.
    """
    settings = with_key(settings)
    metrics = Metrics(CollectorRegistry(), version=VERSION, roles=settings.service.roles)
    access = build_access(settings, metrics)
    clocks = build_clocks(settings, metrics)
    components: list[Component] = [clocks.component]
    routes: list[Sequence[Endpoint[Any]]] = []
    receive = build_receive(settings, metrics) if "receive" in settings.service.roles else None
    if "query" in settings.service.roles:
        query = build_query(settings, metrics, access, receive.described if receive else ())
        components.append(query.component)
        routes += query.routes
    if receive:
        components.append(receive.component)
        routes += receive.routes
    if "ingest" in settings.service.roles:
        ingest = build_ingest(
            settings, metrics, on_dated=clocks.kafka_dated, new_writer=new_writer, new_delivery=new_delivery
        )
        components.append(ingest.component)
        if settings.audit.interval_secs:
            components.append(build_audit(settings, metrics, ingest.partitions))
        if settings.retention.interval_secs and settings.retention.rules.rules:
            components.append(build_retention(settings, metrics, ingest.partitions))
    if receive:
        components += receive.listeners
    health = ServiceHealth({**{component.name: component.health for component in components}, **access.health})
    own_names = filter(None, [*names_in(settings.http.allowed_hosts), settings.auth.public_host])
    guard = OriginGuard(list(own_names))
    access_log = AccessLog(settings.access)
    application = create_app(
        health,
        metrics.registry,
        *routes,
        authenticator=access.authenticator,
        guard=guard,
        access_log=access_log,
    )
    lane = Lane(matcher(application, chain(*receive.routes)), receive.threads) if receive else None
    servers = [HttpServer(settings.http, application, STATUS_PATHS, lane=lane)]
    if settings.metrics.port is not None:
        probes = create_app(
            health, metrics.registry, authenticator=access.authenticator, guard=guard, access_log=access_log
        )
        on_own_port = settings.http.model_copy(update={"port": settings.metrics.port})
        servers.append(HttpServer(on_own_port, probes, STATUS_PATHS, port_setting="METRICS_PORT"))
    return [*servers, *components]
