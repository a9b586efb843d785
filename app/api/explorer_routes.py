"""/: the explorer, a page of plain modules that asks /api/v1 like everybody else."""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, send_from_directory

_PAGE: Final = Path(__file__).parent / "static" / "explorer"
# Nothing from elsewhere, no script or style in the page itself, and no text may become HTML (trusted types).
_POLICY: Final = "; ".join(
    [
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    ]
)


def explorer_routes() -> Blueprint:
    """The page at `/`, and its files below `/explorer/`."""
    routes = Blueprint("explorer", __name__)
    # Modules that import others would be fetched one after the other.
    modules = sorted(
        f"</explorer/{path.name}>; rel=modulepreload" for path in _PAGE.glob("*.js") if path.stem != "theme"
    )

    @routes.get("/")
    def page() -> Response:
        """The page itself."""
        answer = send_from_directory(_PAGE, "index.html")
        answer.headers["Link"] = ", ".join(modules)
        return answer

    @routes.get("/explorer/<name>")
    def file(name: str) -> Response:
        """A script, a style or a picture of it. Kept by browsers, and asked for anew only if it has changed."""
        return send_from_directory(_PAGE, name)

    @routes.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"  # an address holds what was searched for
        return response

    return routes
