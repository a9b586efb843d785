"""/: the explorer, a page of plain modules that asks /api/v1 like everybody else."""

from pathlib import Path
from typing import Any, Final

from flask import Response, send_from_directory
from pydantic import BaseModel

from app.api.authentication import Right
from app.api.endpoint import Endpoint, Request
from app.api.request_parameters import AnyParameters

_PAGE: Final = Path(__file__).parent / "static" / "explorer"
# Nothing from elsewhere, no script or style in the page itself, and no text may become HTML (trusted types).
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
    "Referrer-Policy": "no-referrer",  # an address holds what was searched for
}


class FileParameters(BaseModel):
    """Which file. Whatever else stands behind a question mark is ignored."""

    name: str


def explorer_routes() -> list[Endpoint[Any]]:
    """The page at `/`, and its files below `/explorer/`."""
    # Modules that import others would be fetched one after the other.
    modules = sorted(
        f"</explorer/{path.name}>; rel=modulepreload" for path in _PAGE.glob("*.js") if path.stem != "theme"
    )

    def page(request: Request[AnyParameters]) -> Response:
        """The page itself."""
        answer = send_from_directory(_PAGE, "index.html")
        answer.headers["Link"] = ", ".join(modules)
        return answer

    def file(request: Request[FileParameters]) -> Response:
        """A script, a style or a picture of it. Kept by browsers, and asked for anew only if it has changed."""
        return send_from_directory(_PAGE, request.parameters.name)

    return [
        Endpoint(
            path="/", operation_id="explorer", right=Right.NONE, parameters=AnyParameters, handle=page, headers=_HEADERS
        ),
        Endpoint(path="/explorer/{name}", right=Right.NONE, parameters=FileParameters, handle=file, headers=_HEADERS),
    ]
