"""openapi.json and the page that shows it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Response, jsonify, send_from_directory

from app.access.principal import Right
from app.api.endpoint import Endpoint, Request
from app.api.openapi import openapi
from app.api.request_parameters import AnyParameters

_STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {"/docs": "docs.html", "/docs.css": "docs.css", "/docs.js": "docs.js"}


def docs_routes(endpoints: Iterable[Endpoint[Any]]) -> list[Endpoint[Any]]:
    """The endpoints that describe these endpoints."""
    described = list(endpoints)

    @cache  # made when it is first asked for: most instances are never asked, and would start later for it
    def document() -> dict[str, Any]:
        return openapi(described)

    def describe(request: Request[AnyParameters]) -> Response:
        """OpenAPI 3.1."""
        return jsonify(document())

    return [
        Endpoint(
            path="/openapi.json", operation_id="describe", right=Right.NONE, parameters=AnyParameters, handle=describe
        ),
        *(_page(path, file_name) for path, file_name in _FILES.items()),
    ]


def _page(path: str, file_name: str) -> Endpoint[AnyParameters]:
    """A file of the page /docs."""
    return Endpoint(
        path=path,
        operation_id="browse",
        right=Right.NONE,
        parameters=AnyParameters,
        handle=lambda request: send_from_directory(_STATIC, file_name),
        headers={"Content-Security-Policy": "default-src 'self'"},
    )
