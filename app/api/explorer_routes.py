"""/: the explorer, a page of plain modules that uses /api/v1 like every other client."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Response
from flask import request as flask_request
from pydantic import BaseModel
from werkzeug.exceptions import NotFound

from app.access.principal import Right
from app.api.endpoint import Endpoint, Request
from app.api.login import Login, session_route
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


# Of the page alone: its files have the short policy of all other responses, since forty of them would add 10 kB.
_HEADERS: Final = {"Content-Security-Policy": _POLICY}


_PAGES: Final = ("index.html", "login.html")
_COLUMNS_MODULE: Final = "columns.js"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


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
    """The version of the files, and the name of one. Query parameters are ignored."""

    version: str
    name: str


class ExplorerFiles:
    """The files of the page, under a path that changes when one of them does: browsers keep them for ever."""

    def __init__(self, folder: Path) -> None:
        contents = {path.name: path.read_bytes() for path in folder.iterdir()}
        pages = {name: contents.pop(name).decode() for name in _PAGES}
        contents[_COLUMNS_MODULE] = columns_module().encode()
        digest = hashlib.sha256(b"".join(name.encode() + content for name, content in sorted(contents.items())))
        self.version = digest.hexdigest()[:12]
        self.contents: Mapping[str, bytes] = contents
        self._pages = pages

    def page(self, name: str) -> str:
        """A page, with the paths of this version."""
        return self._pages[name].replace('"explorer/', f'"explorer/{self.version}/')

    @property
    def modules(self) -> list[str]:
        """The paths of all modules. The theme is no module: it must run before the page is drawn."""
        names = sorted(name for name in self.contents if name.endswith(".js") and name != "theme.js")
        return [f"/explorer/{self.version}/{name}" for name in names]


def explorer_routes(login: Login | None = None, *, is_open: bool = True, receives: bool = False) -> list[Endpoint[Any]]:
    """The page at `/`, and its files below `/explorer/`.

    Unless everything is open, the page shows who uses it; with a login, it leads there where one is needed. It shows
    how to send a first log if this instance receives them.
    """
    files = ExplorerFiles(_PAGE)
    content = files.page("index.html")
    if not is_open:
        content = content.replace("<body", "<body data-session data-login" if login else "<body data-session", 1)
    if receives:
        content = content.replace("<body", "<body data-receives", 1)
    # Without preloading, browsers would fetch modules that import others one after the other.
    preloaded = ", ".join(f"<{path}>; rel=modulepreload" for path in files.modules)

    def page(request: Request[AnyParameters]) -> Response:
        """The page itself. Browsers cache it, and fetch it again only if it has changed."""
        response = _cached(content.encode(), "index.html", "no-cache")
        response.headers["Link"] = preloaded
        return response

    def file(request: Request[FileParameters]) -> Response:
        """A script, style or picture of the page. Another version than this one is not kept: its name would lie."""
        content = files.contents.get(request.parameters.name)
        if content is None:
            raise NotFound
        is_current = request.parameters.version == files.version
        return _cached(content, request.parameters.name, _FOR_EVER if is_current else "no-cache")

    return [
        Endpoint(
            path="/", operation_id="explorer", right=Right.NONE, parameters=AnyParameters, handle=page, headers=_HEADERS
        ),
        Endpoint(
            path="/explorer/{version}/{name}",
            right=Right.NONE,
            parameters=FileParameters,
            handle=file,
        ),
        *(login.routes(files.page("login.html"), _HEADERS) if login else ()),
        *(() if is_open else (session_route(login),)),
    ]


def _cached(content: bytes, name: str, policy: str) -> Response:
    kind = _TYPES[Path(name).suffix]
    response = Response(content, content_type=kind)
    response.headers["Cache-Control"] = policy
    response.add_etag()
    response.make_conditional(flask_request)
    return response
