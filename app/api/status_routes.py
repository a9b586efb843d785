"""/live, /ready, /health, /metrics: what orchestrators, people and Prometheus ask. No path ends in z, Cloud Run keeps
those for itself."""

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.health import HealthReport
from app.version import VERSION


def status_routes(health: HealthReport, registry: CollectorRegistry) -> Blueprint:
    """The routes, on a blueprint without prefix."""
    routes = Blueprint("status", __name__)

    @routes.get("/live")
    def live() -> tuple[Response, int]:
        """200 while the ingest loop turns; 503 asks for a restart. Says nothing of Kafka or ClickHouse."""
        is_live = health.is_live()
        return jsonify({"status": "live" if is_live else "stuck"}), 200 if is_live else 503

    @routes.get("/ready")
    def ready() -> tuple[Response, int]:
        """200 while logs flow; 503 with the reasons otherwise."""
        problems = health.problems()
        return jsonify({"status": "not ready" if problems else "ready", "problems": problems}), 503 if problems else 200

    @routes.get("/health")
    def details() -> Response:
        """Everything at once, for people. Always 200: it reports, it does not judge."""
        problems = health.problems()
        return jsonify(
            {
                "status": "not ready" if problems else "ready",
                "is_live": health.is_live(),
                "version": VERSION,
                "problems": problems,
                "warnings": health.warnings(),
                **health.figures(),
            }
        )

    @routes.get("/metrics")
    def metrics() -> Response:
        """Every series, in the format that the scraper asks for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    return routes
