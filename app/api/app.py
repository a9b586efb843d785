"""Puts the routes together."""

from flask import Blueprint, Flask
from prometheus_client import CollectorRegistry

from app.api.error_responses import register_error_responses
from app.api.status_routes import status_routes
from app.health import HealthReport


def create_app(health: HealthReport, registry: CollectorRegistry, *more: Blueprint) -> Flask:
    """A fresh Flask application; nothing is shared between two of them but what is handed in."""
    app = Flask("app", static_folder=None)
    app.register_blueprint(status_routes(health, registry))
    for routes in more:
        app.register_blueprint(routes)
    register_error_responses(app)
    return app
