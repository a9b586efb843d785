"""/: the explorer, a page of plain modules that uses /api/v1 like every other client."""

import json
from pathlib import Path
from typing import Any, Final

from flask import Response, send_from_directory
from flask import request as flask_request
from pydantic import BaseModel

from app.api.authentication import Right
from app.api.endpoint import Endpoint, Request
from app.api.request_parameters import AnyParameters
from app.domain.columns import COLUMNS

_PAGE: Final = Path(__file__).parent / "static" / "explorer"
# Nothing from other hosts, no inline script or style, and no text may become HTML (trusted types).
_POLICY: Final = "; ".join(
    [
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    ]
)


_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the URL holds the query
}


_COLUMNS_MODULE: Final = "columns.js"


def columns_module() -> str:
    """A JavaScript module that exports the column registry, so that the explorer has no list of its own."""
    columns = [
        {
            "name": column.name,
            "kind": column.kind.value,
            "isShown": column.is_shown,
            "isFacet": column.is_facet,
            "isMap": column.is_map,
            "isKey": bool(column.key),
        }
        for column in COLUMNS
    ]
    return f"export const COLUMNS = {json.dumps(columns, indent=1)};\n"


class FileParameters(BaseModel):
    """The file name. Query parameters are ignored."""

    name: str


def explorer_routes() -> list[Endpoint[Any]]:
    """The page at `/`, and its files below `/explorer/`."""
    # Without preloading, browsers would fetch modules that import others one after the other.
    names = [_COLUMNS_MODULE, *(path.name for path in _PAGE.glob("*.js") if path.stem != "theme")]
    modules = sorted(f"</explorer/{name}>; rel=modulepreload" for name in names)
    columns = columns_module()

    def page(request: Request[AnyParameters]) -> Response:
        """The page itself."""
        response = send_from_directory(_PAGE, "index.html")
        response.headers["Link"] = ", ".join(modules)
        return response

    def file(request: Request[FileParameters]) -> Response:
        """A script, style or picture of the page. Browsers cache it, and fetch it again only if it has changed."""
        return send_from_directory(_PAGE, request.parameters.name)

    def columns_file(request: Request[AnyParameters]) -> Response:
        """The column registry. Browsers cache it like a file."""
        response = Response(columns, content_type="text/javascript; charset=utf-8")
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(flask_request)
        return response

    return [
        Endpoint(
            path="/", operation_id="explorer", right=Right.NONE, parameters=AnyParameters, handle=page, headers=_HEADERS
        ),
        Endpoint(
            path=f"/explorer/{_COLUMNS_MODULE}",
            right=Right.NONE,
            parameters=AnyParameters,
            handle=columns_file,
            headers=_HEADERS,
        ),
        Endpoint(path="/explorer/{name}", right=Right.NONE, parameters=FileParameters, handle=file, headers=_HEADERS),
    ]
