"""Creates the Flask application from the endpoints."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry

from app.api.access_log import AccessLog
from app.api.authentication import Authenticator, NoAuthentication
from app.api.endpoint import Endpoint
from app.api.origin import OriginGuard
from app.api.protection import protect
from app.api.routes import add_routes
from app.api.status_routes import status_routes
from app.health import HealthReport
from app.settings import AccessSettings


def create_app(
    health: HealthReport,
    registry: CollectorRegistry,
    *more: Iterable[Endpoint[Any]],
    authenticator: Authenticator | None = None,
    guard: OriginGuard | None = None,
    access_log: AccessLog | None = None,
) -> Flask:
    """A new Flask application; two of them share nothing but the arguments.

    Without an authenticator the API has no authentication; without a guard it is known as localhost alone.
    """
    app = Flask("app", static_folder=None)
    # `//` would be redirected, to the host that the request names; and the name of a field may hold it.
    app.url_map.merge_slashes = False
    protect(app, guard or OriginGuard(()), access_log or AccessLog(AccessSettings()))
    endpoints = chain(status_routes(health, registry), *more)
    add_routes(app, endpoints, authenticator or NoAuthentication())
    return app
