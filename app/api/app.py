"""Puts the endpoints together."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry

from app.api.authentication import Authenticator, NoAuthentication
from app.api.endpoint import Endpoint
from app.api.routes import add_routes
from app.api.status_routes import status_routes
from app.health import HealthReport


def create_app(
    health: HealthReport,
    registry: CollectorRegistry,
    *more: Iterable[Endpoint[Any]],
    authenticator: Authenticator | None = None,
) -> Flask:
    """A fresh Flask application; nothing is shared between two of them but what is handed in.

    Without an authenticator everybody may do everything.
    """
    app = Flask("app", static_folder=None)
    endpoints = chain(status_routes(health, registry), *more)
    add_routes(app, endpoints, authenticator or NoAuthentication())
    return app
