"""Requests that web pages of other sites make a browser send, and those of everybody else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Forbidden, MisdirectedRequest

from app.api.app import create_app
from app.api.explorer_routes import explorer_routes
from app.api.origin import OriginGuard
from app.api.request_head import RequestHead
from app.health import Health

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def head(method: str = "GET", **headers: str) -> RequestHead:
    """A request to localhost; underscores in names of headers are hyphens."""
    given = {name.replace("_", "-"): value for name, value in {"Host": "localhost:8080", **headers}.items()}
    return RequestHead(method, "/api/v1/logs", Headers(list(given.items())), "127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        *("", "localhost", "localhost:8080", "LocalHost", "127.0.0.1:8080", "10.1.2.3", "[::1]:8080", "[fe80::1]"),
        *(
            "logs.example.org",
            "Logs.Example.org:443",
            "logs.example.org.",
            "a.internal.example",
            "a.b.internal.example",
        ),
    ],
)
def test_own_names_and_addresses_are_accepted(host: str) -> None:
    OriginGuard(["logs.example.org", "*.internal.example"]).check(head(Host=host))


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "example.org"),
        *("xlogs.example.org", "internal.example", "xinternal.example", "[", "evil.example@localhost.evil", "1.2.3"),
    ],
)
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(MisdirectedRequest, match="HTTP_ALLOWED_HOSTS"):
        OriginGuard(["logs.example.org", "*.internal.example"]).check(head(Host=host))


def test_with_an_asterisk_every_name_is_accepted() -> None:
    OriginGuard(["*"]).check(head(Host="anything.example"))


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program
        {"Sec-Fetch-Site": "none", **NAVIGATION},  # the address bar
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"},
        {"Origin": "http://localhost:8080"},  # a browser from before Fetch Metadata
        {"Sec-Fetch-Site": "cross-site", **NAVIGATION},  # a link
    ],
)
def test_programs_own_pages_and_links_are_accepted(headers: dict[str, str]) -> None:
    OriginGuard(()).check(head(**headers))


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        ("POST", {"Sec-Fetch-Site": "cross-site", **NAVIGATION}),  # a form
        ("OPTIONS", {"Origin": "https://evil.example"}),
        ("POST", {"Origin": "https://evil.example"}),
        ("POST", {"Origin": "http://localhost:3000"}),
        ("POST", {"Origin": "null"}),
    ],
)
def test_pages_of_other_sites_are_refused(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="other sites"):
        OriginGuard(()).check(head(method, **headers))


@pytest.fixture
def client() -> FlaskClient:
    app: Flask = create_app(Health(), CollectorRegistry(), explorer_routes())
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/live", "/metrics", "/explorer/1/main.js", "/nothing"])
def test_every_path_is_guarded(client: FlaskClient, path: str) -> None:
    misdirected = client.get(path, headers={"Host": "evil.example"})
    cross_site = client.get(path, headers={"Sec-Fetch-Site": "cross-site"})

    assert (misdirected.status_code, cross_site.status_code) == (421, 403)
    assert misdirected.json is not None
    assert misdirected.json["error"]["code"] == "misdirected_request"


@pytest.mark.parametrize("path", ["/", "/live", "/metrics", "/health", "/explorer/1/main.js"])
def test_every_response_has_the_security_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        headers = response.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == ("no-cache" if path == "/" or "/explorer/" in path else "no-store")


def test_errors_have_them_too(client: FlaskClient) -> None:
    response = client.get("/nothing")

    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/..", "/explorer/1//main.js", "/live/", "/live//", "/explorer//x"]
)
def test_no_path_is_redirected_to_the_host_of_the_request(client: FlaskClient, path: str) -> None:
    response = client.get("/", headers={"Host": "10.1.2.3"}, environ_overrides={"PATH_INFO": path})

    assert (response.status_code, response.headers.get("Location")) == (404, None)
