"""The page at / and its files, as served to browsers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from app.api.app import create_app
from app.api.explorer_routes import explorer_routes
from app.domain.columns import COLUMNS
from app.health import Health
from local.paths import ROOT

FILES = ROOT / "app/api/static/explorer"
MODULES = sorted(FILES.glob("*.js"))
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


@pytest.fixture
def client() -> FlaskClient:
    return create_app(Health(), CollectorRegistry(), explorer_routes()).test_client()


def test_the_page_is_at_the_root_and_allows_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/", buffered=True)

    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_every_file_is_served_as_what_it_is_and_kept_until_it_changes(client: FlaskClient, path: Path) -> None:
    answer = client.get(f"/explorer/{path.name}", buffered=True)

    assert answer.status_code == 200
    assert answer.content_type.partition(";")[0] == TYPES[path.suffix]
    assert answer.headers["Cache-Control"] == "no-cache"  # cached, but revalidated
    again = client.get(f"/explorer/{path.name}", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["missing.js", "../docs.html", "%2e%2e/docs.html", ".."])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/explorer/{name}").status_code == 404


def test_all_modules_are_fetched_at_once(client: FlaskClient) -> None:
    linked = re.findall(r"</explorer/([^>]+)>; rel=modulepreload", client.get("/", buffered=True).headers["Link"])

    imported = {name for path in MODULES for name in re.findall(r'from "\./([^"]+)"', path.read_text())}
    assert set(linked) == imported | {"main.js"}
    assert {path.name for path in MODULES} | {"columns.js"} == set(linked) | {"theme.js"}, (
        "a module that nobody imports"
    )


@pytest.mark.parametrize("path", [*MODULES, FILES / "index.html"], ids=lambda path: path.name)
def test_text_is_never_read_as_html_nor_as_a_script(path: Path) -> None:
    text = path.read_text()

    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser", text)
        == []
    )
    assert re.findall(r'\son\w+="|style="|javascript:', text) == []
    assert [url for url in re.findall(r"https?://[^\s\"')]+", text) if url != "http://www.w3.org/2000/svg"] == []


def test_the_columns_are_those_of_the_registry_and_kept_until_they_change(client: FlaskClient) -> None:
    answer = client.get("/explorer/columns.js")

    listed = json.loads(answer.text.removeprefix("export const COLUMNS = ").rstrip(";\n"))
    assert [column["name"] for column in listed] == [column.name for column in COLUMNS]
    assert [column["name"] for column in listed if column["isShown"]][:3] == ["timestamp", "level", "service"]
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("text/javascript; charset=utf-8", "no-cache")
    again = client.get("/explorer/columns.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
