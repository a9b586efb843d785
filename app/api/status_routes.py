"""/live, /ready, /health, /metrics: for orchestrators, people and Prometheus. No path ends in z, because Cloud Run
reserves those."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, jsonify
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.access.principal import Principal, Right
from app.api.endpoint import Endpoint, Request
from app.api.request_parameters import AnyParameters
from app.health import HealthReport
from app.version import VERSION

_HIDDEN: Final = "see the log, or send a token with the scope read and without a limit"

STATUS_PATHS: Final = ("/live", "/ready", "/health", "/metrics")


def status_routes(health: HealthReport, registry: CollectorRegistry) -> list[Endpoint[Any]]:
    """The status endpoints."""

    def live(request: Request[AnyParameters]) -> Response:
        """200 while the ingest loop runs; 503 requests a restart. Does not depend on Kafka or ClickHouse."""
        is_live = health.is_live()
        return _json({"status": "live" if is_live else "stuck"}, 200 if is_live else 503)

    def ready(request: Request[AnyParameters]) -> Response:
        """200 while logs flow; 503 with the reasons otherwise."""
        problems = _shown(health.problems(), request.principal)
        status = "not ready" if problems else "ready"
        return _json({"status": status, "problems": problems}, 503 if problems else 200)

    def details(request: Request[AnyParameters]) -> Response:
        """Everything at once, for people. Always 200: it reports and does not decide."""
        principal = request.principal
        problems = _shown(health.problems(), principal)
        return jsonify(
            {
                "status": "not ready" if problems else "ready",
                "is_live": health.is_live(),
                "version": VERSION,
                "problems": problems,
                "warnings": _shown(health.warnings(), principal),
                **(health.details() if principal.sees_everything else {}),
            }
        )

    def metrics(request: Request[AnyParameters]) -> Response:
        """All metrics, in the format that the scraper requests."""
        encode, content_type = choose_encoder(request.head.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    handlers = (live, ready, details, metrics)
    return [
        Endpoint(path=path, right=Right.NONE, parameters=AnyParameters, handle=handle)
        for path, handle in zip(STATUS_PATHS, handlers, strict=True)
    ]


def _shown(texts: Mapping[str, str], principal: Principal) -> Mapping[str, str]:
    """The texts, by part, for those who may know addresses and offsets; for others the parts alone."""
    return texts if principal.sees_everything else dict.fromkeys(texts, _HIDDEN)


def _json(body: dict[str, object], status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
