"""The page at / and its files, as served to browsers."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from app.api.app import create_app
from app.api.explorer_routes import ExplorerFiles, explorer_routes
from app.domain.columns import COLUMNS
from app.health import Health
from local.paths import ROOT

FILES = ROOT / "app/api/static/explorer"
MODULES = sorted(FILES.glob("*.js"))
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


@pytest.fixture
def client() -> FlaskClient:
    return create_app(Health(), CollectorRegistry(), explorer_routes()).test_client()


def test_the_page_knows_whether_this_instance_receives_logs() -> None:
    def page(receives: bool) -> str:
        routes = explorer_routes(is_open=False, receives=receives)
        return create_app(Health(), CollectorRegistry(), routes).test_client().get("/").text

    assert "<body data-receives data-session>" in page(True)
    assert "<body data-session>" in page(False)


def test_the_page_is_at_the_root_and_allows_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/")

    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.fixture
def version(client: FlaskClient) -> str:
    """The version in the paths of the page's files."""
    [found] = set(re.findall(r'"explorer/([0-9a-f]+)/[^"]+"', client.get("/").text))
    return found


@pytest.mark.parametrize("name", [path.name for path in sorted(FILES.iterdir()) if path.suffix != ".html"])
def test_every_file_is_served_as_what_it_is_and_kept_for_ever(client: FlaskClient, version: str, name: str) -> None:
    answer = client.get(f"/explorer/{version}/{name}")

    assert answer.status_code == 200
    assert answer.content_type.partition(";")[0] == TYPES[Path(name).suffix]
    assert answer.data == (FILES / name).read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_page_is_cached_and_revalidated(client: FlaskClient) -> None:
    page = client.get("/")

    assert page.headers["Cache-Control"] == "no-cache"
    assert client.get("/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_a_file_of_another_version_is_not_kept(client: FlaskClient) -> None:
    assert client.get("/explorer/0123456789ab/main.js").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("content", [b"one", b"two"])
def test_the_version_changes_with_any_file(tmp_path: Path, content: bytes) -> None:
    shutil.copytree(FILES, tmp_path / "copy")
    (tmp_path / "copy" / "dom.js").write_bytes(content)

    assert ExplorerFiles(tmp_path / "copy").version != ExplorerFiles(FILES).version
    assert ExplorerFiles(FILES).version == ExplorerFiles(FILES).version


@pytest.mark.parametrize("name", ["missing.js", "index.html", "../docs.html", "%2e%2e/docs.html", ".."])
def test_nothing_else_is_served(client: FlaskClient, version: str, name: str) -> None:
    assert client.get(f"/explorer/{version}/{name}").status_code == 404


def test_all_modules_are_fetched_at_once(client: FlaskClient) -> None:
    linked = re.findall(r"</explorer/[0-9a-f]+/([^>]+)>; rel=modulepreload", client.get("/").headers["Link"])

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


def test_the_columns_are_those_of_the_registry(client: FlaskClient, version: str) -> None:
    answer = client.get(f"/explorer/{version}/columns.js")

    listed = json.loads(answer.text.removeprefix("export const COLUMNS = ").rstrip(";\n"))
    assert [column["name"] for column in listed] == [column.name for column in COLUMNS]
    assert [column["name"] for column in listed if column["isShown"]][:3] == ["timestamp", "level", "service"]
    assert answer.content_type == "text/javascript; charset=utf-8"
